/**
 * `openledger models settle`: prepares, proves and sends the settlement of a closed epoch, by draws, by row counts, or directly
 * on L1. Prints the division in OPEN.
 */
import type { SampledSettlement } from "@openledger/circuits/settlement/divide-epoch";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import {
  encodeSettlementBody,
  type ProvenSettlement,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import {
  type EpochFacts,
  type ProvableSettlement,
  prepareDefaultSplit,
  prepareSampled,
  readClosedEpoch,
} from "@openledger/models/settling/prepare-settlement";
import { signSettlement } from "@openledger/models/settling/sign-settlement";
import { payeeTableFor, settlementCircuitFor } from "@openledger/verifier/circuits/rollup-circuits";
import { type GlobalOptions, openReader, openSigner, signFor } from "../../cli/context.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import {
  openSettlementContext,
  proveWithOutput,
  type SettlementContext,
} from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";
import { type PublishedOptions, publishedAt, settleDirectly } from "./model-settle-direct.ts";

export interface SettleOptions extends CircuitOptions, PublishedOptions {
  epoch?: string;
  direct?: boolean;
  defaultSplit?: boolean;
  keys?: string;
}

/** Settles the epoch. Void draws need the model's consent, so its account. */
export async function settleModel({ options, args, output }: CommandContext<SettleOptions>): Promise<void> {
  const modelId = parseId(args[0]!);
  const epoch = options.epoch === undefined ? undefined : parseEpoch(options.epoch);
  const client = await openReader(options);
  const context = await openSettlementContext(options);
  if (options.direct === true) {
    await settleDirectly(modelId, context, options, output);
    return;
  }
  const facts = await readClosedEpoch(client, modelId, epoch);
  const sampled =
    options.defaultSplit === true
      ? null
      : await prepareByDraws(facts, context, options, (text) => output.progress(text));
  const { prepared, circuits } = sampled ?? prepareByRows(facts, context);
  const proved = await proveWithOutput(
    { prepared, circuits },
    {
      ...context,
      output,
      prover: options.prover,
      ...(options.keys === undefined ? {} : { keys: options.keys }),
    },
  );
  const settlement = await withConsent(facts, proved.settlement, prepared, options);
  const { status, batchNumber } = await sendSettlement(client, encodeSettlementBody(settlement));
  const { terms, earnedWei, data } = prepared;
  const lines = [
    `epoch ${facts.closed.epoch} of model ${modelId}, ${formatOpen(facts.closed.amountWei)} OPEN: ${status} in batch ${batchNumber}`,
    `rows ${formatOpen(sum(earnedWei))}, owner ${formatOpen(terms.ownerWei)}, treasury ${formatOpen(terms.treasuryWei)}, burned ${formatOpen(data.burnedWei)} OPEN`,
    `proven with ${circuits[0]!.name} in ${(proved.proveMs / 1000).toFixed(1)} s, witness ${(proved.witnessMs / 1000).toFixed(1)} s`,
  ];
  output.answer(lines, {
    modelId,
    epoch: Number(facts.closed.epoch),
    amountWei: facts.closed.amountWei,
    circuit: circuits[0]!.name,
    proofCount: circuits.length,
    draws: sampled?.prepared.draws.map(describeDraw) ?? null,
    earnedWei,
    ownerWei: terms.ownerWei,
    treasuryWei: terms.treasuryWei,
    burnedWei: data.burnedWei,
    proveMs: proved.proveMs,
    witnessMs: proved.witnessMs,
    status,
    batchNumber,
  });
}

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

const describeDraw = ({ paymentIndex, isValid }: SampledSettlement["draws"][number]) => ({
  paymentIndex,
  isValid,
});

function prepareByRows(facts: EpochFacts, { circuits }: SettlementContext): ProvableSettlement {
  return prepareDefaultSplit(facts, payeeTableFor(circuits, facts.leaf.payees));
}

async function prepareByDraws(
  facts: EpochFacts,
  { circuits }: SettlementContext,
  options: SettleOptions,
  onProgress: (text: string) => void,
): Promise<ProvableSettlement<SampledSettlement>> {
  const { model, openings } = await publishedAt(
    facts.leaf.id,
    Number(facts.closed.epoch),
    options,
    onProgress,
  );
  const settling = settlementCircuitFor(circuits, modelShape(model.statics, model.payees));
  return prepareSampled(facts, { model, openings, settling });
}

/** Void draws are settled only with the model's consent. @throws CMD_ACCOUNT_INVALID */
async function withConsent(
  { leaf }: EpochFacts,
  settlement: ProvenSettlement,
  { data }: PreparedSettlement,
  options: GlobalOptions,
): Promise<ProvenSettlement> {
  if (data.voidCount === 0) return settlement;
  return signSettlement(await signFor(await openSigner(options), leaf), leaf, settlement);
}
