/** `openledger fees`: prices of operations in OPEN, and the operator's income and costs, as the sequencer reports them. */
import { estimateFees, getOperatorResult, WHO_PAYS } from "@openledger/client/sequencer/fees";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { FeeEstimates, OperatorResult } from "@openledger/client/sequencer/sequencer-schemas";
import { openReader } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";

export const addFeesCommand = command({
  usage: "fees",
  about:
    "price of each operation, now and in the next batch, whose fee is fixed already; the operator's revenue and costs over the last batches on L1",
  examples: ["fees", "fees --json"],
  run: async ({ options, output }) => {
    const client = await openReader(options);
    const [fees, operator] = await Promise.all([estimateFees(client), getOperatorResult(client)]);
    output.answer([...describeFees(fees), ...describeResult(operator)], { ...fees, operator });
  },
});

function describeFees(fees: FeeEstimates): string[] {
  const { basis } = fees;
  const goesTo =
    basis === null
      ? "the fee stays: no price is known now"
      : `the fee goes to ${formatOpen(basis.aimWei)} OPEN a unit, by at most ${fees.stepPerMille / 10} % a batch`;
  const kinds = Object.entries(fees.operations).map(([kind, { feeWei, nextFeeWei, weight }]) => [
    kind,
    String(weight),
    formatOpen(feeWei),
    formatOpen(nextFeeWei),
  ]);
  return [
    ...renderTable([["operation", "units", "OPEN now", "in the next batch"], ...kinds]),
    fees.mode === "constant" ? "the fee is a constant" : goesTo,
    WHO_PAYS,
  ];
}

function describeResult(operator: OperatorResult): string[] {
  const { batchCount, firstBatch, incomeWei, l1CostEtherWei, lastBatch, proofCostWei, resultWei } = operator;
  if (batchCount === 0) return ["no batch of this operator is on L1 yet"];
  const unpriced =
    operator.unpricedCount === 0 ? "" : `, and ${operator.unpricedCount} transactions of an unknown price`;
  return renderTable([
    ["batches", `${firstBatch} to ${lastBatch}`],
    ["fees", `${formatOpen(incomeWei)} OPEN`],
    ["L1", `${formatOpen(l1CostEtherWei)} ETH for ${operator.gasUsed} gas${unpriced}`],
    ["proofs", `${formatOpen(proofCostWei)} OPEN`],
    [
      "result",
      resultWei === null
        ? "unknown: set SEQUENCER_FEE_OPEN_PER_ETHER, what an ether is worth in OPEN"
        : `${resultWei < 0n ? "-" : ""}${formatOpen(resultWei < 0n ? -resultWei : resultWei)} OPEN`,
    ],
  ]);
}
