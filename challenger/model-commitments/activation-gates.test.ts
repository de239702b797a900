/** One gate before several contracts: what each refuses, no other lets in. */

import {
  answeringFiles,
  answeringHash,
  rawAnsweringHash,
  tracedAnsweringHash,
} from "@openledger/attribution/model/answering-hash";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { activationHash } from "@openledger/circuits/ledger/rewards";
import { columnsCommitment, featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { deployActivationGates, WEEK_SECONDS } from "@openledger/contracts/build/deploy-disputes";
import { activationGatesAbi, disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { encodeFunctionData, getAddress, getContract, type Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommittedModel, withTrees } from "../statements/committed-model.ts";
import { statementTuple } from "../statements/model-commitment-calls.ts";
import { readGateContracts } from "./gate-contracts.ts";
import { admitCall } from "./ledger-proofs.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import { BOND_WEI, type DisputeFixture, startDisputes } from "./testing/dispute-fixture.ts";
import { deployGateBefore } from "./testing/gate-fixture.ts";
import { revertBetweenTests } from "./testing/revert-between-tests.ts";

const CAP = 16;
/** What the fixtures' models are numbered. */
const MODEL = 11n;
let f: DisputeFixture;
let first: DirectCase;
let second: DirectCase;
let members: [Hex, Hex];
let clients: Parameters<typeof deployActivationGates>[0];
let gates: Hex;

beforeAll(async () => {
  [f, first, second] = await Promise.all([startDisputes(), directCase(48), directCase(40)]);
  ({ clients, gates, members } = await deployGateBefore(f));
});
afterAll(() => f?.stop());
revertBetweenTests(() => f.client);

const at = (address: Hex) => getContract({ address, abi: disputesAbi, client: f.client });
const wordOf = ({ model }: DirectCase) =>
  activationHash({
    ...{ modelId: Number(MODEL), cap: CAP, statics: model.staticsHash },
    payeeRoot: model.statics.payeeRoot,
  });
const admits = (rollup: Hex, word: bigint, modelId = MODEL) =>
  f.client.readContract({
    ...{ address: gates, abi: activationGatesAbi, functionName: "admits", account: rollup },
    args: [modelId, word],
  });

/** Posts to one of the contracts; the rollup whose state it was shown. */
async function post(member: Hex, { statement }: CommittedModel): Promise<Hex> {
  const args = await f.postArguments(statement);
  await at(member).write.commitModel(args as never, { account: f.owner, value: BOND_WEI });
  return args[1];
}
async function admit(member: Hex, { honest, model }: DirectCase): Promise<void> {
  const { args } = admitCall(
    model,
    await at(member).read.modelCommitmentCount(),
    honest.statement,
    BigInt(CAP),
  );
  await at(member).write.admit(args as never, { account: f.stranger });
}

test("admits each model that one of the contracts has admitted, for that model commitment's rollup alone", async () => {
  const known = await f.client.readContract({
    address: gates,
    abi: activationGatesAbi,
    functionName: "members",
  });
  expect(known).toEqual(members.map((member) => getAddress(member)));
  const rollups = [await post(members[0], first.honest), await post(members[1], second.honest)] as const;
  await f.passTime(WEEK_SECONDS);
  expect(await admits(rollups[0], wordOf(first))).toBe(false);
  await admit(members[0], first);
  await admit(members[1], second);
  expect(await admits(rollups[0], wordOf(first))).toBe(true);
  expect(await admits(rollups[1], wordOf(second))).toBe(true);
  // Replays: the other's rollup, nobody's, the gate itself, another model, another Activation.
  expect(await admits(rollups[1], wordOf(first))).toBe(false);
  expect(await admits(f.stranger, wordOf(first))).toBe(false);
  expect(await admits(gates, wordOf(first))).toBe(false);
  expect(await admits(rollups[0], wordOf(first), MODEL + 1n)).toBe(false);
  expect(await admits(rollups[0], wordOf(first) + 1n)).toBe(false);
});

test("does not take a model of another kind: its binding has no such columns", async () => {
  const { statement, leaves } = second.honest;
  const columnCount = statement.columnCount;
  const binding = (statement.binding & ((1n << 115n) - 1n)) | (BigInt(columnCount) << 115n);
  const posted = withTrees(leaves, { ...statement, binding });
  const data = encodeFunctionData({
    ...{ abi: disputesAbi, functionName: "commitModel" },
    args: (await f.postArguments(posted.statement)) as never,
  });
  const call = { account: f.owner, to: members[0], data, value: BOND_WEI };
  expect(await f.refusal(call)).toBe("DisputesStatementInvalid");
});

test("never takes a model whose statics promise something else, though nobody refutes its model commitment", async () => {
  const { honest, model } = first;
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
    const id = await at(members[0]).read.modelCommitmentCount();
    expect(await at(members[0]).read.counts([id])).toBe(true);
    // Whatever is shown as the columns, or as the inverse's λ.
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
  await expect(deployActivationGates(clients, given())).rejects.toThrow();
});

test("readers find the contracts behind it, and which kind of models each judges", async () => {
  const client = f.client as never;
  const both = [
    { address: getAddress(members[0]!), kind: "direct" },
    { address: getAddress(members[1]!), kind: "direct" },
  ];
  expect(await readGateContracts(client, gates)).toEqual(both);
  expect(await readGateContracts(client, getAddress(members[1]!))).toEqual([both[1]]);
  // It takes no model commitments.
  expect(await readGateContracts(client, f.math)).toEqual([]);
});
