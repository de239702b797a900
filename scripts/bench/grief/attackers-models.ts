/**
 * Models of an attacker's, as anybody may make them: each with a closed epoch of one payment, which nobody but the attacker can settle
 * by its draws, and which two weeks later anybody may settle by row counts. The attacker proves these settlements, and as many of epochs
 * that never were: L1 does not know the ledger's epochs. Nothing is pre-verified yet.
 */

import { DEFAULT_SPLIT_DELAY_SECONDS, RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import { type ModelBinding, packBinding } from "@openledger/circuits/ledger/leaf";
import { ownersCommitment, type Payee, packSplit, payeeRoot } from "@openledger/circuits/ledger/rewards";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { defaultSplit } from "@openledger/circuits/settlement/payee-table-rules";
import { encodeSettlement } from "@openledger/circuits/settlement/settlement-data";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type ContractProof, toContractProof } from "@openledger/circuits/wire/groth16-proof";
import {
  encodeSettlementBody,
  type ProvenSettlement,
  sendSettlement,
} from "@openledger/client/actions/l1/send-settlement";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel, createModel } from "@openledger/client/actions/ledger/model-operations";
import { payInference } from "@openledger/client/actions/ledger/pay-inference";
import { closeEpoch } from "@openledger/client/actions/ledger/reward-operations";
import { keyFromSecret } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { BuiltCircuit } from "@openledger/e2e/world/circuits";
import { proveActivation, proveTable, TABLE_INDEX } from "@openledger/e2e/world/model-circuits";
import type { World } from "@openledger/e2e/world/world";
import { STEP_TIMEOUT_MS } from "@openledger/e2e/world/world";
import { readClosedEpoch, settledModelOf } from "@openledger/models/settling/prepare-settlement";
import { signSettlement } from "@openledger/models/settling/sign-settlement";
import { createProver } from "@openledger/prover/backends";
import type { Prover } from "@openledger/prover/proving/prover";
import { bytesToHex, encodeFunctionData, type Hex, parseEther, toHex } from "viem";
import type { GriefOptions } from "./grief-result.ts";

export const SIZE: SettlementSize = { rows: 8, features: 4, payees: 4, payments: 4, draws: 2 };
/** The clocks of L1 and sequencer differ by seconds. */
const MARGIN_SECONDS = 120;
const SECRET = toHex(0xa77acn, { size: 32 });
const L1_OWNER = toHex(0xa77acn, { size: 20 });

/** A settlement with its proof, ready to be pre-verified. */
export interface PreVerifiable {
  readonly modelId: number;
  /** J: what its Settle record says. */
  readonly word: bigint;
  /** Input of the call that pre-verifies it. */
  readonly input: Hex;
  readonly proof: ContractProof;
  /** Of an epoch that the ledger has. */
  readonly isOfLedger: boolean;
}

/** Makes the models; L1's clock goes on by 15 days. @param table the circuit of payee tables */
export async function makePreVerifiables(
  world: World,
  table: BuiltCircuit,
  counts: { readonly models: number; readonly invented: number },
  { backend, progress }: Pick<GriefOptions, "backend" | "progress">,
): Promise<PreVerifiable[]> {
  const key = await keyFromSecret(SECRET);
  const { l1 } = world;
  const leafId = await world.openAccount({ keyX: key.keyX, l1Owner: L1_OWNER });
  const client = await createLedgerClient({
    sequencerUrl: world.sequencerUrl,
    rpcUrl: l1.url,
    rollupAddress: l1.deployment.rollupAddress,
    l2Key: key,
    leafId,
  });
  const prover = await createProver(backend);
  try {
    const modelIds = await openModels(world, client, counts.models, { prover, table, progress });
    progress("each takes a payment of one wei, and closes its epoch");
    for (const modelId of modelIds) {
      const payment = { modelId, amountWei: 1n, receipt: BigInt(modelId) };
      const { hash } = await world.patiently(() => payInference(client, payment));
      await waitFor(client, { hash }, "acknowledged");
    }
    await world.allPosted();
    for (const modelId of modelIds) await world.patiently(() => closeEpoch(client, { modelId }));
    await world.allPosted();
    await recordRandomness(world, client, modelIds);
    progress("two weeks pass on L1; the attacker proves the settlements that he will pre-verify");
    await world.passTime(DEFAULT_SPLIT_DELAY_SECONDS + MARGIN_SECONDS);
    return await provePreVerifiables(world, client, { modelIds, prover, table, invented: counts.invented });
  } finally {
    await prover.close();
  }
}

type Step = { readonly prover: Prover; readonly table: BuiltCircuit } & Pick<GriefOptions, "progress">;

/** A Datanet of the attacker's own, and models of its version, approved and with their activations. */
async function openModels(
  world: World,
  client: LedgerClient,
  count: number,
  { progress, prover, table }: Step,
): Promise<number[]> {
  const account = client.leafId!;
  const ownedBy = { l1Owner: L1_OWNER, keyX: client.l2Key!.keyX };
  const created = async ({ hash }: { hash: Hex }) =>
    (await waitFor(client, { hash }, "acknowledged")).operation!.createdId!;
  progress(`the attacker makes a Datanet and ${count} models`);
  const datanetId = await created(
    await world.patiently(() => createDatanet(client, { ...ownedBy, amountWei: parseEther("10") })),
  );
  const payees: Payee[] = [
    { contributorId: account, validatorId: account, rowCount: SIZE.rows / 2 },
    { contributorId: account, validatorId: datanetId, rowCount: SIZE.rows / 2 },
  ];
  const commitments = {
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
  };
  const version = { ...commitments, rowsRoot: 7n, rowCount: SIZE.rows };
  await world.patiently(() => publishVersion(client, { datanetId, version }));
  const binding: ModelBinding = {
    datanetId: BigInt(datanetId),
    version: 1n,
    rowCount: BigInt(SIZE.rows),
    predecessorId: 0n,
    drawBits: BigInt(Math.log2(SIZE.draws)),
    featureCount: BigInt(SIZE.features),
    furtherDatanets: [],
  };
  const split = { ownerParts: 6_554n, validatorParts: 16_384n };
  const statics = { ...commitments, featuresCommitment: 1n };
  const modelIds: number[] = [];
  for (let i = 0; i < count; i++) {
    const terms = { ...statics, binding, split, priceWei: 1n, amountWei: parseEther("10") };
    modelIds.push(await created(await world.patiently(() => createModel(client, { ...ownedBy, ...terms }))));
  }
  await world.allPosted();
  progress("a day passes on L1; the Datanet approves them, and their activations are proven");
  await world.passTime(APPROVAL_DELAY_SECONDS + MARGIN_SECONDS);
  const signed = { ...statics, binding: packBinding(binding), split: packSplit(split) };
  const settlements: ProvenSettlement[] = [];
  for (const modelId of modelIds) {
    const model = { modelId, statics: signed, payees };
    const proven = await proveActivation(world, model, SIZE, { prover, table });
    settlements.push(signSettlement(client, await getModel(client, modelId), proven));
  }
  for (const settlement of settlements) {
    const approval = { datanetId, modelId: settlement.modelId, statics: signed };
    await world.patiently(() => approveModel(client, approval));
    await world.patiently(() => sendSettlement(client, encodeSettlementBody(settlement)));
  }
  await world.allPosted();
  return modelIds;
}

async function provePreVerifiables(
  world: World,
  client: LedgerClient,
  { invented, modelIds, prover, table }: Omit<Step, "progress"> & { modelIds: number[]; invented: number },
): Promise<PreVerifiable[]> {
  const preVerifiables: PreVerifiable[] = [];
  for (let i = 0; i < modelIds.length + invented; i++) {
    const isOfLedger = i < modelIds.length;
    const modelId = modelIds[i % modelIds.length]!;
    const { leaf, closed } = await readClosedEpoch(client, modelId);
    const epoch = isOfLedger ? closed : { ...closed, chain: closed.chain + BigInt(i) };
    const prepared = defaultSplit(settledModelOf(leaf), epoch, SIZE.payees);
    const proven = await proveTable(world, prepared, { prover, table });
    const proof = toContractProof(proven.proof);
    const word = prepared.data.settlementHash;
    const { commitment } = proven.statement;
    const settlement = {
      circuit: TABLE_INDEX,
      commitment,
      data: bytesToHex(encodeSettlement(prepared.data)),
    };
    const args = [modelId, word, [settlement], [proof]] as const;
    const input = encodeFunctionData({ abi: rollupAbi, functionName: "preVerifySettlement", args });
    preVerifiables.push({ modelId, word, input, proof, isOfLedger });
  }
  return preVerifiables;
}

/** The bridge records it once its block is final, so that this is over before anything is measured. */
async function recordRandomness(
  world: World,
  client: LedgerClient,
  modelIds: readonly number[],
): Promise<void> {
  await world.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + world.finalityDepthBlocks + 1 });
  const isThere = async () => {
    const models = await Promise.all(modelIds.map((modelId) => getModel(client, modelId)));
    return models.every(({ closedEpoch }) => closedEpoch !== null && closedEpoch.prevRandao !== null);
  };
  await world.waitFor("the randomness of the CloseEpochs", isThere, STEP_TIMEOUT_MS);
}
