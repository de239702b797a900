import type { Command } from "commander";
import type { PreparedSettlement } from "../../circuits/settled-model.ts";
import type { SampledSettlement } from "../../circuits/settlement-model.ts";
import { getOperation } from "../../client/ledger-reads.ts";
import { getModel } from "../../client/model-reads.ts";
import { formatOpen } from "../../client/open-amount.ts";
import { seal } from "../../client/seal.ts";
import { encodeSettlementBody, type ProvenSettlement, sendSettlement } from "../../client/send-settlement.ts";
import {
  type EpochFacts,
  prepareDefaultSplit,
  prepareSampled,
  readSealedEpoch,
} from "../settlement/prepare-settlement.ts";
import { type RollupCircuit, settlementCircuitFor, slotTableFor } from "../settlement/rollup-circuits.ts";
import { signVoids } from "../settlement/sign-voids.ts";
import { accountOf, type GlobalOptions, openReader, openSigner, signFor } from "./context.ts";
import { fetchPublished, type PublishedOptions, settleDirectly } from "./model-settle-direct.ts";
import { parseEpoch, parseId } from "./parse-id.ts";
import { onRun, waitWithProgress, withExample, withWait } from "./run-command.ts";
import {
  CIRCUITS_OPTION,
  type CircuitOptions,
  openSettlementContext,
  PROVER_OPTION,
  proveWithOutput,
  type SettlementContext,
} from "./settlement-context.ts";

export function addModelSealCommand(parent: Command): void {
  const command = parent
    .command("seal <model>")
    .description("close the open epoch, so that it can be settled; after 24 hours anyone may")
    .option("--as-account", "as the account and not as the model: needs an epoch of at least 24 hours");
  withWait(command, "acknowledged");
  withExample(command, "model seal 15 --account mia", "model seal 15 --as-account --account bob");
  onRun<{ asAccount?: boolean; wait: string }>(command, async ({ options, args, output }) => {
    const modelId = parseId(args[0]!);
    const signer = await openSigner(options);
    const model = await getModel(signer.client, modelId);
    const leaf =
      options.asAccount === true ? await accountOf(signer.client, signer.account.l1.address) : model;
    const client = await signFor(signer, leaf);
    const sent = await seal(client, { modelId, from: leaf.id });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const operation = await getOperation(client, sent.hash);
    const { epoch, paymentCount } = model.counters;
    const lines = [
      `epoch ${epoch} of model ${modelId} is sealed with ${paymentCount} payments of ${formatOpen(model.openAmountWei)} OPEN: ${stage}`,
      `operation ${sent.hash}; its draws are fixed by the L1 block 128 after the one that takes batch ${operation?.batchNumber ?? "?"}`,
    ];
    output.answer(lines, { ...sent, modelId, epoch, amountWei: model.openAmountWei, stage, batchNumber });
  });
}

interface SettleOptions extends CircuitOptions, PublishedOptions {
  epoch?: string;
  direct?: boolean;
  defaultSplit?: boolean;
}

export function addModelSettleCommand(parent: Command): void {
  const command = parent
    .command("settle <model>")
    .description("draw payments of the sealed epoch, prove whom they pay, and hand the proof in; anyone may")
    .option("--epoch <number>", "default: the one that waits")
    .option("--server <url>", "where the model is served, for its openings; default: what this machine knows")
    .option("--folder <folder>", "your copy of the model; by default it is fetched from the server")
    .option("--default-split", "by row counts, without openings: from 14 days after the seal on")
    .option("--direct", "to L1 and not to the sequencer: from 3 days after the seal on; needs --account")
    .option(...CIRCUITS_OPTION)
    .option(...PROVER_OPTION);
  withExample(
    command,
    "model settle 15",
    "model settle 15 --direct --account bob",
    "model settle 15 --default-split",
  );
  onRun<SettleOptions>(command, async ({ options, args, output }) => {
    const modelId = parseId(args[0]!);
    const epoch = options.epoch === undefined ? undefined : parseEpoch(options.epoch);
    const client = await openReader(options);
    const context = await openSettlementContext(options);
    if (options.direct === true) {
      await settleDirectly(modelId, context, options, output);
      return;
    }
    const facts = await readSealedEpoch(client, modelId, epoch);
    const { prepared, circuit } =
      options.defaultSplit === true
        ? prepareByRows(facts, context)
        : await prepareByDraws(facts, context, options, (text) => output.progress(text));
    const proved = await proveWithOutput(prepared, circuit, { ...context, output, prover: options.prover });
    const settlement = await withConsent(facts, proved.settlement, prepared, options);
    const { status, batchNumber } = await sendSettlement(client, encodeSettlementBody(settlement));
    const { terms, earnedWei, data } = prepared;
    const lines = [
      `epoch ${facts.sealed.epoch} of model ${modelId}, ${formatOpen(facts.sealed.amountWei)} OPEN: ${status} in batch ${batchNumber}`,
      `rows ${formatOpen(sum(earnedWei))}, owner ${formatOpen(terms.ownerWei)}, treasury ${formatOpen(terms.treasuryWei)}, burned ${formatOpen(data.burnedWei)} OPEN`,
      `proven with ${circuit.name} in ${(proved.proveMs / 1000).toFixed(1)} s, witness ${(proved.witnessMs / 1000).toFixed(1)} s`,
    ];
    output.answer(lines, {
      modelId,
      epoch: Number(facts.sealed.epoch),
      amountWei: facts.sealed.amountWei,
      circuit: circuit.name,
      draws: "draws" in prepared ? prepared.draws.map(describeDraw) : null,
      earnedWei,
      ownerWei: terms.ownerWei,
      treasuryWei: terms.treasuryWei,
      burnedWei: data.burnedWei,
      proveMs: proved.proveMs,
      witnessMs: proved.witnessMs,
      status,
      batchNumber,
    });
  });
}

const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

const describeDraw = ({ paymentIndex, isValid }: SampledSettlement["draws"][number]) => ({
  paymentIndex,
  isValid,
});

interface Prepared {
  readonly prepared: PreparedSettlement | SampledSettlement;
  readonly circuit: RollupCircuit;
}

function prepareByRows(facts: EpochFacts, { circuits }: SettlementContext): Prepared {
  const circuit = slotTableFor(circuits, facts.leaf.slots.length);
  return { prepared: prepareDefaultSplit(facts, circuit), circuit };
}

async function prepareByDraws(
  facts: EpochFacts,
  { circuits }: SettlementContext,
  options: SettleOptions,
  onProgress: (text: string) => void,
): Promise<Prepared> {
  const { model, openings } = await fetchPublished(
    facts.leaf.id,
    Number(facts.sealed.epoch),
    options,
    onProgress,
  );
  const circuit = settlementCircuitFor(circuits, {
    rowCount: model.features.rowCount,
    slotCount: model.slots.length,
    columnCount: model.features.featureCount,
  });
  return { prepared: prepareSampled(facts, { model, openings, circuit }), circuit };
}

/** Void draws are settled only with the model's consent. @throws CMD_NO_ACCOUNT */
async function withConsent(
  { leaf }: EpochFacts,
  settlement: ProvenSettlement,
  { data }: PreparedSettlement,
  options: GlobalOptions,
): Promise<ProvenSettlement> {
  if (data.voidCount === 0) return settlement;
  return signVoids(await signFor(await openSigner(options), leaf), leaf, settlement);
}
