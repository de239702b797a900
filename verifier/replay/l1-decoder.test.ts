/** docs/reference/l1-format.md is enough for a reader of one's own: `l1_decoder.py` was written from it, and reads this chain. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, type Limit, rpcResult } from "@openledger/bridge/testing/limited-node";
import { encodeSubmission, withNegativeOffset } from "@openledger/bridge/testing/odd-calldata";
import { KIND } from "@openledger/circuits/protocol";
import { CIRCUIT_SORT, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { EXIT_SIZES, exitActions } from "@openledger/contracts/testing/exit-fixture";
import {
  ANY_FEE,
  type ClosedBatch,
  OPEN,
  type Role,
  SHAPES,
  slot,
  submission,
} from "@openledger/contracts/testing/rollup-fixture";
import {
  PAYEE_TABLE,
  SAMPLED,
  SETTLEMENT_SIZES,
  SHARDED,
  settlementActions,
} from "@openledger/contracts/testing/settlement-fixture";
import {
  type AbiEvent,
  type AbiFunction,
  type AbiParameter,
  concatHex,
  type Hex,
  toEventSelector,
  toFunctionSelector,
  toFunctionSignature,
} from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const DAY = 86_400n;
const LEAF_EXIT = SHAPES.length + SETTLEMENT_SIZES.length;
const RELAY = "0x00000000000000000000000000000000f0f0f0f0";
const script = fileURLToPath(new URL("l1_decoder.py", import.meta.url));
const page = readFileSync(new URL("../../docs/reference/l1-format.md", import.meta.url), "utf8");
let f: HistoryFixture;

interface Decoded {
  readonly batches: number;
  readonly root: Hex;
  readonly opIndex: number;
  readonly queueHead: number;
  readonly statements: readonly { sort: number; batch: number; isProofKnown: boolean }[];
}

/** @throws with the decoder's own words where it finds a difference */
async function decode(rpcUrl = f.rpcUrl): Promise<Decoded> {
  // All that it gets to know: no file of this project, and no environment.
  const run = promisify(execFile)("python3", ["-I", script, rpcUrl, f.rollup.address], {
    env: { PATH: process.env.PATH },
  });
  try {
    return JSON.parse((await run).stdout);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT")
      throw new Error("this test needs Python 3.9 or later as `python3`, with nothing installed");
    throw new Error(stderr ?? String(error));
  }
}

/** A call that a contract passes on, or an account that runs code. */
async function send(from: Role, to: Hex, data: Hex): Promise<void> {
  const { client, roles } = f.l1;
  const account = roles[from];
  const hash = await client.sendTransaction({ account, to, data, gas: 10_000_000n, chain: client.chain });
  expect((await client.waitForTransactionReceipt({ hash })).status).toBe("success");
}

/** Every way in which batches, settlements and exits come to L1. */
async function makeChain(): Promise<void> {
  const { l1 } = f;
  const { client, roles, rollup } = l1;
  const settlements = settlementActions(l1);
  const exits = exitActions(l1);
  const address = rollup.address;
  const call = (closed: readonly ClosedBatch[]) => encodeSubmission(submission(closed));
  const data = (closes: bigint, circuit: number) =>
    settlements.settlementData(closes, circuit === SAMPLED ? {} : { seed: 0n, voidCount: 0 });

  // Deposits, signed operations, forced ones, two batches in one transaction.
  await f.makeHistory();
  // Activation and Settles, also two in one batch, with the randomness of a forced CloseEpoch and a signed one.
  await l1.submit([await settlements.joined([{ circuit: PAYEE_TABLE, data: settlements.activationData() }])]);
  await rollup.write.forceCloseEpoch([77, ANY_FEE], { account: roles.alice });
  const entries = await f.queueOperations();
  const queued = entries.map(({ a, amountWei, b, kind, sender, word1, word2 }) =>
    slot(kind, [amountWei, word1, word2, sender], { a, b, isValid: kind === KIND.forcedCloseEpoch }),
  );
  const { content } = await l1.post({ wide: queued, shape: SHAPES[2] });
  await settlements.recordRandomness(content.batchNumber);
  const closes = await settlements.closeEpoch();
  await settlements.recordRandomness(closes);
  const both = [content.batchNumber, closes].map(async (number) => ({
    circuit: SAMPLED,
    data: await data(number, SAMPLED),
  }));
  await l1.submit([await settlements.joined(await Promise.all(both))]);
  // By strangers: settlements by draws and by row counts, pre-verified first; a day later in batches, one through a contract.
  await l1.passTime(14n * DAY + 1n);
  const two = async (changes: Partial<SettlementData> = {}) => [
    { circuit: SAMPLED, data: { ...(await data(closes, SAMPLED)), ...changes } },
    { circuit: PAYEE_TABLE, data: { ...(await data(closes, PAYEE_TABLE)), ...changes } },
    // Of two shards and of three.
    {
      circuit: SHARDED,
      data: { ...(await data(closes, SAMPLED)), shardCount: 2, links: [OPEN, 7n], items: [1n], ...changes },
    },
    {
      circuit: PAYEE_TABLE,
      data: { ...(await data(closes, PAYEE_TABLE)), shardCount: 3, shardWei: [5n, 0n, OPEN], ...changes },
    },
  ];
  const waiting = await Promise.all([0, 1].map(() => two({ voidCount: 0 })));
  for (const part of waiting.flat()) await settlements.preVerify(part);
  await l1.passTime(DAY + 1n);
  const preVerified = (i: number) =>
    settlements.joined(waiting[i]!.map((part) => ({ ...part, isPreVerified: true })));
  await l1.submit([await preVerified(0)], "stranger");
  // CALLDATASIZE, CALLDATACOPY, CALL, and whatever the rollup answered.
  const forward = concatHex(["0x365f5f375f5f365f5f73", address, "0x5af13d5f5f3e602a573d5ffd5b3d5ff3"]);
  await client.setCode({ address: RELAY, bytecode: forward });
  await send("stranger", RELAY, call([await preVerified(1)]));
  // Overdue entries through the contract, two batches in one call.
  await rollup.write.forceSetKey([2, 5n, ANY_FEE], { account: roles.alice });
  await rollup.write.forceSetOwner([2, roles.bob, ANY_FEE], { account: roles.bob });
  await l1.passTime(DAY + 1n);
  const forced = (await f.queueOperations()).map(({ a, amountWei, kind, sender, word1, word2 }) =>
    slot(kind, [amountWei, word1, word2, sender], { a, isValid: true }),
  );
  const draft = { shape: SHAPES[2], wide: forced };
  const first = l1.close(await l1.draft(draft));
  await send("stranger", RELAY, call([first]));
  // An account that runs code (EIP-7702), with a settlement.
  await client.setCode({ address: roles.sequencer, bytecode: concatHex(["0xef0100", RELAY]) });
  await l1.submit([await settlements.joined(await two())]);
  await client.setCode({ address: roles.sequencer, bytecode: "0x" });
  // An offset that points backwards.
  await send("sequencer", address, withNegativeOffset(call([l1.close(await l1.draft())])));
  // The end: a freeze, exits, the rest.
  await exits.freeze();
  const { root } = await rollup.read.state();
  const exit = (key: bigint, circuit: number) =>
    exits.proveExit(circuit, { root, key, recipient: BigInt(roles.bob), amountWei: OPEN + (key % 7n) });
  await exits.exit([
    exit(2n, LEAF_EXIT),
    exit(77n | (3n << 24n) | (1n << 37n), LEAF_EXIT + 1),
    exit(3n, LEAF_EXIT),
  ]);
}

const topicOf = (name: string): Hex =>
  toEventSelector(rollupAbi.find((item) => item.type === "event" && item.name === name) as AbiEvent);

/** The low digits of the last word of the first batch's data: before padding, an empty array, one proof and its count. */
const flipSender = (input: string): string => {
  const at = input.length - 2 * (14 + 32 + 32 + 256) - 1;
  return `${input.slice(0, at)}${input[at] === "1" ? "2" : "1"}${input.slice(at + 1)}`;
};

interface RawLog {
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly transactionHash: Hex;
}

/** Another last digit of the word that begins at this digit of such an event's data. */
const flip =
  (topic: Hex, at: number) =>
  (json: string): string => {
    const log = JSON.parse(json) as RawLog;
    if (log.topics[0] !== topic) return json;
    const last = at + 63;
    const digit = log.data[last] === "1" ? "2" : "1";
    return JSON.stringify({ ...log, data: `${log.data.slice(0, last)}${digit}${log.data.slice(last + 1)}` });
  };

/** A node that answers with other events, or with another input of the first batch's transaction. */
async function changedNode(where: "logs" | "input", change: (text: string) => string): Promise<Limit> {
  const params = [{ address: f.rollup.address, fromBlock: "0x0", toBlock: "latest" }];
  const logs = await askNode<RawLog[]>("eth_getLogs", params);
  if (where === "logs") {
    const changed = logs.map((log) => JSON.parse(change(JSON.stringify(log))) as RawLog);
    expect(changed).not.toEqual(logs);
    return ({ method }) => (method === "eth_getLogs" ? { body: rpcResult(changed) } : null);
  }
  const { blockHash, transactionIndex } = logs.find(
    ({ topics }) => topics[0] === topicOf("BatchAccepted"),
  ) as RawLog & { blockHash: Hex; transactionIndex: Hex };
  const transaction = await askNode<{ input: string }>("eth_getTransactionByBlockHashAndIndex", [
    blockHash,
    transactionIndex,
  ]);
  const changed = { ...transaction, input: change(transaction.input) };
  return ({ method, params }) =>
    method === "eth_getTransactionByBlockHashAndIndex" &&
    params?.[0] === blockHash &&
    params[1] === transactionIndex
      ? { body: rpcResult(changed) }
      : null;
}

const askNode = <T>(method: string, params: readonly unknown[]): Promise<T> =>
  f.l1.client.request({ method, params } as never) as Promise<T>;

beforeAll(async () => {
  f = await startHistoryFixture({ settlementSizes: [...SETTLEMENT_SIZES, ...EXIT_SIZES] });
  await makeChain();
});
afterAll(() => f?.stop());

describe("l1_decoder.py", () => {
  test("agrees with every event and the state; the contract takes its z and y, and no other y", async () => {
    const decoded = await decode();
    const { batchNumber, opIndex, queueHead, root } = await f.rollup.state();
    expect({ ...decoded, root: BigInt(decoded.root) }).toMatchObject({
      batches: batchNumber,
      root,
      opIndex,
      queueHead,
    });
    const count = (...[sort, isProofKnown]: [number, boolean]) =>
      decoded.statements.filter((one) => one.sort === sort && one.isProofKnown === isProofKnown).length;
    expect(count(CIRCUIT_SORT.batch, true)).toBe(batchNumber - 2);
    expect(count(CIRCUIT_SORT.batch, false)).toBe(2);
    // A pre-verified settlement has its proof in its own event, whatever batch takes it.
    expect(count(CIRCUIT_SORT.settlement, true)).toBe(5);
    expect(count(CIRCUIT_SORT.payeeTable, true)).toBe(13);
    expect(count(CIRCUIT_SORT.shardedSettlement, true)).toBe(3);
    expect(count(CIRCUIT_SORT.shard, true)).toBe(6);
    expect(count(CIRCUIT_SORT.exit, true)).toBe(3);
  });

  test.each<[string, "logs" | "input", (hex: string) => string, string]>([
    ["an event's new root", "logs", flip(topicOf("BatchAccepted"), 130), "computed"],
    ["an entry of the queue", "logs", flip(topicOf("QueueEntryAdded"), 194), "queue entry"],
    ["what a settlement burned", "logs", flip(topicOf("SettlementAccepted"), 194), "computed"],
    ["recorded randomness", "logs", flip(topicOf("RandomnessRecorded"), 2), "the randomness of batch"],
    ["a batch's data, of which its proof is none", "input", flipSender, "verifyProofs of y + 0"],
  ])("finds another value of %s", async (_, where, change, found) => {
    const limit = await changedNode(where, change);
    const decoding = behindLimit(f.rpcUrl, limit, (url) => decode(url));
    await expect(decoding).rejects.toThrow(found);
  });
});

/** A tuple's type is its fields in brackets, and an array's ends as it does. */
const typeOf = (input: AbiParameter): string =>
  "components" in input
    ? `(${input.components.map((part) => `${typeOf(part)} ${part.name}`).join(", ")})${input.type.slice("tuple".length)}`
    : input.type;

describe("docs/reference/l1-format.md", () => {
  const rows = [...page.matchAll(/^\| (0x[0-9a-f]+) \| `([^`]+)` \|$/gm)].map(
    ([, selector, text]) => [selector, text] as const,
  );

  test("has every event of the contract, with its topic and fields", () => {
    const events = rollupAbi.filter((item): item is AbiEvent & typeof item => item.type === "event");
    const expected = events.map((event) => {
      const inputs: readonly { type: string; name?: string; indexed?: boolean }[] = event.inputs;
      const fields = inputs.map(
        (input) => `${typeOf(input)}${input.indexed ? " indexed" : ""} ${input.name}`,
      );
      return [toEventSelector(event), `${event.name}(${fields.join(", ")})`];
    });
    expect(rows.filter(([selector]) => selector!.length === 66).sort()).toEqual(expected.sort());
  });

  test("has the selectors of the functions that it names", () => {
    const functions = rows.filter(([selector]) => selector!.length === 10);
    expect(functions.length).toBe(8);
    for (const [selector, text] of functions) {
      const named = rollupAbi.find(
        (item) => item.type === "function" && toFunctionSelector(item) === selector,
      );
      expect(named && toFunctionSignature(named as AbiFunction), selector).toBe(text);
    }
  });
});
