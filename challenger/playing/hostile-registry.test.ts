/** What would keep a watcher from a false model commitment, or take its ether for right ones; and an owner from answering. */

import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { clientWithout, revertEachTest } from "@openledger/contracts/testing/chain";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import { type Hex, HttpRequestError, type PublicClient, parseEther, toFunctionSelector } from "viem";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { REREAD_BLOCKS } from "../events/event-log.ts";
import { directChallengeData } from "../model-commitments/direct-calls.ts";
import type { PublishedFiles } from "../model-commitments/examine-model-commitment.ts";
import { directCase } from "../model-commitments/testing/direct-case.ts";
import {
  BOND_WEI,
  falseTokens,
  hiddenLie,
  lie,
  startDisputes,
  withoutLeaves,
} from "../model-commitments/testing/dispute-fixture.ts";
import { encodeLeaves } from "../statements/leaf-file.ts";
import { messageOf } from "./describe-round.ts";
import { challengerOf, defenderOf, lookAll, watchAll, watchOf } from "./testing/watch-all.ts";

const folder = testFolder("hostile-registry");
const f = started(() => startDisputes({ mostRows: 24 }));
const made = started(() => directCase(24));
const other = started(() => directCase(sampleRows("email", 30).slice(6)));
beforeAll(() => writeModel(join(folder, "11"), made.model));
revertEachTest(() => f);

/** @param rollup whose models the folder has @param client of a node that leaves something out */
const watcherOf = (rollup: Hex | null, client?: PublicClient) =>
  challengerOf(f, { rollup, places: { models: folder }, mostFeesWei: parseEther("0.5") }, client);

const answering = (client: PublicClient) => defenderOf(f, folder, client);
const watching = (client: PublicClient) => watcherOf(null, client);
test.each([
  ["ModelCommitted", watching, { answered: [], modelCommitments: [{ id: 1n }] }],
  ["ModelCommitted", answering, { answered: [{ index: 3n }] }],
  ["AvailabilityChallenged", answering, { answered: [{ index: 3n }] }],
] as const)(
  "%s that a node leaves out once is asked for again: who watches sees it, and an owner answers",
  async (eventName, open, seen) => {
    const id = await f.post(made.honest);
    await f.ask(id, "map", 3n);
    await f.client.mine({ blocks: Number(REREAD_BLOCKS) + 1 });
    let isForgetful = true;
    const client = clientWithout(f.client, disputesAbi, eventName, () => isForgetful);
    const challenger = await open(client);
    const incomplete = { failures: [{ code: "BRG_HISTORY_INCOMPLETE" }] };
    const nothing = { answered: [], modelCommitments: [] };
    expect(await challenger.look()).toMatchObject({ ...incomplete, view: nothing });
    isForgetful = false;
    expect(await challenger.look()).toMatchObject({ failures: [], view: seen });
  },
);

test("a watcher that looks again and again takes back what it is owed, and shows no key of a node", async () => {
  const posted = falseTokens(made).posted;
  const id = await f.post(posted);
  const fault = { kind: "tokens", row: 1 } as const;
  const data = directChallengeData(id, posted, made.rows, fault);
  await f.watcherOf(f.watcher).send({ data, valueWei: 0n });
  expect(await f.judged(made, id, posted, fault)).toBe("DisputesAlreadyRefuted");
  const watcher = await challengerOf(f, { everyMs: 60_000 });
  const { view } = await watcher.look();
  expect(view.withdrawals).toMatchObject([{ paidWei: BOND_WEI / 2n }]);
  const failure = new HttpRequestError({ url: "https://node.example/v3/KEY", status: 429, body: {} });
  expect(messageOf(failure)).toBe("HTTP request failed.");
});

test("no fee is paid for leaves of another rollup's models, whatever is served under their numbers", async () => {
  await f.post(made.honest);
  const [ours] = (await f.disputes.getEvents.ModelCommitted({}, { fromBlock: 0n })) as never as [
    { args: { rollup: Hex } },
  ];
  await f.post(other.honest);
  const watcher = await watcherOf(ours.args.rollup);
  const before = await f.client.getBalance({ address: f.disputes.address });
  for (let look = 0; look < 3; look++) await watcher.look();
  expect((await f.client.getBalance({ address: f.disputes.address })) - before).toBe(0n);
});

test("of another model's files no fee follows before the last day for it", async () => {
  await f.post(other.honest);
  const watcher = await watcherOf(null);
  const before = await f.client.getBalance({ address: f.disputes.address });
  const sent: unknown[] = [];
  for (let look = 0; look < 3; look++) {
    const { view } = await watcher.look();
    sent.push(view.modelCommitments[0]!.sent?.what ?? null);
  }
  expect((await f.client.getBalance({ address: f.disputes.address })) - before).toBe(0n);
  expect(sent).toEqual(["requestLeaves", null, null]);
});

afterEach(() => void vi.restoreAllMocks());

/** Looks again and again, by a clock that files move. @param filesOf told how many minutes they take */
async function slowWatch(
  filesOf: (id: bigint, takes: (minutes: number) => void) => Promise<PublishedFiles | null>,
) {
  const seen: bigint[] = [];
  let nowMs = Date.now();
  vi.spyOn(Date, "now").mockImplementation(() => nowMs);
  const takes = (minutes: number) => {
    nowMs += minutes * 60_000;
  };
  const reading = async ({ id }: { readonly id: bigint }) => {
    seen.push(id);
    return filesOf(id, takes);
  };
  const watch = await watchOf(f, f.watcherOf(f.watcher), reading, f.client as never, 60_000);
  return { seen, watch };
}

test("files that come for an hour each keep nobody from what is posted meanwhile", async () => {
  for (let i = 0; i < 6; i++) await f.post(made.honest);
  const { files, posted } = falseTokens(made);
  const { seen, watch } = await slowWatch(async (id, takes) => {
    takes(50);
    // While the first one is read, the false one is posted.
    if (id === 1n && seen.length === 1) await f.post(posted);
    if (id === 7n) return files;
    throw new Error("no model");
  });
  const first = await watch.look();
  // The first turn in a look takes nothing from the others' hour.
  expect([seen, first.isWaiting]).toEqual([[1n, 2n, 3n], true]);
  const codes = ({ failures }: typeof first) => failures.map((one) => (one as { code: string }).code);
  expect(codes(first)).not.toContain("CMD_FALSE_UNCHALLENGED");
  await f.passTime(4n * 86_400n + 1n);
  const second = await watch.look();
  expect(seen.slice(3)).toEqual([4n, 5n, 6n]);
  expect(second.views).toHaveLength(7);
  // Each that is left, with three days to go.
  expect(codes(second).filter((code) => code === "CMD_FALSE_UNCHALLENGED")).toHaveLength(4);
  await watch.look();
  expect(seen[6]).toBe(7n);
  expect(await f.disputes.read.modelCommitments([7n])).toMatchObject({ 2: true });
});

test("what answers a fee comes after what has had the least time, before all others; no digest is read as megabytes", async () => {
  const { files, posted } = hiddenLie(made);
  const id = await f.post(posted);
  for (let i = 0; i < 4; i++) await f.post(made.honest);
  const { seen, watch } = await slowWatch(async (one, takes) => {
    takes(one === id ? 1 : 50);
    return one === id ? files : null;
  });
  // What the challenge of the false row shows, and no other leaf: the inverse's row.
  expect((await watch.look()).views[0]).toMatchObject({
    ...{ sent: { what: "challengeAvailability" }, examined: { wanted: [{ tree: "map" }] } },
  });
  expect(seen).toEqual([1n, 2n, 3n]);
  await f.show(id, posted, await f.asked(), made.rows);
  expect((await watch.look()).views[0]!.sent!.what).toBe("challenge");
  // Attack: an owner who answers without end, whose looks take an hour: the false one beside it has its turn.
  expect(seen.slice(3, 5)).toEqual([4n, id]);
  const rows = made.honest.leaves.rows.with(3, new Uint8Array(2 ** 20).fill(7));
  const long = lie(made, { rows });
  const other = await f.post(long.posted);
  const content = new Uint8Array([...made.rows[9]!.content, 10]);
  const served = {
    ...{ ...long.files, rows: made.rows.with(9, { ...made.rows[9]!, content }) },
    leaves: encodeLeaves(long.posted.leaves),
  };
  const views = await watchAll(f, null, async (one) => (one.id === other ? served : null));
  expect(views.at(-1)!.examined!.wanted.length).toBeGreaterThan(0);
});

test("what a training alone shows is trained, or told of, before its window ends, whatever fees wait", async () => {
  const waiting = hiddenLie(made);
  const rights = [await f.post(made.honest), await f.post(made.honest), await f.post(made.honest)];
  const trained: bigint[] = [];
  const { watch } = await slowWatch(async (id) => {
    const train = async () => {
      trained.push(id);
      return { mismatch: null, verdict: null };
    };
    return rights.includes(id) ? { ...withoutLeaves(made), train } : waiting.files;
  });
  const told = async () =>
    (await watch.look()).failures.filter((one) => isRollupError(one, "CMD_FALSE_UNCHALLENGED"));
  await f.passTime(7n * 43_200n);
  await f.post(waiting.posted);
  expect(await told()).toEqual([]);
  // The lie's leaf is waited for, and looks that do nothing do not follow at once.
  expect((await watch.look()).isWaiting).toBe(false);
  await f.passTime(80_000n);
  expect(await told()).toMatchObject([{ data: { modelCommitment: rights[2] } }]);
  expect(trained).toEqual(rights.slice(0, 2));
});

test("requests without a fee leave what a challenge takes", async () => {
  await f.post(made.honest);
  const { baseFeePerGas } = await f.client.getBlock();
  await f.client.setBalance({ address: f.watcher, value: 6_000_000n * 2n * baseFeePerGas! });
  const [seen] = await watchAll(f, f.watcherOf(f.watcher), async () => null);
  expect([seen!.sent, seen!.failure]).toEqual([null, expect.stringContaining("keeps its ether")]);
});

test("a hidden leaf beside a false place takes nothing from the alarm of the false one", async () => {
  const rows = made.honest.leaves.rows.map((leaf, i) => (i === 3 ? leaf.slice(0, 31) : leaf));
  const tokens = falseTokens(made).posted.leaves.tokens;
  const { files, posted } = lie(made, { rows, tokens });
  const id = await f.post(posted);
  const honest = f.watcherOf(f.watcher);
  const challenges = disputesAbi.find((one) => one.type === "function" && one.name === "challenge")!;
  const selector = toFunctionSelector(challenges as never);
  const poor = {
    ...honest,
    send: async (call: { data: Hex; valueWei: bigint }) => {
      if (call.data.startsWith(selector)) throw new Error("no ether");
      return honest.send(call);
    },
  };
  for (const watcher of [poor, null])
    expect((await lookAll(f, watcher, async () => files)).failures).toMatchObject([
      { code: "CMD_FALSE_UNCHALLENGED", data: { modelCommitment: id } },
    ]);
});

test("a place whose number no double has is answered as any other behind the last leaf", async () => {
  const id = await f.post(made.honest);
  const asked = [2n ** 53n + 1n, 2n ** 256n - 1n];
  for (const index of asked) await f.ask(id, "map", index);
  const { failures, view } = await (await defenderOf(f, folder)).look();
  expect(failures).toEqual([]);
  expect(view.answered).toMatchObject(asked.map((index) => ({ index })));
  // What nobody has shown a day later takes the bond.
  expect((await f.disputes.read.modelCommitments([id]))[4]).toBe(0);
});
