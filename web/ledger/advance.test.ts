/** Journeys of money behind Ethereum nodes that show little of their history: no journey ends by what a node does not show. */
import {
  behindLimit,
  dropsBlocksBefore,
  type Limit,
  limitsRange,
  RANGE_REFUSALS,
  rpcError,
  rpcResult,
} from "@openledger/bridge/testing/limited-node";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { askNode } from "@openledger/contracts/testing/ask-node";
import { connect, deployFixture, type Fixture, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { encodeEventTopics, encodeFunctionData, type Hex, numberToHex, pad } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { advance } from "./advance.ts";
import { isOver, type Journey } from "./journey.ts";

const me = anvilAccount(4);
const SHOWN_BLOCKS = 1_000;
const STATUS = { queue: { seenIndex: 0 }, estimates: {} } as never;
const WALLET = "0x00000000000000000000000000000000000000A1";

let anvil: Anvil;
let f: Fixture;
/** Block from which the journeys wait. */
let firstBlock: number;
let postedHash: Hex;

/** Has the chain mine blocks of one transfer each: as on Ethereum, none is without logs. */
async function mineWithLogs(blocks: number): Promise<void> {
  const data = encodeFunctionData({ abi: f.token.abi, functionName: "transfer", args: [f.roles.bob, 1n] });
  const call = { from: f.roles.holder, to: f.deployment.token, data, gas: numberToHex(100_000) };
  const target = (await f.client.getBlockNumber({ cacheTime: 0 })) + BigInt(blocks);
  // The chain puts several that come while it mines into one block.
  while ((await f.client.getBlockNumber({ cacheTime: 0 })) < target)
    await askNode(anvil.url, "eth_sendTransaction", [call]);
}

beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil));
  postedHash = await f.token.write.transfer([f.roles.bob, 1n], { account: f.roles.holder });
  firstBlock = Number((await f.client.waitForTransactionReceipt({ hash: postedHash })).blockNumber);
  await mineWithLogs(1_600);
});
afterAll(() => anvil?.stop());

interface Node {
  readonly limit: Limit;
  /** Ranges of blocks of all requests for logs that the node answered. */
  readonly ranges: [number, number][];
}
type Kind = "whole" | "1,000 blocks a range" | "1,000 blocks of history" | "[] before its history";
const KINDS: readonly Kind[] = [
  "whole",
  "1,000 blocks a range",
  "1,000 blocks of history",
  "[] before its history",
];

/** Answers of nodes to a request for logs that begins before their history. */
const LOGS_GONE: Partial<Record<Kind, "refused" | "none">> = {
  "1,000 blocks of history": "refused",
  "[] before its history": "none",
};

/** A node of a kind. @param made log that the chain has in the node's view, beside its own */
function nodeOf(kind: Kind, head: number, made: { readonly blockNumber: Hex } | null): Node {
  const ranges: [number, number][] = [];
  const limit: Limit = (request) => {
    if (request.method !== "eth_getLogs") return null;
    const { fromBlock, toBlock, topics } = request.params![0] as {
      fromBlock: Hex;
      toBlock: Hex;
      topics?: unknown[];
    };
    const [from, to] = [Number(fromBlock), Number(toBlock)];
    if (kind === "1,000 blocks a range") {
      const refused = limitsRange(1_000, RANGE_REFUSALS["-32602"])(request);
      if (refused !== null) return refused;
    }
    ranges.push([from, to]);
    // The logs alone are gone: headers stay (EIP-4444).
    const gone = LOGS_GONE[kind];
    const answer =
      gone === undefined ? null : dropsBlocksBefore(head - SHOWN_BLOCKS + 1, head, gone)(request);
    if (answer !== null) return answer;
    const isMade = made !== null && from <= Number(made.blockNumber) && Number(made.blockNumber) <= to;
    return topics !== undefined && isMade ? { body: rpcResult([made]) } : null;
  };
  return { limit, ranges };
}

function madeLog(blockNumber: number, topics: readonly unknown[]) {
  return {
    address: f.deployment.rollup,
    topics,
    data: pad(numberToHex(5n)),
    blockNumber: numberToHex(blockNumber),
    transactionHash: `0x${"ab".repeat(32)}`,
    transactionIndex: "0x0",
    blockHash: `0x${"cd".repeat(32)}`,
    logIndex: "0x0",
    removed: false,
  } as const;
}

const withdrawal = (): Journey => ({
  id: "withdrawal",
  kind: "withdraw",
  amountWei: 5n,
  startedAtMs: 1,
  reachedAtMs: { signed: 1, accepted: 1, closed: 1, proven: 1, posted: 1, final: 1 },
  expectedAtMs: {},
  postedHash,
  l1Verdict: "agrees",
  batchNumber: 1,
});

const proposedDeposit = (): Journey => ({
  id: "deposit",
  kind: "deposit",
  amountWei: 5n * OPEN,
  startedAtMs: 1,
  reachedAtMs: { sent: 1 },
  expectedAtMs: {},
  proposal: {
    account: WALLET,
    hash: `0x${"12".repeat(32)}`,
    isTransaction: false,
    fromBlock: firstBlock,
    effect: { contract: "rollup", event: "QueueEntryAdded", args: { sender: WALLET } },
  },
});

/** Looks at a journey this many times, one block after the other. @returns the journey, and the ranges of each look */
async function looks(kind: Kind, journey: Journey, madeAt: number | null, count: number) {
  const head = Number(await f.client.getBlockNumber({ cacheTime: 0 }));
  const topics = encodeEventTopics({
    abi: rollupAbi,
    eventName: "WithdrawalFinalized",
    args: { recipient: me.address },
  });
  const node = nodeOf(kind, head, madeAt === null ? null : madeLog(head - madeAt, topics));
  const counts: number[] = [];
  const { result } = await behindLimit(anvil.url, node.limit, async (rpcUrl) => {
    const client: LedgerClient = await createLedgerClient({
      rpcUrl,
      rollupAddress: f.deployment.rollup,
      sequencerUrl: "http://127.0.0.1:9",
      wallet: me,
    });
    let now = journey;
    for (let i = 0; i < count; i++) {
      node.ranges.length = 0;
      now = await advance(client, now, STATUS, 0n);
      counts.push(node.ranges.length);
      await mineWithLogs(1);
    }
    return now;
  });
  return { now: result, counts, head };
}

describe("a withdrawal that was paid out 500 blocks ago", () => {
  it.each(KINDS)("is found by a node of %s", async (kind) => {
    const { now } = await looks(kind, withdrawal(), 500, 1);
    expect(now.problem).toBeUndefined();
    expect(now.payoutHash).toBe(`0x${"ab".repeat(32)}`);
    expect(isOver(now)).toBe(true);
  });
});

describe("a withdrawal whose payout the node does not show", () => {
  it.each(KINDS.slice(2))("has not failed, and says where a node of %s begins", async (kind) => {
    const { counts, head, now } = await looks(kind, withdrawal(), 1_500, 3);
    expect(now).toMatchObject({ searched: { fromBlock: head - SHOWN_BLOCKS + 1, isCut: true } });
    expect(now.problem).toBeUndefined();
    expect(now.lookProblem).toBeUndefined();
    expect(isOver(now)).toBe(false);
    // One request a look, once it has looked as far back as the node shows.
    expect(counts.slice(1)).toEqual([1, 1]);
  });
});

describe("a Safe's deposit, proposed 1,600 blocks ago and not executed", () => {
  it.each(KINDS)("waits at a node of %s", async (kind) => {
    const { counts, now } = await looks(kind, proposedDeposit(), null, 3);
    expect(now.problem).toBeUndefined();
    expect(isOver(now)).toBe(false);
    expect(now.searched?.isCut).toBe(KINDS.indexOf(kind) >= 2);
    // The Safe's events and the call's effect.
    expect(counts.slice(1)).toEqual([2, 2]);
  });
});

it("a node that refuses logs altogether is said, and ends no journey", async () => {
  const limit: Limit = ({ method }) =>
    method === "eth_getLogs" ? { body: rpcError(-32601, "eth_getLogs is not in your plan") } : null;
  const { result } = await behindLimit(anvil.url, limit, async (rpcUrl) => {
    const options = {
      rpcUrl,
      rollupAddress: f.deployment.rollup,
      sequencerUrl: "http://127.0.0.1:9",
      wallet: me,
    };
    return advance(await createLedgerClient(options), proposedDeposit(), STATUS, 0n);
  });
  expect(result.problem).toBeUndefined();
  expect(result.lookProblem).toMatchObject({
    code: "CLI_L1_REFUSED",
    message: expect.stringContaining("eth_getLogs is not in your plan"),
  });
  expect(isOver(result)).toBe(false);
});
