/** Card of one answer on the Ask page: its text, the rows behind it, how far it is assured, and its payment in OPEN. */
import type { ReplyAssurance } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import { parseCited } from "@openledger/models/tuning/retrieval/citations";
import { Fragment } from "preact";
import { useMemo } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Identifier } from "../design/identifier.tsx";
import type { Holdings } from "../ledger/holdings.ts";
import type { Live } from "../ledger/live.ts";
import type { Session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { Words } from "../spans/answer-words.tsx";
import { textOf } from "../spans/read-words.ts";
import { showOpen, showTime } from "../words/format.ts";
import { answerHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { AssuranceList, useCopy } from "./assurance-part.tsx";
import { Markdown } from "./markdown.tsx";
import { payCheckedAnswer } from "./pay-answer.ts";
import type { ServedModel } from "./served-models.ts";
import { Sources } from "./sources.tsx";
import { type AnswerPayment, paymentOf, setThumb, type Thumb, type Turn, thumbOf } from "./turns.ts";

interface TurnProps {
  readonly live: Live;
  readonly model: ServedModel;
  readonly turn: Turn;
  /** Assurance of the reply; null while Ethereum is asked. */
  readonly assurance: ReplyAssurance | null;
  /** null if no wallet is connected: the answer is read, and cannot be paid. */
  readonly payer: { readonly now: Session; readonly owned: Holdings } | null;
}

export function TurnCard({ assurance, live, model, payer, turn }: TurnProps) {
  const { answer } = turn;
  const { estimate, label } = answer;
  const cited = useMemo(() => parseCited(answer.answer), [answer.answer]);
  const citationPermille = useCopy(model)?.citationPermille;
  return (
    <section class="card stack" aria-label="Answer">
      <div class="beside beside-first">
        <div class="stack">
          <div class="row">
            <h2>{label ?? "The answer"}</h2>
            <span class="push" />
            <Badge tone="good">checked here</Badge>
          </div>
          <AnswerText turn={turn} />
          <RowQuestion question={cited?.citations[0]?.question} />
          <Labels labels={turn.labels ?? []} />
          <Payment live={live} model={model} payer={payer} turn={turn} />
          <Details assurance={assurance} turn={turn} />
        </div>
        <div class="stack-s">
          <h3>Sources</h3>
          <Sources
            model={model}
            rows={estimate.topRows}
            against={label === null ? [] : (estimate.rowsAgainst ?? [])}
            cited={cited}
          />
          <p class="soft small">
            Estimated by the model's server. The rows share <Open wei={model.rewardWei} />.
            {estimate.isEven && " No row has a positive score, so all rows share equally."}
            {cited !== null &&
              citationPermille != null &&
              ` ${citationPermille / 10} % of this model's answers pay the rows they cite, the others the rows that influenced them. This one pays by ${cited.paidBy}.`}
          </p>
        </div>
      </div>
    </section>
  );
}

/** Question of the row whose answer is said: before it is paid a customer sees whether it is theirs. */
function RowQuestion({ question }: { question: string | undefined }) {
  if (question === undefined) return null;
  return (
    <p class="small">
      A row's answer to the question: <q>{question}</q>
    </p>
  );
}

/** Labels that are shown beside an answer. */
const SHOWN_LABELS = 5;

/** The model's labels with their parts of 1, the answer first. */
function Labels({ labels }: { labels: NonNullable<Turn["labels"]> }) {
  if (labels.length === 0) return null;
  const left = labels.length - SHOWN_LABELS;
  return (
    <section aria-label="All labels">
      <dl class="facts small">
        {labels.slice(0, SHOWN_LABELS).map(({ label, share }) => (
          <Fragment key={label}>
            <dt>{label}</dt>
            <dd>{(100 * share).toFixed(1)} %</dd>
          </Fragment>
        ))}
      </dl>
      {left > 0 && <p class="soft small">and {left} more</p>}
    </section>
  );
}

/** Text of the answer. If parts of it occur in the model's rows, these are shown in place of its Markdown. */
function AnswerText({ turn: { said } }: { turn: Turn }) {
  const text = textOf(said);
  if (text === null) return null;
  return (
    <Words served={said} text={text}>
      <Markdown text={text} />
    </Words>
  );
}

function Payment({ live, model, payer, turn }: Omit<TurnProps, "assurance">) {
  const paying = useAction();
  const { answer } = turn;
  const payment = paymentOf(answer.receipt);
  const isLate = answer.expiresAtMs < live.nowMs.value;
  const pay = () =>
    paying.run(async () => {
      await payCheckedAnswer(payer!.now, payer!.owned, model, turn);
      live.ring();
    });
  return (
    <div class="stack-s">
      <div class="row">
        {payment !== undefined && payment.state !== "failed" ? (
          <Paid payment={payment} />
        ) : isLate ? (
          <span class="soft">Not paid in time. Ask again to pay for it.</span>
        ) : (
          payer !== null && (
            <>
              <Button isMain isBusy={paying.isBusy} onClick={() => void pay()}>
                {`Pay ${showOpen(answer.priceWei)} OPEN`}
              </Button>
              <span class="soft small">until {showTime(answer.expiresAtMs)}</span>
            </>
          )
        )}
        <span class="push" />
        <Thumbs receipt={answer.receipt} />
      </div>
      {paying.problem !== null && <ProblemNotice problem={paying.problem} />}
    </div>
  );
}

function Paid({ payment: { hash, state } }: { payment: AnswerPayment }) {
  if (state === "sent") return <Badge tone="wait">being paid</Badge>;
  return (
    <p>
      <Badge tone="good">paid</Badge>{" "}
      {hash !== undefined && <a href={answerHref(hash)}>Where the money goes</a>} · it is divided at the end
      of the <Term name="epoch">epoch</Term>
    </p>
  );
}

/** Words: not every system has a picture of a thumb. */
const THUMBS: readonly { readonly thumb: Thumb; readonly label: string }[] = [
  { thumb: "up", label: "Good answer" },
  { thumb: "down", label: "Bad answer" },
];

function Thumbs({ receipt }: { receipt: bigint }) {
  const input = thumbOf(receipt);
  return (
    <span class="row">
      {THUMBS.map(({ label, thumb }) => (
        <button
          key={thumb}
          type="button"
          class="button button-small thumb"
          aria-pressed={input === thumb}
          onClick={() => setThumb(receipt, input === thumb ? null : thumb)}
        >
          {label}
        </button>
      ))}
    </span>
  );
}

function Details({ assurance, turn: { answer } }: Pick<TurnProps, "assurance" | "turn">) {
  return (
    <details>
      <summary class="row small">Assurance and receipt</summary>
      <div class="folded stack-s">
        <p class="soft small">
          Verified: your browser recomputed this answer with the registered model and got the same result. A
          false answer would have been refused.
        </p>
        {assurance === null ? (
          <p class="soft small">Reading Ethereum's records of this model …</p>
        ) : (
          <AssuranceList assurance={assurance} />
        )}
        <dl class="facts small">
          <dt>Receipt</dt>
          <dd>
            <Identifier value={hex32(answer.receipt)} label="the receipt" />
          </dd>
          <dt>Answer's hash</dt>
          <dd>
            <Identifier value={hex32(answer.answerHash)} label="the answer's hash" />
          </dd>
          <dt>Query's commitment</dt>
          <dd>
            <Identifier value={hex32(answer.queryCommitment)} label="the query's commitment" />
          </dd>
        </dl>
        <p class="soft small">
          Your payment names the receipt, which commits to this answer, this query and your account alone. It
          can never pay other rows.
        </p>
      </div>
    </details>
  );
}
