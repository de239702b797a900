/**
 * Page "#/settlement/MODEL/EPOCH" of the explorer: how a settlement divided an epoch's payments (in wei), its draws, and a check
 * of its proof in the page.
 */
import { drawPoint } from "@openledger/circuits/settlement/settlement-split";
import {
  type EpochPayments,
  getModel,
  getPayments,
  getSettlement,
  isSettled,
} from "@openledger/client/sequencer/model-reads";
import type {
  LedgerModelLeaf,
  LedgerPayment,
  LedgerSettlement,
} from "@openledger/client/sequencer/model-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ComponentChildren } from "preact";
import { type Column, DataTable } from "../design/data-table.tsx";
import { FactList } from "../design/fact-list.tsx";
import { Identifier } from "../design/identifier.tsx";
import { MoneyPath } from "../design/money-path.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showCount, showParts } from "../words/format.ts";
import { answerHref, BatchLink, LeafLink, nameOfPayment, PaymentIdentity } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import { Answered } from "./answered.tsx";
import { SettlementCheck } from "./checks/settlement-check.tsx";
import { PayeeTable } from "./payee-table.tsx";

interface Settled {
  readonly settlement: LedgerSettlement;
  readonly model: LedgerModelLeaf;
  /** null for an activation, which divides nothing. */
  readonly payments: EpochPayments | null;
}

/** Division of an epoch's money: the draws, where each part went, and what each share earned. */
export function SettlementPage({ site, live, rest }: PageProps) {
  const modelId = Number(rest[0]);
  const epoch = Number(rest[1]);
  const isPossible = Number.isSafeInteger(modelId) && Number.isSafeInteger(epoch) && epoch >= 0;
  const answer = useAnswer<Settled | null>(live, `settlement ${modelId} ${epoch}`, async () => {
    if (!isPossible) return null;
    const model = await getModel(site.sequencer, modelId).catch((error: unknown) => {
      if (isRollupError(error, "CLI_LEAF_NOT_FOUND") || isRollupError(error, "OP_WRONG_LEAF_KIND"))
        return null;
      throw error;
    });
    if (model === null) return null;
    const settlement = isSettled(model, epoch) ? await getSettlement(site.sequencer, modelId, epoch) : null;
    if (settlement === null) return null;
    const payments = settlement.kind === "settle" ? await getPayments(site.sequencer, modelId, epoch) : null;
    return { settlement, model, payments };
  });
  const isActivation = answer.value?.settlement.kind === "activation";
  return (
    <>
      <div class="row">
        <h1>
          {isActivation ? "Activation" : `Epoch ${Number.isNaN(epoch) ? "?" : showCount(epoch)}`} of model{" "}
          {Number.isNaN(modelId) ? "?" : <LeafLink id={modelId} />}
        </h1>
        {answer.value != null && <StatusBadge status={answer.value.settlement.status} />}
      </div>
      <Answered answer={answer} none="This settlement does not exist yet.">
        {(settled) => (
          <>
            <Facts {...settled} />
            <SettlementCheck site={site} live={live} {...settled} />
            {settled.payments !== null && <Draws model={settled.model} payments={settled.payments} />}
            <Payees {...settled} />
          </>
        )}
      </Answered>
    </>
  );
}

function Facts({ settlement, payments }: Settled) {
  const { batchNumber, burnedWei, cap, circuit, earnedSumWei, l1TransactionHash, ownerWei, treasuryWei } =
    settlement;
  const parts = [
    { key: "rows", label: "the rows", wei: earnedSumWei ?? 0n },
    { key: "owner", label: "the model's owner", wei: ownerWei ?? 0n },
    { key: "treasury", label: "treasury", wei: treasuryWei ?? 0n },
    { key: "burned", label: "burned", wei: burnedWei ?? 0n },
  ];
  const written = showParts(parts.map(({ wei }) => wei));
  const isWhole = parts.reduce((sum, { wei }) => sum + wei, 0n) === payments?.amountWei;
  const open = (wei: bigint | undefined, shown: string | undefined) =>
    wei === undefined ? "–" : <Open wei={wei} shown={shown} />;
  const divided: [ComponentChildren, ComponentChildren][] =
    payments === null
      ? [["Maximum payments per epoch", cap === undefined ? "–" : showCount(cap)]]
      : [
          // With the digits of its parts, so that they add up to it.
          ["Paid in the epoch", open(payments.amountWei, isWhole ? written.sum : undefined)],
          ["To the rows", open(earnedSumWei, written.parts[0])],
          ["To the model's owner", open(ownerWei, written.parts[1])],
          [
            <>
              To the <Term name="treasury" />
            </>,
            open(treasuryWei, written.parts[2]),
          ],
          ["Burned, for receipts that nobody could open", open(burnedWei, written.parts[3])],
        ];
  const facts: [ComponentChildren, ComponentChildren][] = [
    ...divided,
    ["Circuit", circuit],
    ["Batch", <BatchLink key="batch" number={batchNumber} />],
    [
      "Ethereum transaction",
      l1TransactionHash === null ? (
        "not yet"
      ) : (
        <Identifier key="l1" value={l1TransactionHash} label="the transaction" />
      ),
    ],
  ];
  return (
    <section class="card stack">
      <h2>{payments === null ? "What was proven" : "Where the money went"}</h2>
      {payments !== null && (
        <MoneyPath
          title="Paid in the epoch"
          from="the epoch's payments"
          parts={parts}
          showParts={showParts}
          unit="OPEN"
        />
      )}
      <FactList facts={facts} />
      <details class="small soft">
        <summary>Technical details</summary>
        <FactList
          facts={["Commitment C", "Value y", "Challenge z"].map((name, i) => {
            const value = `0x${settlement.publicSignals[i]!.toString(16).padStart(64, "0")}`;
            return [name, <Identifier key={name} value={value} label={name} />];
          })}
        />
      </details>
      <p class="soft small">
        The contract verified the proof; you can verify it below. To recompute all scores from the model's
        files: <code>openledger verify settlement</code>.
      </p>
    </section>
  );
}

interface Drawn {
  readonly draw: number;
  readonly place: number;
  readonly payment: LedgerPayment;
}

/** Payments that the seed chose, computed here from the seed and the payments' running sums. */
function drawnPayments(model: LedgerModelLeaf, { amountWei, payments, seed }: EpochPayments): Drawn[] | null {
  if (seed == null || payments.length === 0) return null;
  const { drawCount } = model.model;
  return Array.from({ length: drawCount }, (_, draw) => {
    const point = drawPoint(seed, draw, drawCount, amountWei);
    const place = payments.findIndex(({ cumulativeWei }) => point < cumulativeWei);
    return { draw, place, payment: payments[place]! };
  });
}

const drawColumns = (modelId: number): readonly Column<Drawn>[] => [
  { label: "Draw", cell: ({ draw }) => draw + 1 },
  {
    label: "Payment",
    cell: ({ place, payment }) => (
      <span class="row">
        <a href={answerHref(nameOfPayment(payment, modelId))}>number {showCount(place + 1)}</a>
        <PaymentIdentity payment={payment} />
      </span>
    ),
  },
  { label: "Payer", cell: ({ payment }) => <LeafLink id={payment.payerId} /> },
  { label: "Paid, OPEN", isNumber: true, cell: ({ payment }) => <Open wei={payment.amountWei} isBare /> },
];

function Draws({ model, payments }: { model: LedgerModelLeaf; payments: EpochPayments }) {
  const drawn = drawnPayments(model, payments);
  return (
    <section class="card stack">
      <h2>
        <Term name="draw">Draws</Term>
      </h2>
      {drawn === null ? (
        <p class="soft">None. The epoch was divided by row counts.</p>
      ) : (
        <>
          <p class="soft">
            Ethereum's randomness chose these of {showCount(payments.paymentCount)}{" "}
            {payments.paymentCount === 1 ? "payment" : "payments"}. Computed here from the seed.
          </p>
          <DataTable
            caption="Draws"
            columns={drawColumns(model.id)}
            rows={drawn}
            keyOf={({ draw }) => draw}
            empty="There were none."
          />
        </>
      )}
    </section>
  );
}

function Payees({ settlement, model }: Settled) {
  const { earnedWei } = settlement;
  if (earnedWei === undefined) return null;
  const amountsWei = model.payees.map(({ index }) => earnedWei[index] ?? 0n);
  return (
    <section class="card stack">
      <h2>Who earned</h2>
      <PayeeTable payees={model.payees} earned={{ label: "Earned, OPEN", amountsWei }} />
    </section>
  );
}
