/** One gate before both kinds of contracts: what each refuses, no other lets in. */

import {
  answeringFiles,
  answeringHash,
  rawAnsweringHash,
  tracedAnsweringHash,
} from "@openledger/attribution/model/answering-hash";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { genesisHash } from "@openledger/circuits/ledger/rewards";
import { columnsCommitment, featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { deployGenesisGates, WEEK_SECONDS } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi, genesisGatesAbi } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData, getAddress, getContract, type Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostedModel, withTrees } from "../statements/posted-model.ts";
import { statementTuple } from "../statements/posting-calls.ts";
import { challengeData } from "./dispute-calls.ts";
import { readGateContracts } from "./gate-contracts.ts";
import { admitCall } from "./ledger-proofs.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import {
  BOND_WEI,
  type DisputeFixture,
  startDisputes,
  type TrainedCase,
  trainedCase,
} from "./testing/dispute-fixture.ts";
import { deployGateBefore } from "./testing/gate-fixture.ts";
import { revertBetweenTests } from "./testing/revert-between-tests.ts";

const CAP = 16;
/** What the fixtures' models are numbered. */
const MODEL = 11n;
let f: DisputeFixture;
let older: TrainedCase;
let direct: DirectCase;
let members: [Hex, Hex];
let clients: Parameters<typeof deployGenesisGates>[0];
let gates: Hex;

beforeAll(async () => {
  [f, older, direct] = await Promise.all([startDisputes(), trainedCase(48), directCase(48)]);
  ({ clients, gates, members } = await deployGateBefore(f));
});
afterAll(() => f?.stop());
revertBetweenTests(() => f.client);

const at = (address: Hex) => getContract({ address, abi: disputesAbi, client: f.client });
const wordOf = ({ model }: TrainedCase | DirectCase) =>
  genesisHash({
    ...{ modelId: Number(MODEL), cap: CAP, statics: model.staticsHash },
    earnerRoot: model.statics.earnerRoot,
  });
const admits = (rollup: Hex, word: bigint, modelId = MODEL) =>
  f.client.readContract({
    ...{ address: gates, abi: genesisGatesAbi, functionName: "admits", account: rollup },
    args: [modelId, word],
  });

/** Posts to one of the contracts; the rollup whose state it was shown. */
async function post(member: Hex, { statement }: PostedModel): Promise<Hex> {
  const args = await f.postArguments(statement);
  await at(member).write.post(args as never, { account: f.owner, value: BOND_WEI });
  return args[1];
}
async function admit(member: Hex, { honest, model }: TrainedCase | DirectCase): Promise<void> {
  const { args } = admitCall(model, await at(member).read.postingCount(), honest.statement, BigInt(CAP));
  await at(member).write.admit(args as never, { account: f.stranger });
}

const admissionOf = (
  model: TrainedCase["model"] | DirectCase["model"],
  statement: PostedModel["statement"],
) => encodeFunctionData({ abi: disputesAbi, ...admitCall(model, 1n, statement, BigInt(CAP)) } as never);

test("admits each model that the contract of its kind has admitted, for that posting's rollup alone", async () => {
  const known = await f.client.readContract({
    address: gates,
    abi: genesisGatesAbi,
    functionName: "members",
  });
  expect(known).toEqual(members.map((member) => getAddress(member)));
  const rollups = [await post(members[0], older.honest), await post(members[1], direct.honest)] as const;
  await f.passTime(WEEK_SECONDS);
  expect(await admits(rollups[0], wordOf(older))).toBe(false);
  await admit(members[0], older);
  await admit(members[1], direct);
  expect(await admits(rollups[0], wordOf(older))).toBe(true);
  expect(await admits(rollups[1], wordOf(direct))).toBe(true);
  // Replays: the other's rollup, nobody's, the gate itself, another model, another Genesis.
  expect(await admits(rollups[1], wordOf(older))).toBe(false);
  expect(await admits(f.stranger, wordOf(older))).toBe(false);
  expect(await admits(gates, wordOf(older))).toBe(false);
  expect(await admits(rollups[0], wordOf(older), MODEL + 1n)).toBe(false);
  expect(await admits(rollups[0], wordOf(older) + 1n)).toBe(false);
});

test("does not take a model of one kind from the contract of the other", async () => {
  for (const [member, { honest }] of [[members[1], older] as const, [members[0], direct] as const]) {
    const [statement, rollup, leaf, path] = await f.postArguments(honest.statement);
    const data = encodeFunctionData({
      ...{ abi: disputesAbi, functionName: "post" },
      args: [statement, rollup, leaf, path] as never,
    });
    const call = { account: f.owner, to: member, data, value: BOND_WEI };
    expect(await f.refusal(call)).toBe("DisputesStatementInvalid");
  }
});

test("does not take it from there with a lie about its kind: the statics refute that", async () => {
  // The same model in both: refuted in the one, its window open in the other.
  await post(members[1], direct.honest);
  const { statement, leaves } = direct.honest;
  const columnCount = statement.columnCount;
  const binding = (statement.binding & ((1n << 115n) - 1n)) | (BigInt(columnCount) << 115n);
  const posted = withTrees(leaves, { ...statement, binding });
  const rollup = await post(members[0], posted);
  const data = challengeData(1n, posted, direct.rows, { kind: "statics" });
  await f.watcherOf(f.watcher).send({ data, valueWei: 0n });
  await f.passTime(WEEK_SECONDS);
  const admission = admissionOf(direct.model, posted.statement);
  expect(await f.refusal({ account: f.stranger, to: members[0], data: admission })).toBe("DisputesNotOver");
  expect(await admits(rollup, wordOf(direct))).toBe(false);
  // Its own contract decides, and has not been asked yet.
  await admit(members[1], direct);
  expect(await admits(rollup, wordOf(direct))).toBe(false);
});

test("never takes a model whose statics promise something else, though nobody refutes its posting", async () => {
  const { honest, model } = older;
  const columns = columnsCommitment(model.columns);
  const filesHash = rawAnsweringHash(answeringFiles(model));
  const statics = (answeringHash: bigint) =>
    hashStatics({ ...model.statics, featuresCommitment: featuresCommitment(model.columns, answeringHash) });
  const marked = statics(answeringHash(answeringFiles(model)));
  expect(marked).toBe(model.staticsHash);
  // A language model's, with the digest that it promises; and one without any promise.
  for (const answering of [tracedAnsweringHash(filesHash, 77n), filesHash]) {
    const statement = { ...honest.statement, staticsHash: statics(answering), answering: filesHash };
    await post(members[0], withTrees(honest.leaves, statement));
    await f.passTime(WEEK_SECONDS);
    const id = await at(members[0]).read.postingCount();
    expect(await at(members[0]).read.counts([id])).toBe(true);
    // Whatever is shown as the columns, or as a direct model's number.
    for (const [shown, damping] of [
      [columns, 0n],
      [columns, 77n],
      [answering, 0n],
    ]) {
      const args = [id, statementTuple(statement), BigInt(CAP), shown, damping];
      const data = encodeFunctionData({ abi: disputesAbi, functionName: "admit", args } as never);
      expect(await f.refusal({ account: f.owner, to: members[0], data })).toBe("DisputesStaticsInvalid");
    }
  }
});

test.each([
  ["none", () => []],
  ["one twice", () => [members[0], members[0]]],
  ["an address without code", () => [members[0], f.stranger]],
  ["a contract that has no admissions", () => [f.math]],
  ["more than eight", () => Array.from({ length: 9 }, () => members[0])],
])("is not deployed before %s", async (_, given) => {
  await expect(deployGenesisGates(clients, given())).rejects.toThrow();
});

test("readers find the contracts behind it, and which kind of models each judges", async () => {
  const client = f.client as never;
  const both = [
    { address: getAddress(members[0]!), kind: "classifier" },
    { address: getAddress(members[1]!), kind: "direct" },
  ];
  expect(await readGateContracts(client, gates)).toEqual(both);
  expect(await readGateContracts(client, getAddress(members[1]!))).toEqual([both[1]]);
  // It takes no postings.
  expect(await readGateContracts(client, f.math)).toEqual([]);
});
