import { toHex32 } from "../../client/hex.ts";
import { formatOpen } from "../../client/open-amount.ts";
import { openReader } from "./context.ts";
import { renderTable } from "./output.ts";
import { parseEpoch, parseId } from "./parse-id.ts";
import type { CommandContext } from "./run-command.ts";
import { type CheckOptions, checkSettlement } from "./settlement-check.ts";

export async function recomputeSettlement({
  options,
  args,
  output,
}: CommandContext<CheckOptions>): Promise<void> {
  const wanted = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
  const client = await openReader(options);
  const verified = await checkSettlement(client, wanted, options, output);
  const { leaf, payments, sampled, settlement } = verified;
  const lines = [
    `the settlement of epoch ${wanted.epoch} of model ${wanted.modelId} is right: payments, randomness, draws, scores, totals and proof`,
    `${settlement.circuit}, L1 transaction ${settlement.l1TransactionHash}, ${formatOpen(payments.at(-1)?.cumulativeWei ?? 0n)} OPEN of ${payments.length} payments`,
    ...renderTable([
      ["draw", "payment", "payer", "receipt", ""],
      ...sampled.draws.map(({ paymentIndex, isValid }, k) => [
        String(k),
        String(paymentIndex),
        `leaf ${payments[paymentIndex]!.payerId}`,
        toHex32(payments[paymentIndex]!.receipt),
        isValid ? "opened" : "void: burned",
      ]),
    ]),
    ...renderTable([
      ["slot", "contributor", "validator", "rows", "earned (OPEN)"],
      ...leaf.slots.map((slot) => [
        String(slot.index),
        `leaf ${slot.contributorId}`,
        `leaf ${slot.validatorId}`,
        String(slot.rowCount),
        formatOpen(sampled.earnedWei[slot.index]!),
      ]),
    ]),
    `owner ${formatOpen(sampled.terms.ownerWei)}, treasury ${formatOpen(sampled.terms.treasuryWei)}, burned ${formatOpen(sampled.data.burnedWei)} OPEN`,
  ];
  output.answer(lines, {
    ...wanted,
    circuit: settlement.circuit,
    l1TransactionHash: settlement.l1TransactionHash,
    seed: toHex32(sampled.data.seed),
    draws: sampled.draws.map(({ paymentIndex, isValid, isEven }) => ({ paymentIndex, isValid, isEven })),
    earnedWei: sampled.earnedWei,
    ownerWei: sampled.terms.ownerWei,
    treasuryWei: sampled.terms.treasuryWei,
    burnedWei: sampled.data.burnedWei,
  });
}
