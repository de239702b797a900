/** Restores a ledger from a snapshot by a node that has dropped everything before the snapshot's batch. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, dropsBlocksBefore, type Limit } from "@openledger/bridge/testing/limited-node";
import { MODEL_ID, SAMPLED_CIRCUIT, startModelHistory } from "@openledger/bridge/testing/model-history";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { toContractEntry } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { partOf } from "@openledger/foundation/testing/test-random";
import { planExits } from "@openledger/verifier/exits/exit-plan";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { underPrefix } from "../../store/store-keys.ts";
import { openTestLog } from "../../testing/open-test-log.ts";
import { temporaryFolder } from "../../testing/test-rollup.ts";
import { openFollowedLedger } from "../follow-store.ts";
import { readFollowedRollup } from "../followed-ledger.ts";
import { restoreFromL1 } from "./restore-from-l1.ts";
import { makeSnapshot, verifySnapshot } from "./snapshots.ts";

const ALICE = 2;
const HARD_DEADLINE = 7n * 86_400n;
const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
afterAll(() => folder.remove());

interface World {
  readonly rpcUrl: string;
  readonly rollupAddress: Hex;
  readonly finalityDepthBlocks: number;
}
const worldOf = (f: { rpcUrl: string; rollup: { address: Hex } }): World => ({
  rpcUrl: f.rpcUrl,
  rollupAddress: f.rollup.address,
  finalityDepthBlocks: 1,
});

async function take(world: World, name: string, dataPath?: string): Promise<LedgerSnapshot> {
  await makeSnapshot({ ...world, path: at(name), dataPath });
  return (await readSnapshot(at(name))).snapshot;
}

/** Runs something by a node that has dropped all blocks before one. */
async function pruned<T>(
  world: World,
  { first, logs = "refused" }: { first: number; logs?: "refused" | "none" },
  run: (world: World) => Promise<T>,
): Promise<T> {
  const head = await createPatientL1Client(world).getBlockNumber();
  const limit: Limit = dropsBlocksBefore(first, Number(head), logs);
  return (await behindLimit(world.rpcUrl, limit, (rpcUrl) => run({ ...world, rpcUrl }))).result;
}

const planOf = async ({ rollupAddress, rpcUrl }: World, snapshot?: LedgerSnapshot) => {
  const rollup = new RollupContract({
    client: createPatientL1Client({ rpcUrl }),
    address: rollupAddress,
  });
  const { replay } = await restoreLedger(rollup, { snapshot });
  return planExits(replay, { owner: null });
};

/** Contents of a full node's directory, without those before a snapshot. */
async function contents(dataPath: string, { position }: LedgerSnapshot) {
  const log = await openTestLog(dataPath);
  try {
    const leaves = new Map((await log.finalLedger()).leaves);
    const under = (prefix: string) => log.keyed(underPrefix(prefix));
    return {
      leaves,
      position: await log.finalPosition(),
      queue: await log.queueEntriesFrom(position.queueHead),
      payments: await under("payment"),
      epochs: await under("epoch"),
      closes: await under("l1-close"),
    };
  } finally {
    await log.close();
  }
}

describe("from a snapshot, by a node that has dropped older blocks", () => {
  let f: Awaited<ReturnType<typeof startModelHistory>>;
  let world: World;
  let snapshot: LedgerSnapshot;
  /** Two of the snapshot's three entries are taken behind it, and one waits with a later one. */
  beforeAll(async () => {
    f = await startModelHistory();
    world = worldOf(f);
    const { roles, rollup } = f.l1;
    const { alice, bob } = roles;
    const wait = async (hash: Promise<Hex>) => f.l1.client.waitForTransactionReceipt({ hash: await hash });
    const pay = (preconfirmation: bigint) =>
      f.post(() => () => [
        f.sign(ALICE, {
          kind: KIND.payInference,
          b: MODEL_ID,
          words: [preconfirmation],
          amountCode: encodeAmount(OPEN),
        }),
      ]);
    await f.makeModel();
    await f.openModel();
    const closingBatch = await f.closeEpoch();
    await f.recordRandomness(closingBatch);
    await wait(rollup.write.depositNew([5n * OPEN, bob, 1n, ANY_FEE], { account: bob }));
    await wait(rollup.write.forceWithdraw([ALICE, 3n * OPEN, alice, ANY_FEE], { account: alice }));
    await wait(rollup.write.depositTo([ALICE, 4n * OPEN, alice, ANY_FEE], { account: bob }));
    await pay(500n);
    snapshot = await take(world, "snapshot");
    const [first, second] = await f.queueOperations();
    await f.submit([await f.close(() => [first!, second!], undefined, SHAPES[1])]);
    await wait(rollup.write.depositTo([ALICE, 6n * OPEN, alice, ANY_FEE], { account: bob }));
    await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
    await pay(501n);
    // The node no longer has its state at the snapshot's batch.
    await f.l1.client.mine({ blocks: 200 });
  });
  afterAll(() => f?.stop());

  const restore = async (from: World, dataPath: string, used?: LedgerSnapshot) => {
    const client = createPatientL1Client({ rpcUrl: from.rpcUrl });
    const rollup = new RollupContract({ client, address: from.rollupAddress });
    const facts = await readFollowedRollup(rollup);
    const onFatal = (error: unknown) => expect.unreachable(String(error));
    const followed = await openFollowedLedger(
      dataPath,
      { ...from, snapshot: used },
      { rollup, facts, onFatal },
    );
    await followed.log.close();
  };

  it.each(["refused", "none"] as const)(
    "the directory and the exits are those of L1's whole history; older events: %s",
    async (logs) => {
      const first = snapshot.blockNumber;
      expect(snapshot.waiting).toHaveLength(3);
      await restore(world, at(`full-${logs}`));
      await pruned(world, { first, logs }, (from) => restore(from, at(`pruned-${logs}`), snapshot));
      const full = await contents(at(`full-${logs}`), snapshot);
      expect(await contents(at(`pruned-${logs}`), snapshot)).toEqual(full);
      expect(full.queue.map(({ status }) => status)).toEqual(["executed", "executed", "queued", "queued"]);
      const plan = await pruned(world, { first, logs }, (from) => planOf(from, snapshot));
      expect(plan).toEqual(await planOf(world));
      expect(plan.filter(({ kind }) => kind === "deposit")).toHaveLength(2);
      const verify = (from: World) => verifySnapshot({ ...from, path: at("snapshot") });
      expect(await pruned(world, { first, logs }, verify)).toMatchObject({ blockNumber: first });
    },
    30_000,
  );

  it("is made of a data directory, with the same entries", async () => {
    const path = at("of-full-node");
    await restore(world, path);
    await expect(restoreFromL1({ ...world, dataPath: path })).rejects.toMatchObject({
      code: "SEQ_WRONG_DIRECTORY",
      data: { reason: "store-not-empty" },
    });
    const ofDirectory = await take(world, "made-of-directory", path);
    const ofL1 = await take(world, "made-of-l1");
    expect(ofL1.waiting).toHaveLength(2);
    expect(ofDirectory).toMatchObject({ position: ofL1.position, blockNumber: ofL1.blockNumber });
    const lower = (made: LedgerSnapshot) =>
      made.waiting.map((entry) => ({ ...entry, sender: entry.sender.toLowerCase() }));
    expect(lower(ofDirectory)).toEqual(lower(ofL1));
    // A sequencer's directory has only entries that its bridge has handed over: none yet.
    const fresh = at("of-sequencer");
    await restoreFromL1({ ...world, dataPath: fresh });
    await expect(take(world, "never", fresh)).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "false" },
    });
    expect(existsSync(at("never"))).toBe(false);
    // A directory that goes on from a snapshot.
    const again = at("from-made");
    await restore(world, again, ofDirectory);
    expect(await take(world, "made-again", again)).toEqual(ofDirectory);
  });

  it("says that the node does not keep the snapshot's batch, and believes no empty list", async () => {
    const first = snapshot.blockNumber + 1;
    const codeOf = (logs: "refused" | "none", used?: LedgerSnapshot) =>
      pruned(world, { first, logs }, (from) => planOf(from, used)).then(
        () => "none",
        ({ code }: { code: string }) => code,
      );
    expect(await codeOf("none", snapshot)).toBe("BRG_HISTORY_INCOMPLETE");
    expect(await codeOf("refused", snapshot)).toBe("BRG_L1_REFUSED");
    expect(await codeOf("none")).toBe("BRG_HISTORY_INCOMPLETE");
    expect(await codeOf("refused")).toBe("BRG_L1_REFUSED");
  });

  const [TAKEN, WAITS] = [0, 2];
  const entry = (i: number, change: object): LedgerSnapshot => ({
    ...snapshot,
    waiting: snapshot.waiting.map((one, k) => (k === i ? { ...one, ...change } : one)),
  });
  const changes: Record<string, object> = {
    kind: { kind: KIND.forcedWithdraw },
    a: { a: 9 },
    b: { b: 9 },
    amount: { amountWei: 400n * OPEN },
    "first word": { word1: 8n },
    "second word": { word2: 8n },
    sender: { sender: `0x${"11".repeat(20)}` },
  };
  it.each(partOf(Object.entries(changes), 4))(
    "refuses a waiting entry with another %s",
    async (_name, change) => {
      await expect(planOf(world, entry(WAITS, change))).rejects.toMatchObject({
        code: "BRG_SNAPSHOT_INVALID",
        data: { reason: "false" },
      });
      // An entry that was taken since: the batch that took it shows its content.
      await expect(planOf(world, entry(TAKEN, change))).rejects.toMatchObject({ code: "BRG_VERIFY_DIFFERS" });
    },
  );

  const cases: Record<string, () => LedgerSnapshot> = {
    "an entry less": () => ({ ...snapshot, waiting: snapshot.waiting.slice(0, -1) }),
    "no entries": () => ({ ...snapshot, waiting: [] }),
    "an entry more": () => ({
      ...snapshot,
      waiting: [
        ...snapshot.waiting,
        { ...snapshot.waiting[WAITS]!, queueIndex: snapshot.position.queueHead + 3 },
      ],
    }),
    "entries in another order": () => ({ ...snapshot, waiting: [...snapshot.waiting].reverse() }),
    "an entry of its own block": () => entry(WAITS, { l1BlockNumber: snapshot.blockNumber }),
    "the block before": () => ({ ...snapshot, blockNumber: snapshot.blockNumber - 1 }),
    "a block to come": () => ({ ...snapshot, blockNumber: snapshot.blockNumber + 100_000 }),
  };
  it.each(partOf(Object.entries(cases), 3))("refuses a snapshot with %s", async (_name, make) => {
    await expect(planOf(world, make())).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "false" },
    });
  });

  it("says of a file of the older format that one has to be made anew", async () => {
    const text = readFileSync(at("snapshot"), "utf8");
    writeFileSync(at("old"), text.replace("openledger-snapshot/2", "openledger-snapshot/1"));
    await expect(readSnapshot(at("old"))).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "unreadable" },
      message: expect.stringContaining("it is of format openledger-snapshot/1"),
    });
  });
});

it("plans the exits of a frozen rollup whose waiting deposits were refunded, from before the refund", async () => {
  const f = await startHistoryFixture({ settlementSizes: [exitSizes(), exitSizes(16)] });
  try {
    const world = worldOf(f);
    const { client, roles, rollup } = f.l1;
    const wait = async (hash: Promise<Hex>) => client.waitForTransactionReceipt({ hash: await hash });
    await f.makeHistory();
    await wait(rollup.write.depositTo([ALICE, 6n * OPEN, roles.alice, ANY_FEE], { account: roles.bob }));
    const domain = await f.rollup.domain();
    await f.l1.submit([await f.close(() => [f.transfer("alice", 3, OPEN, domain)])]);
    const snapshot = await take(world, "frozen");
    expect(snapshot.waiting).toHaveLength(2);
    await f.l1.passTime(HARD_DEADLINE + 3_600n);
    await wait(rollup.write.freeze({ account: roles.alice }));
    const [entry] = await f.queueOperations();
    const { queueIndex, sender } = entry!;
    const refunded = {
      index: BigInt(queueIndex),
      entry: toContractEntry(entry!),
      sender: `0x${sender.toString(16).padStart(40, "0")}`,
    } as const;
    await wait(rollup.write.refund([[refunded]], { account: roles.alice }));
    const plan = await pruned(world, { first: snapshot.blockNumber }, (from) => planOf(from, snapshot));
    expect(plan).toEqual(await planOf(world));
    expect(plan.flatMap((item) => (item.kind === "deposit" ? [item.isTaken] : []))).toEqual([true, false]);
    const [first, ...others] = snapshot.waiting;
    const false_ = { ...snapshot, waiting: [{ ...first!, amountWei: 5n * OPEN }, ...others] };
    await expect(planOf(world, false_)).rejects.toMatchObject({ code: "BRG_VERIFY_DIFFERS" });
  } finally {
    await f.stop();
  }
});
