/**
 * Section "Be told" of the earnings page: the last events of the account or of a Datanet, its Atom feed, notifications of the
 * browser, and webhooks, which the ledger key signs for.
 */
import {
  addWebhook,
  type HostWebhook,
  listEvents,
  listWebhooks,
  removeWebhook,
  replaceWebhookSecret,
  testWebhook,
} from "@openledger/client/datanets/notices";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { EventKind } from "@openledger/datanets/notices/event";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Check, Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { NeedsKey } from "../hosts/keys/needs-key.tsx";
import { readVisitor } from "../hosts/keys/visitor.ts";
import { useLoad } from "../hosts/use-load.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showAge } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { notifyState, setNotify } from "./browser-notices.ts";

/** Kinds that an account, or a Datanet, can choose. */
const KINDS: readonly {
  readonly kind: EventKind;
  readonly label: string;
  readonly help: string;
  readonly of: "account" | "datanet" | "both";
}[] = [
  {
    kind: "row.used",
    of: "account",
    label: "Rows used",
    help: "Paid answers of a model with your rows; at most once an hour and model.",
  },
  { kind: "paid.out", of: "account", label: "Paid out", help: "An epoch is settled, and you can claim." },
  {
    kind: "row.disputed",
    of: "both",
    label: "Row disputed",
    help: "Labels contradict each other, a reviewer leaves a row out, or a contributor objects.",
  },
  {
    kind: "access.answered",
    of: "account",
    label: "Request answered",
    help: "Access that you asked for is granted or refused.",
  },
  {
    kind: "access.requested",
    of: "datanet",
    label: "Access asked for",
    help: "Somebody asks to read the rows.",
  },
  {
    kind: "model.waits",
    of: "datanet",
    label: "Model waits",
    help: "A model of these rows waits for approval.",
  },
  {
    kind: "row.withdrawn",
    of: "datanet",
    label: "Row withdrawn",
    help: "A contributor takes a row back: the next version leaves it out.",
  },
];
const SHOWN_EVENTS = 8;

interface NotificationsProps extends Pick<PageProps, "live" | "site"> {
  readonly leafId: number;
}

export function Notifications({ leafId, live, site }: NotificationsProps) {
  const [hostUrl] = site.datanetHosts;
  const visitor = readVisitor(site, live);
  const [about, setAbout] = useState(String(leafId));
  const address = session.value?.address;
  const owned = useAnswer(live, `owned datanets ${address}`, async () =>
    address === undefined
      ? []
      : (await findLeaves(site.sequencer, { owner: address })).filter(({ kind }) => kind === "datanet"),
  );
  if (visitor === null || hostUrl === undefined) return null;
  const datanets = owned.value ?? [];
  const aboutId = Number(about);
  const kind = aboutId === leafId ? "account" : "datanet";
  return (
    <section class="card stack" aria-label="Be told">
      <h2>Be told</h2>
      {datanets.length > 0 && (
        <Choice
          label="About"
          value={about}
          options={[
            { name: String(leafId), label: `my account ${leafId}` },
            ...datanets.map(({ id }) => ({ name: String(id), label: `Datanet ${id}` })),
          ]}
          onChoose={setAbout}
        />
      )}
      <Events key={about} {...{ hostUrl, live, site }} leafId={aboutId} />
      <div class="row">
        <a href={`${hostUrl.replace(/\/$/, "")}/v1/leaves/${aboutId}/feed`}>Atom feed</a>
        <span class="soft small">for any feed reader; it is public</span>
      </div>
      <BrowserNotices />
      <details>
        <summary>Webhooks</summary>
        <div class="stack folded">
          <p class="soft small">
            The host calls your server for each event, signed after Standard Webhooks, and again if it fails.
            Only public https addresses are called.
          </p>
          <NeedsKey live={live} site={site} visitor={visitor} toDo="be called">
            {(client) => (
              <Webhooks key={about} client={client} hostUrl={hostUrl} kind={kind} leafId={aboutId} />
            )}
          </NeedsKey>
        </div>
      </details>
    </section>
  );
}

function Events({ hostUrl, leafId, live, site }: NotificationsProps & { readonly hostUrl: string }) {
  const reader = readVisitor(site, live)?.reader ?? null;
  const { problem, value } = useAnswer(live, `events ${leafId} ${reader !== null}`, async () =>
    reader === null ? [] : listEvents(reader, { hostUrl, leafId, limit: SHOWN_EVENTS }),
  );
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Loading …</p>;
  if (value.length === 0) return <p class="soft">Nothing has happened in the last 90 days.</p>;
  return (
    <ul class="left-out-list">
      {value.map(({ atMs, id, text }) => (
        <li key={id} class="row">
          <span>{text}</span>
          <span class="push" />
          <span class="soft small">{showAge(atMs, live.nowMs.value)}</span>
        </li>
      ))}
    </ul>
  );
}

function BrowserNotices() {
  const state = notifyState.value;
  if (state === "absent") return null;
  if (state === "denied")
    return (
      <p class="soft small">This browser shows no notifications of this page: allow them in its settings.</p>
    );
  return (
    <div class="row">
      <Button isSmall onClick={() => void setNotify(state === "off")}>
        {state === "on" ? "Turn notifications off" : "Turn notifications on"}
      </Button>
      <span class="soft small">of this browser, about your account, while a page of OpenLedger is open</span>
    </div>
  );
}

interface WebhooksProps {
  readonly client: LedgerClient;
  readonly hostUrl: string;
  readonly leafId: number;
  readonly kind: "account" | "datanet";
}

function Webhooks({ client, hostUrl, kind, leafId }: WebhooksProps) {
  const place = { hostUrl, from: leafId };
  const loaded = useLoad(`webhooks of ${leafId}`, () => listWebhooks(client, place));
  const offered = KINDS.filter(({ of }) => of === kind || of === "both");
  const [url, setUrl] = useState("");
  const [kinds, setKinds] = useState<readonly EventKind[]>(offered.map((one) => one.kind));
  const [secret, setSecret] = useState<string | null>(null);
  const action = useAction();
  const add = () =>
    action.run(async () => {
      setSecret((await addWebhook(client, { ...place, url: url.trim(), kinds })).secret);
      setUrl("");
      loaded.reload();
    });
  return (
    <>
      {loaded.problem !== null && <ProblemNotice problem={loaded.problem} />}
      <ul class="left-out-list">
        {loaded.value?.map((webhook) => (
          <WebhookItem key={webhook.id} {...{ client, place, webhook }} onChange={loaded.reload} />
        ))}
      </ul>
      <Field
        label="Address"
        value={url}
        onInput={setUrl}
        placeholder="https://example.org/hook"
        isDisabled={action.isBusy}
        help="At most five for each account and Datanet."
      />
      {offered.map((one) => (
        <Check
          key={one.kind}
          label={one.label}
          help={one.help}
          isChecked={kinds.includes(one.kind)}
          onCheck={(isChecked) =>
            setKinds((now) => {
              const others = now.filter((other) => other !== one.kind);
              return isChecked ? [...others, one.kind] : others;
            })
          }
        />
      ))}
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
      {secret !== null && (
        <Notice tone="good" title="The webhook is added. Its secret is shown this once.">
          <p>
            <code class="wrap">{secret}</code>
          </p>
        </Notice>
      )}
      <Button
        isMain
        isBusy={action.isBusy}
        isDisabled={url.trim() === "" || kinds.length === 0}
        onClick={() => void add()}
      >
        Add the webhook
      </Button>
    </>
  );
}

function WebhookItem({
  client,
  onChange,
  place,
  webhook,
}: {
  readonly client: LedgerClient;
  readonly place: { readonly hostUrl: string; readonly from: number };
  readonly webhook: HostWebhook;
  readonly onChange: () => void;
}) {
  const action = useAction();
  const [secret, setSecret] = useState<string | null>(null);
  const { id, isOn, kinds, lastResult, url, waitingCount } = webhook;
  const change = (work: typeof removeWebhook) =>
    action.run(async () => {
      await work(client, { ...place, id });
      onChange();
    });
  return (
    <li class="stack-s">
      <div class="row">
        <span class="wrap">{url}</span>
        <span class="push" />
        <Badge tone={!isOn ? "bad" : lastResult?.startsWith("2") === true ? "good" : "plain"}>
          {isOn ? (lastResult ?? "not called yet") : "off: too many failures"}
        </Badge>
      </div>
      <div class="row">
        <span class="soft small">
          {kinds.join(", ")}
          {waitingCount > 0 &&
            (isOn ? `; ${waitingCount} on their way` : `; ${waitingCount} wait until a trial is taken`)}
        </span>
        <span class="push" />
        <Button isSmall isBusy={action.isBusy} onClick={() => void change(testWebhook)}>
          Send a trial
        </Button>
        <Button
          isSmall
          isDisabled={action.isBusy}
          onClick={() =>
            void action.run(async () =>
              setSecret((await replaceWebhookSecret(client, { ...place, id })).secret),
            )
          }
        >
          New secret
        </Button>
        <Button isSmall isDisabled={action.isBusy} onClick={() => void change(removeWebhook)}>
          Remove
        </Button>
      </div>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
      {secret !== null && (
        <Notice tone="good" title="The new secret is shown this once.">
          <p>
            <code class="wrap">{secret}</code>
          </p>
          <p>For a day, calls are signed by the former one, too.</p>
        </Notice>
      )}
    </li>
  );
}
