import { estimateFees, getOperatorResult, WHO_PAYS } from "@openledger/client/sequencer/fees";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { FeeEstimates, OperatorResult } from "@openledger/client/sequencer/sequencer-schemas";
import type { Command } from "commander";
import { openReader } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

export function addFeesCommand(program: Command): void {
  const command = program
    .command("fees")
    .description("price of each operation, now and in the next batch, whose fee is fixed already");
  withExample(command, "fees", "fees --json");
  onRun(command, async ({ options, output }) => {
    const fees = await estimateFees(await openReader(options));
    output.answer(describeFees(fees), fees);
  });
}

/** `openledger operator profit`. */
export function addProfitCommand(operator: Command): void {
  const command = operator
    .command("profit")
    .description("show the operator's revenue and costs over the last batches on L1");
  withExample(command, "operator profit", "operator profit --json");
  onRun(command, async ({ options, output }) => {
    const account = await getOperatorResult(await openReader(options));
    output.answer(describeAccount(account), account);
  });
}

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

function describeAccount(account: OperatorResult): string[] {
  const { batchCount, firstBatch, incomeWei, l1CostEtherWei, lastBatch, proofCostWei, resultWei } = account;
  if (batchCount === 0) return ["no batch of this operator is on L1 yet"];
  const unpriced =
    account.unpricedCount === 0 ? "" : `, and ${account.unpricedCount} transactions of an unknown price`;
  return renderTable([
    ["batches", `${firstBatch} to ${lastBatch}`],
    ["fees", `${formatOpen(incomeWei)} OPEN`],
    ["L1", `${formatOpen(l1CostEtherWei)} ETH for ${account.gasUsed} gas${unpriced}`],
    ["proofs", `${formatOpen(proofCostWei)} OPEN`],
    [
      "result",
      resultWei === null
        ? "unknown: set SEQUENCER_FEE_OPEN_PER_ETHER, what an ether is worth in OPEN"
        : `${resultWei < 0n ? "-" : ""}${formatOpen(resultWei < 0n ? -resultWei : resultWei)} OPEN`,
    ],
  ]);
}
