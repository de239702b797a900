/** The registry as a rollup's gate: what it admits, and which families it is deployed with. */

import {
  answeringFiles,
  answeringHash,
  rawAnsweringHash,
  tracedAnsweringHash,
  unchallengedModel,
} from "@openledger/attribution/model/answering-hash";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { activationHash, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { TAG } from "@openledger/circuits/protocol";
import {
  columnsCommitment,
  featuresCommitment,
  shardedFeatures,
} from "@openledger/circuits/settlement/feature-commitment";
import { assuranceOfReply } from "@openledger/client/actions/answers/check-answer";
import { type L1Reader, readModelOnL1 } from "@openledger/client/actions/answers/model-on-l1";
import { admitUnchallengedCall } from "@openledger/client/actions/l1/send-settlement";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { WEEK_SECONDS } from "@openledger/contracts/build/deploy-disputes";
import { FAMILY_RULES } from "@openledger/contracts/build/dispute-judges";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { onClient, revertEachTest } from "@openledger/contracts/testing/chain";
import { deployFixedState } from "@openledger/contracts/testing/fixed-state";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { createPublicClient, custom, getAddress, type Hex, zeroAddress } from "viem";
import { expect, test } from "vitest";
import { type CommittedModel, withTrees } from "../statements/committed-model.ts";
import { statementTuple } from "../statements/model-commitment-calls.ts";
import { directChallengeData } from "./direct-calls.ts";
import { admitCall } from "./ledger-proofs.ts";
import { readRegistry } from "./registry.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import { BOND_WEI, lie, startDisputes } from "./testing/dispute-fixture.ts";

const CAP = 16;
/** What the fixtures' models are numbered. */
const MODEL = 11n;
const f = started(() => startDisputes());
const first = started(() => directCase(48));
const second = started(() => directCase(40));
revertEachTest(() => f);

interface Family {
  readonly rules: Hex;
  readonly judges: readonly Hex[];
  readonly hasGames: boolean;
}

const wordOf = ({ model }: DirectCase) =>
  activationHash({
    ...{ modelId: Number(MODEL), cap: CAP, statics: model.staticsHash },
    payeeRoot: model.statics.payeeRoot,
  });
const admits = (rollup: Hex, word: bigint, modelId = MODEL) =>
  f.client.readContract({
    ...{ address: f.disputes.address, abi: disputesAbi, functionName: "admits", account: rollup },
    args: [modelId, word],
  });

/** The rollup whose state it was shown. */
async function post(posted: CommittedModel): Promise<Hex> {
  const args = await f.postArguments(posted);
  await f.disputes.write.commitModel(args as never, { account: f.owner, value: BOND_WEI });
  return args[2];
}
async function admit(id: bigint, { honest, model }: DirectCase): Promise<void> {
  const { args } = admitCall(model, id, honest.statement, BigInt(CAP));
  await f.disputes.write.admit(args as never, { account: f.stranger });
}

const admitRefused = ({ honest, model }: DirectCase, statement = honest.statement) =>
  f.refused(f.stranger, "admit", admitCall(model, 1n, statement, BigInt(CAP)).args);

test("admits each model for its model commitment's rollup alone, once its window is over", async () => {
  const rollups = [await post(first.honest), await post(second.honest)] as const;
  expect(await admitRefused(first)).toBe("DisputesNotOver");
  await f.passTime(WEEK_SECONDS);
  expect(await admits(rollups[0], wordOf(first))).toBe(false);
  await admit(1n, first);
  await admit(2n, second);
  expect(await admits(rollups[0], wordOf(first))).toBe(true);
  expect(await f.disputes.read.admissions([rollups[0], MODEL, wordOf(first)])).toBe(1n);
  expect(await admits(rollups[1], wordOf(second))).toBe(true);
  // Replays: the other's rollup, nobody's, the registry itself, another model, another Activation.
  expect(await admits(rollups[1], wordOf(first))).toBe(false);
  expect(await admits(f.stranger, wordOf(first))).toBe(false);
  expect(await admits(f.disputes.address, wordOf(first))).toBe(false);
  expect(await admits(rollups[0], wordOf(first), MODEL + 1n)).toBe(false);
  expect(await admits(rollups[0], wordOf(first) + 1n)).toBe(false);
});

/** As a sequencer shows the model. */
function leafOf({ model: { statics } }: DirectCase, changed: { id?: number; cap?: number } = {}) {
  const { ownerParts, validatorParts } = unpackSplit(statics.split);
  const { id = Number(MODEL), cap = CAP } = changed;
  return {
    id,
    counters: { cap },
    model: { ...statics, ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) },
  } as unknown as LedgerModelLeaf;
}

test("tells a customer whether a model's rows are disputable, whatever a server promises", async () => {
  const rollup = await post(first.honest);
  const l1 = f.client as unknown as L1Reader["l1"];
  const sureness = async (given: DirectCase, rollupAddress = rollup, leaf = leafOf(given)) => {
    const onL1 = await readModelOnL1({ l1, rollupAddress }, leaf);
    return assuranceOfReply(await openCheckable(given.model), { onL1, isAnsweredAgain: true });
  };
  const believed = { answer: "proven", query: "recomputed", rows: "believed" };
  // Committed, and not admitted: the window is open, or nobody has shown that it ended.
  expect(await sureness(first)).toEqual(believed);
  await f.passTime(WEEK_SECONDS);
  expect(await sureness(first)).toEqual(believed);
  await admit(1n, first);
  expect(await sureness(first)).toEqual({ ...believed, rows: "disputable" });
  // Its promise, with nothing on L1: another rollup, another number, another model in its place.
  const other = await f.deployState(5n);
  expect(await sureness(first, other)).toEqual(believed);
  expect(await sureness(first, rollup, leafOf(first, { id: 12 }))).toEqual(believed);
  expect(await sureness(second)).toEqual(believed);
  // A rollup without a gate, and one whose gate is no registry.
  for (const gate of [zeroAddress, f.math] as const) {
    const plain = await deployFixedState(f.client as never, f.owner, 5n, gate);
    expect(await sureness(first, plain)).toEqual(believed);
  }
  await expect(
    readModelOnL1({ l1: silentNode(), rollupAddress: rollup }, leafOf(first)),
  ).rejects.toMatchObject({ code: "CLI_UNREACHABLE", data: { server: "L1" } });
});

const silentNode = () =>
  createPublicClient({
    transport: custom({ request: () => Promise.reject(new Error("silent")) }, { retryCount: 0 }),
  });

test("admits no model once its model commitment is refuted", async () => {
  const tokens = first.honest.leaves.tokens.map(() => new Uint8Array());
  const { posted } = lie(first, { tokens });
  await post(posted);
  const data = directChallengeData(1n, posted, first.rows, { kind: "tokens", row: 0 });
  await f.watcherOf(f.stranger).send({ data, valueWei: 0n });
  await f.passTime(WEEK_SECONDS);
  expect(await admitRefused(first, posted.statement)).toBe("DisputesNotOver");
  expect(await admitRefused(first)).toBe("DisputesOtherStatement");
});

test("is told of a model without challenges only that it is registered as one", async () => {
  const { honest, model } = first;
  const columns = [...model.columns, ...second.model.columns];
  for (const shown of [columns.slice(0, 1), columns]) {
    const shards = unchallengedModel({ ...model, columns: shown });
    const { args } = admitUnchallengedCall(Number(MODEL), model.statics, shards, BigInt(CAP));
    await f.disputes.write.admitUnchallenged(args, { account: f.stranger });
  }
  // The marked model is not let in by it: its answering hash is no SHA-256.
  expect(await admits(f.stranger, wordOf(first))).toBe(false);
  const raw = honest.statement.answering;
  const { payeeRoot } = model.statics;
  const word = (committed: bigint) => {
    const statics = hashStatics({ ...model.statics, featuresCommitment: committed });
    return activationHash({ modelId: Number(MODEL), statics, cap: CAP, payeeRoot });
  };
  expect(await admits(f.stranger, word(shardedFeatures(model.columns, raw)))).toBe(true);
  expect(await admits(f.stranger, word(shardedFeatures(columns, raw)))).toBe(true);
  expect(await admits(f.stranger, word(shardedFeatures(columns.toReversed(), raw)))).toBe(false);
  expect(hashTagged(TAG.challenged, [raw, 0n])).not.toBe(raw);
});

test("never takes a model whose statics promise something else, though nobody refutes its model commitment", async () => {
  const { honest, model } = first;
  const columns = columnsCommitment(model.columns[0]!);
  const filesHash = rawAnsweringHash(answeringFiles(model));
  const statics = (answeringHash: bigint) =>
    hashStatics({
      ...model.statics,
      featuresCommitment: featuresCommitment(model.columns[0]!, answeringHash),
    });
  const marked = statics(answeringHash(answeringFiles(model)));
  expect(marked).toBe(model.staticsHash);
  // A language model's, with the digest that it promises; and one without any promise.
  for (const answering of [tracedAnsweringHash(filesHash, 77n), filesHash]) {
    const statement = { ...honest.statement, staticsHash: statics(answering), answering: filesHash };
    await post(withTrees(honest.leaves, statement));
    await f.passTime(WEEK_SECONDS);
    const id = await f.disputes.read.modelCommitmentCount();
    expect(await f.disputes.read.counts([id])).toBe(true);
    // Whatever is shown as the columns, or as the inverse's λ.
    for (const [shown, damping] of [
      [columns, 0n],
      [columns, 77n],
      [answering, 0n],
    ]) {
      const args = [id, statementTuple(statement), BigInt(CAP), shown, damping];
      expect(await f.refused(f.owner, "admit", args)).toBe("DisputesStaticsInvalid");
    }
  }
});

test.each([
  ["no family", () => []],
  ["more than eight", (one: Family) => Array.from({ length: 9 }, () => one)],
  ["a family without judges", (one: Family) => [{ ...one, judges: [] }]],
  ["rules that its first judge does not have", (one: Family) => [{ ...one, rules: FAMILY_RULES.text }]],
  ["a first judge without code", (one: Family) => [{ ...one, judges: [f.stranger] }]],
  ["a first judge that says no rules", (one: Family) => [{ ...one, judges: [one.judges[1]!] }]],
  ["games of which there are none", (one: Family) => [{ ...one, hasGames: true }]],
])("is not deployed with %s", async (_, given) => {
  const [one] = (await f.disputes.read.families()) as unknown as [Family];
  const deploy = async (families: readonly Family[], games: Hex = zeroAddress) => {
    const contract = pickContract(await compileContracts({ set: "disputes" }), "ModelCommitments");
    const args = [WEEK_SECONDS, BOND_WEI, 1n, f.math, games, families];
    return deployContract(onClient(f.client).clientsOf(f.owner), "ModelCommitments", contract, args);
  };
  await expect(deploy(given(one))).rejects.toThrow();
  // Games about the rows of another one, and what is none.
  await expect(deploy([one], f.math)).rejects.toThrow();
  await deploy([one]);
});

test("readers find its families", async () => {
  const client = f.client as never;
  const address = getAddress(f.disputes.address);
  expect(await readRegistry(client, address)).toEqual({ address, families: ["direct"], games: null });
  expect(await readRegistry(client, f.math)).toBeNull();
});
