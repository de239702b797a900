/**
 * Section "Who was paid" of an answer's page: how the payment was divided, from "not yet" to each row's amount in wei, computed in
 * the page from the model's published features.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import type { PaidOut } from "@openledger/models/settling/payment-status";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Column, DataTable } from "../design/data-table.tsx";
import { MoneyPath } from "../design/money-path.tsx";
import { Notice } from "../design/notice.tsx";
import { PayeeTable } from "../explorer/payee-table.tsx";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import type { PageProps } from "../ledger/page.ts";
import { showCount, showOpen, showParts } from "../words/format.ts";
import { leafLabel } from "../words/leaf-names.ts";
import { LeafLink, settlementHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { type Problem, ProblemNotice } from "../words/problem.tsx";
import { type PaidAnswer, type RowPayout, readRowPayout } from "./read-answer.ts";

/** Rows of the table, those with the largest amounts first. */
const ROWS_SHOWN = 20;

/** The payment's division: by its draws, by row counts, passed over by the draws, or not decided yet. */
export function WhoGotIt({ site, found }: Pick<PageProps, "site" | "live"> & { found: PaidAnswer }) {
  const { status } = found;
  const { draws, isByRowCounts, payment, settlement, stage } = status;
  const hits = draws?.hits.length ?? 0;
  const isPaidOut = settlement !== null && hits > 0;
  const rows = useRowPayout(site, found, isPaidOut);
  const paid = `${showOpen(payment.amountWei)} OPEN`;
  const section = (title: string, children: ComponentChildren) => (
    <section class="card stack" aria-label="Who was paid">
      <h2>{title}</h2>
      {children}
    </section>
  );
  if (stage === "epoch-open") {
    return section(
      `The ${paid} have not been divided yet`,
      <>
        <p>
          Its epoch is open. When it closes, Ethereum's randomness draws{" "}
          {showCount(found.leaf.model.drawCount)} of its payments; those share all of the epoch's money.
        </p>
        <PayeeTable payees={found.leaf.payees} />
      </>,
    );
  }
  if (settlement === null) {
    return section(
      `The ${paid} have not been divided yet`,
      <p>
        {stage === "epoch-closed"
          ? "Its epoch is closed. The draws come from a future Ethereum block: 128 blocks after the one that recorded the close."
          : "Its epoch is closed and the draws are fixed. The settlement follows."}
      </p>,
    );
  }
  if (isByRowCounts) {
    return section(
      "Divided by row counts",
      <p>
        The epoch was not settled by draws in time, so all rows got the same amount.{" "}
        <a href={settlementHref(status.modelId, status.epoch)}>Who got how much</a>
      </p>,
    );
  }
  if (draws === null) return section("Unknown", <p>This server does not say how the payment was drawn.</p>);
  if (hits === 0) {
    return section(
      "Not drawn",
      <p>
        None of the epoch's {showCount(draws.count)} draws selected this payment. The drawn payments shared
        the money of the whole epoch, including this {paid}. On average, rows get the same as without draws.{" "}
        <a href={settlementHref(status.modelId, status.epoch)}>
          See which payments were drawn and who got how much
        </a>
      </p>,
    );
  }
  const title = `Drawn by ${showCount(hits)} of ${showCount(draws.count)} draws`;
  return section(
    title,
    <>
      <p>
        The epoch's <Open wei={status.epochAmountWei} /> have {showCount(draws.count)} equal parts. Each draw
        divides one of them among the rows that made the drawn answer.
      </p>
      {rows === undefined && <p class="soft">Loading the rows from the model's server …</p>}
      {rows !== undefined && <Rows rows={rows} found={found} />}
    </>,
  );
}

/** Computes the rows paid: once, since a settlement does not change, but again as long as a server is away. */
function useRowPayout(
  site: PageProps["site"],
  found: PaidAnswer,
  isPaidOut: boolean,
): RowPayout | { readonly problem: Problem } | undefined {
  const [rows, setRows] = useState<RowPayout | { readonly problem: Problem } | undefined>(undefined);
  useEffect(() => {
    if (!isPaidOut) return;
    return askUntilAnswered(
      () => readRowPayout(site, found),
      (outcome) => setRows(outcome.state === "found" ? outcome.value : { problem: outcome.problem }),
    );
  }, [isPaidOut]);
  return rows;
}

const receiptArguments = ({ modelId, payment: { hash, receipt } }: PaidAnswer["status"]) =>
  BigInt(hash) === 0n ? `0x${receipt.toString(16)} --model ${modelId}` : hash;

function Rows({
  rows,
  found,
}: {
  readonly rows: RowPayout | { readonly problem: Problem };
  readonly found: PaidAnswer;
}) {
  if (rows !== null && "paid" in rows) return <PaidOutTo paid={rows.paid} />;
  const { payees } = found.leaf;
  const of = found.status.settlement?.earnedWei;
  const amountsWei = payees.map(({ index }) => of?.[index] ?? 0n);
  const earned = of === undefined ? undefined : { label: "Got of the epoch, OPEN", amountsWei };
  return (
    <>
      {rows !== null && <ProblemNotice problem={rows.problem} />}
      {rows === null && (
        <Notice tone="wait" title="No known server publishes the model.">
          <p>
            Which rows it paid follows from the model's published files. With these files, run{" "}
            <code>openledger receipt {receiptArguments(found.status)} --server URL</code>. Who got how much of
            the epoch is proven regardless:
          </p>
        </Notice>
      )}
      <PayeeTable payees={payees} earned={earned} />
    </>
  );
}

type Row = PaidOut["rows"][number] & { readonly shown: string };
const ROW_COLUMNS: readonly Column<Row>[] = [
  { label: "Row", cell: ({ row }) => showCount(rowNumber(row)) },
  { label: "Contributor", cell: ({ contributorId }) => <LeafLink id={contributorId} /> },
  { label: "Score", isNumber: true, cell: ({ score }) => showCount(score) },
  {
    label: "Got, OPEN",
    isNumber: true,
    cell: ({ earnedWei, shown }) => <Open wei={earnedWei} shown={shown} isBare />,
  },
];

function PaidOutTo({ paid }: { paid: PaidOut }) {
  const parts = [
    ...paid.contributors.map(({ earnedWei, leafId, rowCount }) => ({
      key: `leaf ${leafId}`,
      label: `${leafLabel(leafId, "account")}, ${showCount(rowCount)} ${rowCount === 1 ? "row" : "rows"}`,
      wei: earnedWei,
    })),
    { key: "owner", label: "the model's owner", wei: paid.ownerWei },
    { key: "treasury", label: "treasury", wei: paid.treasuryWei },
    { key: "burned", label: "burned", wei: paid.burnedWei },
  ];
  const written = showParts(paid.rows.map(({ earnedWei }) => earnedWei));
  const rows = paid.rows.map((row, i) => ({ ...row, shown: written.parts[i]! }));
  return (
    <>
      <MoneyPath
        title="Amount of its draws"
        from="its draws"
        parts={parts}
        showParts={showParts}
        unit="OPEN"
      />
      <h3>Rows that helped</h3>
      <DataTable
        caption="Rows that were paid, most first"
        columns={ROW_COLUMNS}
        rows={rows}
        maxRows={ROWS_SHOWN}
        more={(count) => `And ${showCount(count)} more that got less.`}
        keyOf={({ row }) => row}
        empty="None: the draw was void."
      />
      <p class="soft small">
        Computed here from the model's published features, the opened receipts and Ethereum's randomness. What
        each contributor and validator earned is the same as what was settled, to the wei. Which of their rows
        got it follows from the features, which <code>openledger verify model</code> checks. What a language
        model would have said without some rows shows <code>openledger rewards what-if</code>. A validator's
        part is listed with the contributor's.
      </p>
    </>
  );
}
