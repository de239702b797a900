/**
 * A model and its epochs, step by step through the API, for tests. Its settlements have proofs of known trapdoors, so
 * that no circuit is needed: what the sequencer refuses, it refuses on its own.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { settlementMessage } from "@openledger/circuits/batch/settlement-operation";
import { hashStatics, type ModelStatics, packBinding } from "@openledger/circuits/ledger/leaf";
import { leafReference } from "@openledger/circuits/ledger/operation";
import { cutPayees, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import {
  accruedRoot,
  closedHash,
  ownersCommitment,
  type Payee,
  packSplit,
  payeeRoot,
  settlementHash,
  unpackSplit,
} from "@openledger/circuits/ledger/rewards";
import { FIELD_ORDER, KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { entrySignals } from "@openledger/circuits/registry/settlement-statement";
import { activationOf, defaultSplit } from "@openledger/circuits/settlement/payee-table-rules";
import { encodeEntries, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { drawSeed, drawShares, sampledPayout } from "@openledger/circuits/settlement/settlement-split";
import { signMessage } from "@openledger/circuits/testing/known-signers";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { simulateCircuit } from "@openledger/contracts/testing/test-prover";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import {
  type Answer,
  ONE_OPEN_CODE,
  operationJson,
  signedBy,
  TEST_DOMAIN,
  type TestUser,
  testDeployment,
} from "./test-rollup.ts";

/** One request: the answer's body, also of a refusal. Without a payload it is a GET. */
export type Call = (path: string, payload?: object) => Promise<Answer>;

const CIRCUITS = [
  { name: "settlement-16-16-16-8-4", sort: 1, size0: 8, size1: 16 },
  { name: "payee-table-16", sort: 2, size0: 0, size1: 16 },
  // Fewer rows than the test's model has.
  { name: "settlement-8-16-16-9-4", sort: 1, size0: 9, size1: 16 },
  // More draws, and fewer features, than it was created for.
  { name: "settlement-16-16-16-8-8", sort: 1, size0: 8, size1: 16 },
  { name: "settlement-16-8-16-8-4", sort: 1, size0: 8, size1: 16 },
  // Circuits of a model of two shards, and two that are for others.
  { name: "sharded-8-3-16-4", sort: 4, size0: 8, size1: 3 },
  { name: "shard-8-16-16-4", sort: 5, size0: 0, size1: 16 },
  { name: "shard-4-16-16-4", sort: 5, size0: 0, size1: 16 },
  { name: "sharded-8-3-8-4", sort: 4, size0: 8, size1: 3 },
] as const;
export const SMALL_SETTLEMENT_INDEX = 3;
export const OTHER_DRAWS_INDEX = 4;
export const OTHER_FEATURES_INDEX = 5;
const SETTLEMENT_INDEX = 1;
const SHARDED_INDEX = 6;
export const OTHER_SHARDED_INDEX = 9;
export const PAYEE_TABLE_INDEX = 2;
const DRAWS = 4;
export const PREV_RANDAO = 0x1234_5678n;

/** The test deployment with two circuits for settlements, whose keys lie in a folder. */
export async function settlementDeployment(folder: string) {
  const deployment = await testDeployment();
  const simulated = CIRCUITS.map((circuit) => simulateCircuit(circuit));
  const circuits = CIRCUITS.map(({ name, ...sizes }: { name: string } & CircuitSizes, i) => {
    const verificationKeyPath = join(folder, `${name}.json`);
    const key = verifierKey({ ...simulated[i]!, index: i });
    writeFileSync(verificationKeyPath, JSON.stringify(toSnarkjsKey(key)));
    return {
      ...deployment.circuits[0]!,
      tableSizes: 0n,
      name,
      ...sizes,
      circuitId: simulated[i]!.circuitId,
      verificationKeyPath,
    };
  });
  return {
    deployment: { ...deployment, circuits: [...deployment.circuits, ...circuits] } satisfies Deployment,
    circuits: {
      settlement: simulated[0]!,
      payeeTable: simulated[1]!,
      otherDraws: simulated[3]!,
      otherFeatures: simulated[4]!,
      sharded: simulated[5]!,
      shard: simulated[6]!,
      smallShard: simulated[7]!,
      otherSharded: simulated[8]!,
    },
  };
}
export type TestCircuits = Awaited<ReturnType<typeof settlementDeployment>>["circuits"];

const PLACE_OF: Record<keyof TestCircuits, number> = {
  settlement: 0,
  payeeTable: 1,
  otherDraws: 3,
  otherFeatures: 4,
  sharded: 5,
  shard: 6,
  smallShard: 7,
  otherSharded: 8,
};

/** Body of POST /v1/settlements. @param sorts of the circuit of each entry, the last of all that follow */
export function settlementJson(
  data: SettlementData,
  sorts: keyof TestCircuits | readonly (keyof TestCircuits)[],
  circuits: TestCircuits,
  commitment = 77n,
) {
  const wires = encodeEntries(data);
  const input = [sorts].flat();
  const sortOf = (i: number) => input[i] ?? input.at(-1)!;
  const named = wires.map((_, i) => ({ circuitId: circuits[sortOf(i)].circuitId, commitment }));
  const [first, ...further] = entrySignals(data, named).map((signals, i) => {
    const { a, b, c } = circuits[sortOf(i)].forge(signals);
    return {
      circuit: CIRCUITS[PLACE_OF[sortOf(i)]]!.name,
      data: `0x${Buffer.from(wires[i]!).toString("hex")}`,
      publicSignals: signals.map(hex32),
      proof: { a: a.map(hex32), b: fromContractOrder(b).map((pair) => pair.map(hex32)), c: c.map(hex32) },
    };
  });
  return {
    kind: data.isActivation ? "activation" : "settle",
    modelId: data.modelId,
    settlementHash: hex32(data.settlementHash),
    ...first!,
    ...(further.length > 0 && { further }),
  };
}

export interface TestModel {
  readonly owner: TestUser;
  readonly datanetId: number;
  readonly modelId: number;
  readonly payees: readonly Payee[];
  readonly statics: ModelStatics;
}

/** Payees: the owner alone. With two shards the owner is in both, since the first has room for five rows. */
const payeesOf = ({ id }: TestUser, shardCount: number): Payee[] =>
  cutPayees([{ contributorId: id, validatorId: id, rowCount: 9 }], {
    rows: shardCount === 1 ? 9 : 5,
    payees: 16,
  });

function staticsOf(payees: readonly Payee[], datanetId: number): ModelStatics {
  return {
    featuresCommitment: 1n,
    ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
    payeeRoot: payeeRoot(payees),
    binding: packBinding({
      datanetId: BigInt(datanetId),
      version: 1n,
      rowCount: 9n,
      predecessorId: 0n,
      drawBits: 2n,
      featureCount: 16n,
    }),
    split: packSplit({ ownerParts: 6_554n, validatorParts: 16_384n }),
  };
}

/** Finds a user's model through the API. */
export async function findModel(call: Call, owner: TestUser, shardCount = 1): Promise<Partial<TestModel>> {
  const leaves: Answer[] = (await call(`/v1/leaves?owner=${hex20(owner.l1Owner)}`)) ?? [];
  const idOf = (kind: string) => leaves.find((leaf) => leaf.kind === kind)?.id;
  const datanetId = idOf("datanet");
  const payees = payeesOf(owner, shardCount);
  return {
    owner,
    payees,
    datanetId,
    modelId: idOf("model"),
    ...(datanetId === undefined ? {} : { statics: staticsOf(payees, datanetId) }),
  };
}

/** Signs for a leaf of the owner's with its next nonce, and sends. */
export async function signAs(
  call: Call,
  owner: TestUser,
  id: number,
  fields: Omit<Parameters<typeof signedBy>[1], "nonce">,
): Promise<Answer> {
  const leaf = await call(`/v1/leaves/${id}`);
  const operation = signedBy({ ...owner, id }, { ...fields, nonce: BigInt(leaf?.nonce ?? 0) });
  return call("/v1/operations", operationJson(operation));
}

/**
 * Does what comes next in a model's life: it is made, published, approved, opened, paid, closed, settled, claimed from,
 * paid again … Every step is found from the API's answers, so it can be repeated after a kill.
 * @returns the step's name and the sequencer's answer
 */
export async function stepModel(
  call: Call,
  owner: TestUser,
  circuits: TestCircuits,
  shardCount = 1,
): Promise<[step: string, answer: Answer]> {
  const { datanetId, modelId, payees, statics } = await findModel(call, owner, shardCount);
  const own = (kind: number) => ({ bOwner: owner.l1Owner, bKind: kind });
  if (datanetId === undefined) {
    const fields = {
      kind: KIND.createDatanet,
      words: [owner.l1Owner, owner.keyX],
      amountCode: ONE_OPEN_CODE,
    };
    return ["create datanet", await signAs(call, owner, owner.id, fields)];
  }
  const { binding, featuresCommitment, split } = statics!;
  if (modelId === undefined) {
    const words = [
      owner.l1Owner,
      owner.keyX,
      featuresCommitment,
      statics!.ownersCommitment,
      statics!.payeeRoot,
      binding,
      5n | (split << 96n),
    ];
    const fields = { kind: KIND.createModel, words, amountCode: ONE_OPEN_CODE };
    return ["create model", await signAs(call, owner, owner.id, fields)];
  }
  const [datanet, model] = [await call(`/v1/leaves/${datanetId}`), await call(`/v1/models/${modelId}`)];
  if (datanet === null || model === null) return ["gone", null];
  if (datanet.datanet.version === 0) {
    const words = [7n, statics!.ownersCommitment, statics!.payeeRoot, 9n, 0n];
    return ["publish", await signAs(call, owner, datanetId, { kind: KIND.publishVersion, words })];
  }
  if (!model.counters.isApproved) {
    const fields = { kind: KIND.approveModel, b: modelId, words: [hashStatics(statics!)] };
    return ["approve", await signAs(call, owner, datanetId, { ...fields, ...own(LEAF_KIND.model) })];
  }
  if (!model.counters.isReady)
    return [
      "activation",
      await call(
        "/v1/settlements",
        activationJson({ owner, modelId, payees: payees!, statics: statics! }, circuits),
      ),
    ];
  const { closedEpoch } = model;
  if (closedEpoch !== null) {
    if (closedEpoch.prevRandao === null) {
      const { closingBatch: batchNumber } = closedEpoch;
      const report = { blockNumber: 10 + batchNumber, timestamp: 1_800_000_000, isMissed: false };
      const body = { batchNumber, ...report, prevRandao: hex32(PREV_RANDAO) };
      return ["randomness", await call("/operator/epoch-closes", body)];
    }
    const data = sampledSettlement(model, statics!);
    const sorts = shardCount === 1 ? "settlement" : (["sharded", "shard"] as const);
    return ["settle", await call("/v1/settlements", settlementJson(data, sorts, circuits))];
  }
  if (model.payees[0].contributor.claimableWei !== "0") {
    const fields = { kind: KIND.claimRewards, b: modelId, words: [0n], ...own(LEAF_KIND.model) };
    return ["claimRewards", await signAs(call, owner, owner.id, fields)];
  }
  if (model.counters.paymentCount < 3) {
    const receipt = 1_000n * BigInt(model.counters.epoch) + BigInt(model.counters.paymentCount);
    const fields = { kind: KIND.payInference, b: modelId, words: [receipt], ...own(LEAF_KIND.model) };
    return ["pay", await signAs(call, owner, owner.id, { ...fields, amountCode: ONE_OPEN_CODE })];
  }
  const fields = { kind: KIND.closeEpoch, b: modelId, ...own(LEAF_KIND.model) };
  return ["closeEpoch", await signAs(call, owner, modelId, fields)];
}

/** @param index on L1 of the circuit that it names */
export function activationJson(
  { modelId, owner, payees, statics }: Omit<TestModel, "datanetId">,
  circuits: TestCircuits,
  index?: number,
) {
  const circuit =
    index ??
    (payeeShards(payees.map(({ rowCount }) => rowCount)).length > 1 ? SHARDED_INDEX : SETTLEMENT_INDEX);
  const cap = { circuit, payments: CIRCUITS[circuit - 1]!.size0 };
  const { data } = activationOf({ modelId, statics, payees }, cap, CIRCUITS[1].size1);
  return { ...settlementJson(data, "payeeTable", circuits), signature: signatureJson(owner, data) };
}

/** The signature of a model's owner over J. */
export function signatureJson(
  { l1Owner, secret }: Pick<TestUser, "l1Owner" | "secret">,
  data: SettlementData,
) {
  const bRef = leafReference({ l1Owner, kind: LEAF_KIND.model });
  const kind = data.isActivation ? KIND.activation : KIND.settle;
  const message = settlementMessage(data, { domain: TEST_DOMAIN, bRef }, kind);
  const { r8x, r8y, s } = signMessage(secret, message);
  return { r8x: hex32(r8x), r8y: hex32(r8y), s: hex32(s) };
}

/** Closed epoch in a model's answer. */
function closedOf(model: Answer) {
  const { amountWei, chain, epoch, closingBatch } = model.closedEpoch;
  return {
    epoch: BigInt(epoch),
    closingBatch: BigInt(closingBatch),
    amountWei: BigInt(amountWei),
    chain: BigInt(chain),
  };
}

/** A settlement by draws as GET /v1/models/:id lets one make it; all that is earned goes to the first payee of each shard. */
export function sampledSettlement(model: Answer, statics: ModelStatics, voidCount = 0): SettlementData {
  const closed = closedOf(model);
  const modelId: number = model.id;
  const shares = drawShares(closed.amountWei, DRAWS, unpackSplit(statics.split));
  const payees: Payee[] = model.payees;
  const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
  const quanta = BigInt(DRAWS - voidCount) * shares.rewardQuanta;
  const ofShard = quanta / BigInt(shards.length);
  const items = payees.map((_, m) => (shards.some(({ from }) => from === m) ? ofShard : 0n));
  const earnedWei = items.map((item) => item << shares.quantumBits);
  const payout = sampledPayout(closed.amountWei, shares, DRAWS, voidCount, quanta << shares.quantumBits);
  const before: bigint[] = model.payees.map((payee: Answer) => BigInt(payee.accruedWei));
  const after = before.map((wei, m) => wei + (earnedWei[m] ?? 0n));
  return {
    settlementHash: settlementHash({
      modelId,
      voidCount,
      closed: closedHash(hashStatics(statics), closed),
      ownerWei: payout.ownerWei,
      treasuryWei: payout.treasuryWei,
      oldAccruedRoot: accruedRoot(payees, before),
      newAccruedRoot: accruedRoot(payees, after),
    }),
    modelId,
    isActivation: false,
    cap: 0,
    seed: drawSeed({ ...closed, prevRandao: BigInt(model.closedEpoch.prevRandao ?? PREV_RANDAO), modelId }),
    epoch: closed.epoch,
    closingBatch: closed.closingBatch,
    voidCount,
    burnedWei: payout.burnedWei,
    capCircuit: 0,
    shardCount: shards.length,
    chain: closed.chain % FIELD_ORDER,
    items,
    ...(shards.length > 1 && { links: shards.map((_, shard) => 5n + BigInt(shard)) }),
  };
}

/** The default split as GET /v1/models/:id lets one make it. */
export function defaultSettlement(model: Answer, statics: ModelStatics): SettlementData {
  const accruedWei = model.payees.map((payee: Answer) => BigInt(payee.accruedWei));
  const settled = { modelId: model.id, statics, payees: model.payees, accruedWei };
  return defaultSplit(settled, closedOf(model), CIRCUITS[1].size1).data;
}
