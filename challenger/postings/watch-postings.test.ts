import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { createPublicClient, custom, encodeEventTopics, encodeFunctionData, RpcRequestError } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LeafTree, leafHash } from "../statements/leaf-tree.ts";
import { type Leaves, TREES, type TreeName } from "../statements/posted-model.ts";
import { openingOf, statementTuple } from "../statements/posting-calls.ts";
import type { PublishedFiles } from "./examine-posting.ts";
import { readPostings } from "./read-postings.ts";
import {
  BOND_WEI,
  DEMAND_FEE_WEI,
  type DisputeFixture,
  lie,
  startDisputes,
  type TrainedCase,
  trainedCase,
  watchFiles,
} from "./testing/dispute-fixture.ts";
import { revertBetweenTests } from "./testing/revert-between-tests.ts";
import { type Watcher, watchOnce } from "./watch-postings.ts";

const DAY = 86_400n;
const JUNK = new Uint8Array(32).fill(7);
let f: DisputeFixture;
let made: TrainedCase;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), trainedCase(24)]);
});
afterAll(() => f?.stop());
revertBetweenTests(() => f.client);

const watch = (files: PublishedFiles, watcher?: Watcher) => watchFiles(f, files, watcher);

/** One leaf changed. */
function changed(tree: TreeName, index: number, bytes: Uint8Array): Partial<Leaves> {
  return { [tree]: made.honest.leaves[tree].map((leaf, i) => (i === index ? bytes : leaf)) };
}

describe("what would keep a watcher from a wrong place", () => {
  const factsTree = TREES.indexOf("facts");
  const unpublished = () => ({ model: made.model, rows: made.rows, leaves: null, mismatch: null });

  test("bytes behind the last leaf: it cannot be shown, and that refutes", async () => {
    const { files, posted } = lie(made, changed("facts", 0, withLeader(0, 1)));
    const facts = paddedTree(posted.leaves.facts);
    const roots = { ...posted.statement.roots, facts: facts.root };
    const padded = {
      ...posted,
      trees: { ...posted.trees, facts },
      statement: { ...posted.statement, roots },
    };
    const id = await f.post(padded.statement);
    const [seen] = await watch(files);
    expect(seen!.examined!.wanted[0]).toEqual({ tree: "facts", index: 23 });
    expect(seen!.sent!.what).toBe("demand");
    for (const opened of [padded, posted]) {
      const args = [
        id,
        statementTuple(padded.statement),
        factsTree,
        23n,
        openingOf(opened, "facts", 23),
      ] as const;
      const data = encodeFunctionData({ abi: disputesAbi, functionName: "answer", args });
      const answer = { account: f.owner, to: f.disputes.address, data };
      expect(await f.refusal(answer)).toBe("DisputesOpeningInvalid");
    }
    await f.passTime(DAY + 1n);
    expect((await watch(files))[0]!.sent!.what).toBe("unanswered");
  });

  test("a sum that is spent demands no more", async () => {
    const { posted } = lie(made, changed("features", 3, made.honest.leaves.features[20]!));
    const id = await f.post(posted.statement);
    const poor = { ...f.watcherOf(f.watcher), mostDemandsWei: DEMAND_FEE_WEI };
    const [seen] = await watch(unpublished(), poor);
    const { tree, index } = seen!.examined!.wanted[0]!;
    const args = [id, statementTuple(posted.statement), TREES.indexOf(tree), BigInt(index)] as const;
    await f.disputes.write.answer([...args, openingOf(posted, tree, index)], { account: f.owner });
    expect((await watch(unpublished(), poor))[0]!.sent).toBeNull();
  });
});

test("events are read from the contract's block on, in chunks that the node answers", async () => {
  await f.post(made.honest.statement);
  const asked: [from: number, to: number][] = [];
  const MOST_BLOCKS = 8;
  const limited = createPublicClient({
    transport: custom(
      {
        async request({ method, params }) {
          if (method === "eth_getLogs") {
            const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
            const range: [number, number] = [Number(fromBlock), Number(toBlock)];
            if (range[1] - range[0] >= MOST_BLOCKS) throw new RpcRequestError(REFUSED);
            asked.push(range);
          }
          return f.client.request({ method, params } as never);
        },
      },
      { retryCount: 0 },
    ),
  });
  await f.client.mine({ blocks: 3 * MOST_BLOCKS });
  const [found] = await readPostings(limited, f.disputes.address);
  expect(found!.statement).toEqual(made.honest.statement);
  const head = Number(await f.client.getBlockNumber({ cacheTime: 0 }));
  const deployed = Math.min(...asked.map(([from]) => from));
  const codeAt = (blockNumber: number) =>
    f.client.getCode({ address: f.disputes.address, blockNumber: BigInt(blockNumber) });
  expect(await codeAt(deployed)).toBeDefined();
  expect(await codeAt(deployed - 1)).toBeUndefined();
  expect(Math.max(...asked.map(([, to]) => to))).toBe(head);
});

const REFUSED = {
  body: {},
  error: { code: -32_005, message: "query exceeds max block range" },
  url: "http://127.0.0.1",
};

test("no number of attestations in one block hides a posting from a watcher", async () => {
  const id = await f.post(made.honest.statement);
  await f.disputes.write.attest([id], { account: f.owner });
  const [attested] = encodeEventTopics({ abi: disputesAbi, eventName: "Attested" });
  // As if there were too many of them in every block.
  const capped = createPublicClient({
    transport: custom(
      {
        async request({ method, params }) {
          const [asked] = (params ?? []) as [{ topics?: unknown[] }?];
          const [event, ofId, ofWho] = asked?.topics ?? [];
          if (method === "eth_getLogs" && event === attested && ofId == null && ofWho == null)
            throw new RpcRequestError(REFUSED);
          return f.client.request({ method, params } as never);
        },
      },
      { retryCount: 0 },
    ),
  });
  expect(await readPostings(capped, f.disputes.address)).toMatchObject([{ id, attestedBy: null }]);
  const look = () =>
    watchOnce({
      ...{ publicClient: capped, watcher: f.watcherOf(f.watcher), disputes: f.disputes.address },
      filesOf: async () => ({ model: made.model, rows: made.rows, leaves: null, mismatch: null }),
    });
  expect((await look())[0]).toMatchObject({ sent: { what: "attest" }, failure: null });
  expect((await look())[0]).toMatchObject({ sent: null, posting: { attestedBy: [f.watcher] } });
});

test("a posting has at most as many rows as a transaction can be shown of", async () => {
  const refused = async (rowCount: number) => {
    const { statement } = made.honest;
    const binding = statement.binding + (BigInt(rowCount - statement.rowCount) << 56n);
    const args = (await f.postArguments({ ...statement, rowCount, binding })) as never;
    const data = encodeFunctionData({ abi: disputesAbi, functionName: "post", args });
    return f.refusal({ account: f.owner, to: f.disputes.address, data, value: BOND_WEI });
  };
  expect(await refused(MOST_CHALLENGED_ROWS)).toBe("DisputesConstantsMissing");
  expect(await refused(MOST_CHALLENGED_ROWS + 1)).toBe("DisputesStatementInvalid");
});

function withLeader(row: number, leader: number): Uint8Array {
  const fact = made.honest.leaves.facts[row]!.slice();
  new DataView(fact.buffer).setUint32(28, leader);
  return fact;
}

/** As leafTree makes it, but for what lies behind the last leaf. */
function paddedTree(leaves: readonly Uint8Array[]): LeafTree {
  const levels = [Array.from({ length: 32 }, (_, i) => (i < leaves.length ? leafHash(leaves[i]!) : JUNK))];
  for (let below = levels[0]!; below.length > 1; below = levels.at(-1)!) {
    const pairOf = (i: number) => concatBytes(below[2 * i]!, below[2 * i + 1]!);
    levels.push(Array.from({ length: below.length / 2 }, (_, i) => keccak_256(pairOf(i))));
  }
  const path = (index: number) => levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1]!);
  return { root: levels.at(-1)![0]!, path };
}
