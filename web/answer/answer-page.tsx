/**
 * Page "#/answer/…" of one paid answer: its stage from payment to settlement, its text if this tab asked for it, who earned by
 * it, and links to the proof. Amounts are in OPEN.
 */
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import type { PaymentStage } from "@openledger/models/settling/payment-status";
import type { ComponentChildren, VNode } from "preact";
import { Badge, type Tone } from "../design/badge.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { Answered } from "../explorer/answered.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { Words } from "../spans/answer-words.tsx";
import { storedAnswer, textOf } from "../spans/read-words.ts";
import { showCount, showOpen } from "../words/format.ts";
import { BatchLink, LeafLink, OperationLink, PaymentIdentity, settlementHref } from "../words/links.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import { type FoundAnswer, type PaidAnswer, readAnswer } from "./read-answer.ts";
import { WhoGotIt } from "./who-got-it.tsx";

/** Badge of each stage. */
const STAGES: Readonly<Record<PaymentStage, { tone: Tone; text: string }>> = {
  "epoch-open": { tone: "plain", text: "its epoch is open" },
  "epoch-closed": { tone: "wait", text: "its epoch is closed" },
  "draws-fixed": { tone: "wait", text: "the draws are fixed" },
  settling: { tone: "wait", text: "being settled" },
  settled: { tone: "good", text: "settled" },
};

/** Page of a paid answer: which rows it paid, whose they are, how much each got, and where the proof is. */
export function AnswerPage({ site, live, rest }: PageProps): VNode {
  const info = live.info.value;
  const answer = useAnswer<FoundAnswer | null | undefined>(live, `${rest.join("/")} ${info === null}`, () =>
    info === null ? Promise.resolve(undefined) : readAnswer(site, info, rest),
  );
  const paid = answer.value?.kind === "paid" ? answer.value : null;
  return (
    <>
      <section class="stack">
        <div class="row">
          <h1>Where an answer's money goes</h1>
          {paid !== null && (
            <Badge tone={STAGES[paid.status.stage].tone}>{STAGES[paid.status.stage].text}</Badge>
          )}
        </div>
        <p class="lead">
          A customer pays for each answer. At the end of an <Term name="epoch" />, random{" "}
          <Term name="draw">draws</Term> select payments, and the <Term name="row">rows</Term> behind their
          answers share all of its money.
        </p>
      </section>
      <Answered
        answer={{ ...answer, value: answer.value as FoundAnswer | null }}
        none="No payment has this hash. Find an answer by the hash of its payment, or by #/answer/MODEL/RECEIPT."
      >
        {(found) =>
          found.kind === "paid" ? (
            <Paid site={site} live={live} found={found} />
          ) : (
            <NotPaid kind={found.kind} operation={found.operation} />
          )
        }
      </Answered>
    </>
  );
}

function Paid({ site, live, found }: Pick<PageProps, "site" | "live"> & { found: PaidAnswer }) {
  return (
    <>
      <section class="card stack">
        <h2>Progress</h2>
        <Timeline label="Progress of the payment" steps={stepsOf(found)} />
      </section>
      <AnswerText receipt={found.status.payment.receipt} />
      <WhoGotIt site={site} live={live} found={found} />
      <Facts found={found} />
    </>
  );
}

/** Text of the answer. Only the tab that asked for it has the text; the ledger has its hash. */
function AnswerText({ receipt }: { receipt: bigint }) {
  const served = storedAnswer(receipt);
  const text = served === null ? null : textOf(served);
  if (served === null || text === null) return null;
  return (
    <section class="card stack">
      <h2>Answer</h2>
      <Words served={served} text={text}>
        <blockquote class="said-text">{text}</blockquote>
      </Words>
    </section>
  );
}

function NotPaid({ kind, operation }: { kind: "unpaid" | "other"; operation: LedgerOperation }) {
  if (kind === "other") {
    return (
      <p>
        This operation pays for no answer. <OperationLink hash={operation.hash} label="See what it does" />
      </p>
    );
  }
  const isDropped = operation.status === "dropped";
  return (
    <Notice
      tone={isDropped ? "bad" : "wait"}
      title={
        isDropped ? "The payment was dropped. No money moved." : "The payment is waiting to be accepted."
      }
    >
      {operation.reason != null && <p>{operation.reason}</p>}
    </Notice>
  );
}

/** Stages in the order in which a payment passes them. */
const ORDER: readonly PaymentStage[] = ["epoch-open", "epoch-closed", "draws-fixed", "settling", "settled"];

function stepsOf({ status }: PaidAnswer): TimelineStep[] {
  const { isByRowCounts, operation, payment, closingBatch, settlement } = status;
  const at = ORDER.indexOf(status.stage);
  const step = (
    name: PaymentStage | "paid",
    position: number,
    label: ComponentChildren,
    note?: ComponentChildren,
  ): TimelineStep => ({
    name,
    label,
    state: position <= at ? "done" : position === at + 1 ? "current" : "ahead",
    note,
  });
  return [
    step(
      "paid",
      0,
      "Paid",
      <>
        batch <BatchLink number={payment.batchNumber} />, {operation.status}
      </>,
    ),
    step(
      "epoch-closed",
      1,
      <Term name="close (an epoch)">Epoch closed</Term>,
      closingBatch === null ? undefined : (
        <>
          batch <BatchLink number={closingBatch} />
        </>
      ),
    ),
    step("draws-fixed", 2, <Term name="draw">Drawn</Term>, isByRowCounts ? "by row counts" : undefined),
    step(
      "settling",
      3,
      <Term name="settlement">Settled</Term>,
      settlement === null ? undefined : (
        <>
          batch <BatchLink number={settlement.batchNumber} />
        </>
      ),
    ),
    step("settled", 4, "On Ethereum", settlement?.status === "final" ? "final" : undefined),
  ];
}

function Facts({ found: { status } }: { found: PaidAnswer }) {
  const { epoch, epochAmountWei, epochPaymentCount, index, modelId, operation, payment, settlement } = status;
  const transaction = (hash: string | null, label: string) =>
    hash === null ? "not yet" : <Identifier value={hash} label={label} />;
  const receipt = `0x${payment.receipt.toString(16).padStart(64, "0")}`;
  const facts: [ComponentChildren, ComponentChildren][] = [
    [
      "Payment",
      <span key="payment" class="row">
        <span class="push" />
        <PaymentIdentity payment={payment} label="the operation" />
      </span>,
    ],
    [
      <Term key="receipt" name="receipt (of an answer)">
        Receipt
      </Term>,
      <Identifier key="receipt=" value={receipt} label="the receipt" />,
    ],
    ["Paid by", <LeafLink key="payer" id={payment.payerId} />],
    ["Model", <LeafLink key="model" id={modelId} />],
    [
      "Position",
      `payment ${showCount(index + 1)} of ${showCount(epochPaymentCount)} in epoch ${showCount(epoch)}, ${showOpen(epochAmountWei)} OPEN together`,
    ],
    ["The payment's Ethereum transaction", transaction(operation.l1TransactionHash, "the transaction")],
    [
      "Settlement",
      settlement === null ? (
        "not yet"
      ) : (
        <span key="settlement" class="row">
          <span class="push" />
          <StatusBadge status={settlement.status} />
          <a href={settlementHref(modelId, epoch)}>its draws, its proof, and a check of both</a>
        </span>
      ),
    ],
    [
      "The settlement's Ethereum transaction",
      transaction(settlement?.l1TransactionHash ?? null, "the settlement's transaction"),
    ],
  ];
  return (
    <section class="card stack">
      <h2>Where the proof is</h2>
      <dl class="facts">
        {facts.flatMap(([label, value], i) => [<dt key={i}>{label}</dt>, <dd key={`${i}=`}>{value}</dd>])}
      </dl>
    </section>
  );
}
