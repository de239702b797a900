/**
 * Tab "Access" of a Datanet's page: readers ask for a permissioned Datanet's rows, its owner grants or refuses. Both are records
 * signed by keys in the page; grants end at a time in milliseconds.
 */

import {
  type AccessRequest,
  type ListAccessReturnType,
  listAccess,
} from "@openledger/client/datanets/signed-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Field } from "../design/field.tsx";
import { DelegateWord } from "../hosts/delegate-word.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { sayAll } from "../hosts/say.ts";
import { isOwnKey, type TabProps } from "../hosts/tab-props.ts";
import { DroppedNotice } from "../hosts/unsigned-records.tsx";
import { type LoadState, useLoad } from "../hosts/use-load.ts";
import { useAction } from "../ledger/use-action.ts";
import { RowText } from "../rows/row-text.tsx";
import { showAge, showCount } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";

const DAY_MS = 86_400_000;
/** Terms of a grant, named by their days. */
const TERMS = [
  { name: "30", label: "30 days" },
  { name: "90", label: "90 days" },
  { name: "365", label: "a year" },
  { name: "3650", label: "ten years" },
] as const;

type Request = AccessRequest;

/** Requests to read the rows, with the owner's answers, and those that are unanswered. */
export function AccessTab(props: TabProps) {
  const { facts, live, place, visitor } = props;
  const requests = useLoad(`${facts.here.recordCount}/${facts.access.askedCount}`, () =>
    listAccess(visitor.reader, place),
  );
  const isPublic = facts.card.access === "public";
  const list = [...(requests.value?.requests ?? [])].sort((a, b) => b.askedAtMs - a.askedAtMs);
  const waiting = list.filter(({ answer }) => answer === null);
  return (
    <div class="beside">
      <section class="card stack" aria-label="Requests">
        <div class="row">
          <h2>Requests</h2>
          <span class="push" />
          {waiting.length > 0 && <Badge tone="wait">{showCount(waiting.length)} unanswered</Badge>}
        </div>
        <p class="soft small">
          Requests and replies are public, and unanswered requests stay visible. A grant lets an account read
          rows. Whether a model can earn is a separate approval on the ledger.
        </p>
        <DelegateWord leafId={facts.id} live={live} site={props.site} />
        {requests.problem !== null && <ProblemNotice problem={requests.problem} />}
        {requests.value !== undefined && <DroppedNotice dropped={requests.value.dropped} />}
        {requests.value !== undefined && list.length === 0 && <p class="soft">No requests yet.</p>}
        <ul class="requests">
          {list.map((request) => (
            <li key={request.id}>
              <div class="row">
                <span>
                  Account <LeafLink id={request.leafId} />
                </span>
                <span class="soft small">asked {showAge(request.askedAtMs, live.nowMs.value)}</span>
                <span class="push" />
                <AnswerBadge request={request} />
              </div>
              <p>
                <RowText text={request.purpose} />
              </p>
              {request.answer !== null && request.answer.note !== "" && (
                <p class="soft small">
                  The owner: <RowText text={request.answer.note} />
                </p>
              )}
              {isOwnKey(props) && (
                <AnswerForm {...props} request={request} client={visitor.client!} requests={requests} />
              )}
            </li>
          ))}
        </ul>
      </section>
      <div class="stack">
        {isPublic ? (
          <section class="card stack-s">
            <h2>These rows are public</h2>
            <p class="soft">Anyone can read them without asking.</p>
          </section>
        ) : (
          <NeedsKey {...props} toDo="ask, or to answer">
            {(client) =>
              isOwnKey(props) ? <OwnersHint /> : <AskForm {...props} client={client} requests={requests} />
            }
          </NeedsKey>
        )}
      </div>
    </div>
  );
}

function OwnersHint() {
  return (
    <section class="card stack-s">
      <h2>You own this Datanet</h2>
      <p class="soft">Grant or refuse each request. Your reply is signed with the Datanet's key.</p>
    </section>
  );
}

function AnswerBadge({ request: { answer } }: { request: Request }) {
  if (answer === null) return <Badge tone="wait">unanswered</Badge>;
  if (answer.answer === "refuse") return <Badge tone="bad">refused</Badge>;
  const day = new Date(answer.untilMs).toISOString().slice(0, 10);
  return answer.untilMs > Date.now() ? (
    <Badge tone="good">granted until {day}</Badge>
  ) : (
    <Badge tone="plain">expired on {day}</Badge>
  );
}

interface SigningProps extends TabProps {
  readonly client: LedgerClient;
  readonly requests: LoadState<ListAccessReturnType>;
}

function AskForm({ client, facts, onChange, place, requests }: SigningProps) {
  const [purpose, setPurpose] = useState("");
  const { isBusy, problem, run } = useAction();
  const own = requests.value?.requests.find(
    ({ answer, leafId }) => leafId === client.leafId && answer === null,
  );
  const ask = () =>
    run(async () => {
      const records = [{ kind: "accessRequest" as const, purpose: purpose.trim() }];
      await sayAll(client, { ...place, from: client.leafId!, records });
      setPurpose("");
      requests.reload();
      onChange();
    });
  return (
    <form
      class="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        void ask();
      }}
    >
      <h2>Ask for access</h2>
      <Field
        label="What do you need the rows for?"
        value={purpose}
        onInput={setPurpose}
        lineCount={4}
        placeholder="A model that …, for …"
        isDisabled={isBusy}
        help={`Signed by account ${client.leafId}, public. Licence of the rows: ${facts.card.licence}.`}
      />
      <Button isMain type="submit" isBusy={isBusy} isDisabled={purpose.trim() === ""}>
        Sign and ask
      </Button>
      {own !== undefined && <p class="soft small">Your last request has no reply yet.</p>}
      {problem !== null && <ProblemNotice problem={problem} />}
    </form>
  );
}

function AnswerForm({
  client,
  facts,
  onChange,
  place,
  request,
  requests,
}: SigningProps & { request: Request }) {
  const [days, setDays] = useState<(typeof TERMS)[number]["name"]>("90");
  const [note, setNote] = useState("");
  const { isBusy, problem, run } = useAction();
  const say = (answer: "grant" | "refuse") =>
    run(async () => {
      const untilMs = answer === "grant" ? Date.now() + Number(days) * DAY_MS : 0;
      const records = [{ kind: "accessAnswer" as const, request: request.id, answer, untilMs, note }];
      await sayAll(client, { ...place, from: facts.id, records });
      requests.reload();
      onChange();
    });
  return (
    <details open={request.answer === null}>
      <summary class="row small">{request.answer === null ? "Answer" : "Change the answer"}</summary>
      <div class="folded stack-s">
        <div class="columns columns-small">
          <Choice label="Until" value={days} options={TERMS} onChoose={setDays} />
          <Field label="Note" value={note} onInput={setNote} placeholder="Public" />
        </div>
        <div class="row">
          <Button isMain isSmall isBusy={isBusy} onClick={() => void say("grant")}>
            Grant
          </Button>
          <Button isSmall isBusy={isBusy} onClick={() => void say("refuse")}>
            Refuse
          </Button>
        </div>
        {problem !== null && <ProblemNotice problem={problem} />}
      </div>
    </details>
  );
}
