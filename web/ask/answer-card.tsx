import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import type { ComponentChildren } from "preact";
import { Badge } from "../design/badge.tsx";
import { Identifier } from "../design/identifier.tsx";
import { type Column, Table } from "../design/table.tsx";
import type { SaidWords } from "../said/read-words.ts";
import { Words } from "../said/said-words.tsx";
import { showOpen, showTime } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";

type Row = UncheckedAnswer["estimate"]["topRows"][number];

const PARTS = 1_000_000_000n;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
/** Of an amount; an estimate, so a billionth more or less does not matter. */
const partOf = (wei: bigint, share: number) => (wei * BigInt(Math.round(share * Number(PARTS)))) / PARTS;

interface AnswerCardProps {
  readonly answer: UncheckedAnswer;
  /** What the rows would divide. */
  readonly rewardWei: bigint;
  /** Of an answer that is no label. */
  readonly words: SaidWords | null;
  readonly children: ComponentChildren;
}

/** An answer that the page has checked, and whom it would pay. */
export function AnswerCard({ answer, words, rewardWei, children }: AnswerCardProps) {
  const { estimate, label } = answer;
  const columns: Column<Row>[] = [
    { label: "Row", cell: ({ row }) => row },
    { label: "Contributor", cell: ({ contributorId }) => <LeafLink id={contributorId} /> },
    { label: "Validator", cell: ({ validatorId }) => <LeafLink id={validatorId} /> },
    { label: "Share", isNumber: true, cell: ({ share }) => percent(share) },
    {
      label: "OPEN",
      isNumber: true,
      cell: ({ share }) => <span>≈ {showOpen(partOf(rewardWei, share))}</span>,
    },
  ];
  return (
    <section class="card stack" aria-label="Answer">
      <div class="row">
        <h2>{label ?? "The answer"}</h2>
        <span class="push" />
        <Badge tone="good">checked here</Badge>
      </div>
      <p class="soft small">
        Your browser has computed answer, query and receipt again, with the model that the ledger names. A
        false answer would have been refused.
      </p>
      {words !== null && <Words {...words} />}
      {children}
      <details>
        <summary class="row small">Its receipt</summary>
        <div class="folded stack-s">
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
            <dt>Good until</dt>
            <dd>{showTime(answer.expiresAtMs)}</dd>
          </dl>
          <p class="soft small">
            Your payment names the receipt. It opens to this answer, this query and your account, and to
            nothing else, so nobody can later let it pay other rows.
          </p>
        </div>
      </details>
      <h3>Whose rows made it</h3>
      <Table
        caption="The rows that helped most"
        columns={columns}
        rows={estimate.topRows.filter(({ share }) => share > 0)}
        keyOf={({ row }) => row}
        empty="No row stands out: all share alike."
      />
      <p class="soft small">
        An estimate by the model's server of how the rows would divide their {showOpen(rewardWei)} OPEN; the
        rest is the model's owner's and the treasury's. Payments are drawn at the end of an epoch; what a
        drawn one pays is proven then.
        {estimate.isEven && " No row has a positive score, so all rows share alike."}
      </p>
    </section>
  );
}
