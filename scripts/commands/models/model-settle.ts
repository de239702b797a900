/**
 * `openledger models settle`: prepares, proves and sends the settlement of a closed epoch, by draws, by row counts, or directly
 * on L1. Prints the division in OPEN.
 */
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { settleEpoch } from "@openledger/models/settling/settle-epoch";
import { openReader, openSigner, signFor } from "../../cli/context.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { openSettlementContext, proveWithOutput } from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";
import { type PublishedOptions, publishedAt, settleDirectly } from "./model-settle-direct.ts";

export interface SettleOptions extends CircuitOptions, PublishedOptions {
  epoch?: string;
  direct?: boolean;
  defaultSplit?: boolean;
  consentToVoids?: boolean;
  keys?: string;
}

/** Settles the epoch. */
export async function settleModel({ options, args, output }: CommandContext<SettleOptions>): Promise<void> {
  const modelId = parseId(args[0]!);
  const epoch = options.epoch === undefined ? undefined : parseEpoch(options.epoch);
  const client = await openReader(options);
  const context = await openSettlementContext(options);
  if (options.direct === true) {
    await settleDirectly(modelId, context, options, output);
    return;
  }
  const progress = (text: string) => output.progress(text);
  const {
    prepared: ready,
    proved,
    settlement,
  } = await settleEpoch(client, {
    ...{ modelId, circuits: context.circuits },
    ...(epoch === undefined ? {} : { epoch }),
    division:
      options.defaultSplit === true
        ? { by: "rows" }
        : { by: "draws", published: (of) => publishedAt(modelId, of, options, progress) },
    consentsToVoids: options.consentToVoids === true,
    // Void draws need the model's consent, so its account.
    signer: async (leaf) => signFor(await openSigner(options), leaf),
    prove: (provable) =>
      proveWithOutput(provable, {
        ...context,
        output,
        prover: options.prover,
        ...(options.keys === undefined ? {} : { keys: options.keys }),
      }),
  });
  const { circuits, facts, prepared } = ready;
  const { status, batchNumber } = settlement;
  const { proveMs, witnessMs } = proved!;
  const { terms, earnedWei, data } = prepared;
  const lines = [
    `epoch ${facts.closed.epoch} of model ${modelId}, ${formatOpen(facts.closed.amountWei)} OPEN: ${status} in batch ${batchNumber}`,
    `rows ${formatOpen(sum(earnedWei))}, owner ${formatOpen(terms.ownerWei)}, treasury ${formatOpen(terms.treasuryWei)}, burned ${formatOpen(data.burnedWei)} OPEN`,
    `proven with ${circuits[0]!.name} in ${(proveMs / 1000).toFixed(1)} s, witness ${(witnessMs / 1000).toFixed(1)} s`,
  ];
  output.answer(lines, {
    modelId,
    epoch: Number(facts.closed.epoch),
    amountWei: facts.closed.amountWei,
    circuit: circuits[0]!.name,
    proofCount: circuits.length,
    draws: "draws" in prepared ? prepared.draws.map(describeDraw) : null,
    earnedWei,
    ownerWei: terms.ownerWei,
    treasuryWei: terms.treasuryWei,
    burnedWei: data.burnedWei,
    proveMs,
    witnessMs,
    status,
    batchNumber,
  });
}

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

const describeDraw = ({ paymentIndex, isValid }: SampledSettlement["draws"][number]) => ({
  paymentIndex,
  isValid,
});
