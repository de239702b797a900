/** Tests of restores and verification from a snapshot, also from false ones. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MODEL_ID, SAMPLED_CIRCUIT, startModelHistory } from "@openledger/bridge/testing/model-history";
import { partOf } from "@openledger/foundation/testing/test-random";
import type { LedgerSnapshot } from "@openledger/verifier/replay/ledger-snapshot";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { startFrom } from "@openledger/verifier/restore/restore-ledger";
import { readSnapshot, writeSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LedgerLog } from "../../store/ledger-log.ts";
import { storeKeys, underPrefix } from "../../store/store-keys.ts";
import { openTestLog } from "../../testing/open-test-log.ts";
import { temporaryFolder } from "../../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore-from-l1.ts";
import { makeSnapshot, verifySnapshot } from "./snapshots.ts";

const folder = temporaryFolder();
const at = (name: string) => join(folder.path, name);
let f: Awaited<ReturnType<typeof startModelHistory>>;
let l1: { rpcUrl: string; rollupAddress: `0x${string}`; finalityDepthBlocks: number };
/** Snapshot after two payments of the open epoch. */
let early: LedgerSnapshot;
/** Snapshot after the CloseEpoch, with its randomness. */
let closed: LedgerSnapshot;

async function take(name: string): Promise<LedgerSnapshot> {
  await makeSnapshot({ ...l1, path: at(name) });
  return (await readSnapshot(at(name))).snapshot;
}

beforeAll(async () => {
  f = await startModelHistory();
  l1 = { rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, finalityDepthBlocks: 1 };
  await f.makeModel();
  await f.openModel();
  early = await take("early");
  const closingBatch = await f.closeEpoch();
  closed = await take("closed");
  await f.recordRandomness(closingBatch);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  await f.closeEpoch((i) => 200n + BigInt(i));
  await f.claimRewards(0);
});
afterAll(async () => {
  await f.stop();
  folder.remove();
});

/** Contents of a directory: leaves, position, and records under some prefixes. */
async function contents(dataPath: string) {
  const log = await openTestLog(dataPath);
  try {
    const position = await log.finalPosition();
    const leaves = new Map((await log.finalLedger()).leaves);
    const under = (prefix: string) => log.keyed(underPrefix(prefix));
    const [payments, epochs, closes] = [
      await under("payment"),
      await under("epoch"),
      await under("l1-close"),
    ];
    const waiting = await log.queueEntriesFrom(position!.queueHead);
    return { position, leaves, payments, epochs, closes, waiting };
  } finally {
    await log.close();
  }
}

describe("a data directory from a snapshot", () => {
  it("is what a full replay makes, with the batches behind the snapshot only", async () => {
    await restoreFromL1({ ...l1, dataPath: at("full") });
    const full = await contents(at("full"));
    for (const [name, snapshot] of Object.entries({ early, closed })) {
      const seen: number[] = [];
      const onBatch = (batchNumber: number) => seen.push(batchNumber);
      const dataPath = at(`from-${name}`);
      await restoreFromL1({ ...l1, dataPath, snapshot, onBatch });
      expect(seen[0]).toBe(snapshot.position.batchNumber + 1);
      expect(await contents(dataPath)).toEqual(full);
      const log = await openTestLog(dataPath);
      expect(await log.get(storeKeys.batch(snapshot.position.batchNumber))).toBeUndefined();
      await log.close();
    }
    expect(full.payments, "of the settled epoch, too").toHaveLength(6);
    expect(full.position!.batchNumber).toBe((await f.rollup.state()).batchNumber);
  });

  it("goes on where it was cut short, and is no sequencer's until then", async () => {
    const dataPath = at("cut");
    const cutAt = 3;
    const onBatch = (batchNumber: number) => {
      if (batchNumber === cutAt) throw new Error("cut short");
    };
    await expect(restoreFromL1({ ...l1, dataPath, onBatch })).rejects.toThrow("cut short");
    const owner = { chainId: early.chainId, rollupAddress: l1.rollupAddress };
    await expect(LedgerLog.open(dataPath, owner)).rejects.toMatchObject({ code: "SEQ_WRONG_DIRECTORY" });
    const seen: number[] = [];
    await restoreFromL1({ ...l1, dataPath, onBatch: (batchNumber) => seen.push(batchNumber) });
    expect(seen[0]).toBe(cutAt + 1);
    expect(await contents(dataPath)).toEqual(await contents(at("full")));
    const log = await LedgerLog.open(dataPath, owner);
    expect(await log.get(storeKeys.unpromisedPositions)).toMatchObject([{ end: null }]);
    await log.close();
    await expect(restoreFromL1({ ...l1, dataPath })).rejects.toMatchObject({ code: "SEQ_WRONG_DIRECTORY" });
  });

  it("gives the same snapshot as the directory that it was used for", async () => {
    const path = at("of-directory");
    const made = await makeSnapshot({ ...l1, path, dataPath: at("full") });
    const direct = await makeSnapshot({ ...l1, path: at("direct") });
    expect(made.position).toEqual(direct.position);
    const [one, other] = [await readSnapshot(path), await readSnapshot(at("direct"))];
    expect(new Map([...one.snapshot.leaves].sort())).toEqual(new Map([...other.snapshot.leaves].sort()));
    expect(one.snapshot.epochs).toEqual(other.snapshot.epochs);
    expect(await verifySnapshot({ ...l1, path })).toMatchObject({ sha256: made.sha256 });
  });
});

describe("verification from a snapshot", () => {
  it("comes to what the whole one comes to, by the proofs since, and believes none that is not L1's", async () => {
    const verifyProof = async () => true;
    const whole = await verifyRollup({ ...l1, verifyProof });
    const { batchCount, ledgerWei, leafCount, queueEntryCount, root } = whole;
    for (const snapshot of [early, closed]) {
      const since = await verifyRollup({ ...l1, verifyProof, start: startFrom(snapshot) });
      expect(since).toMatchObject({ batchCount, ledgerWei, leafCount, queueEntryCount, root });
      expect(since.proofCount).toBeLessThan(whole.proofCount);
    }
    await expect(
      verifyRollup({ ...l1, verifyProof: async () => false, start: startFrom(closed) }),
    ).rejects.toMatchObject({ code: "BRG_VERIFY_DIFFERS" });
    const position = { ...closed.position, root: closed.position.root + 1n };
    await expect(
      verifyRollup({ ...l1, verifyProof, start: startFrom({ ...closed, position }) }),
    ).rejects.toMatchObject({ code: "BRG_SNAPSHOT_INVALID" });
  });
});

describe("a false snapshot", () => {
  const model = (change: (record: NonNullable<ReturnType<LedgerSnapshot["leaves"]["get"]>>) => object) => {
    const leaves = new Map(closed.leaves);
    const record = leaves.get(MODEL_ID)!;
    leaves.set(MODEL_ID, { ...record, ...change(record) });
    return { ...closed, leaves };
  };
  const payments = (change: object) => {
    const known = closed.epochs.get(MODEL_ID)!;
    return { ...closed, epochs: new Map([[MODEL_ID, { ...known, ...change }]]) };
  };
  const position = (change: object) => ({ ...closed, position: { ...closed.position, ...change } });
  const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

  const cases: Record<string, () => LedgerSnapshot> = {
    "another balance": () => {
      const leaves = new Map(closed.leaves);
      const record = leaves.get(2)!;
      leaves.set(2, { ...record, leaf: { ...record.leaf, balance: record.leaf.balance + 1n } });
      return { ...closed, leaves };
    },
    "a balance with the same hash": () => {
      const leaves = new Map(closed.leaves);
      const record = leaves.get(2)!;
      leaves.set(2, { ...record, leaf: { ...record.leaf, balance: record.leaf.balance + R } });
      return { ...closed, leaves };
    },
    "a leaf less": () => {
      const leaves = new Map(closed.leaves);
      leaves.delete(2);
      return { ...closed, leaves };
    },
    "a leaf beyond the last": () => {
      const leaves = new Map(closed.leaves);
      leaves.set(closed.position.nextId, leaves.get(2)!);
      return { ...closed, leaves };
    },
    "another opening of a body": () => model(({ model: body }) => ({ model: { ...body!, epochStart: 1n } })),
    "other accrued rewards": () =>
      model(({ rewards }) => ({
        rewards: { ...rewards!, accruedWei: [1n, ...rewards!.accruedWei.slice(1)] },
      })),
    "claimed rewards": () => model(({ rewards }) => ({ rewards: { ...rewards!, claimedWei: [1n] } })),
    "other row counts": () =>
      model(({ rewards }) => ({
        rewards: {
          ...rewards!,
          payees: rewards!.payees.map((payee) => ({ ...payee, rowCount: payee.rowCount + 1 })),
        },
      })),
    "an owner that packs to the same leaf": () =>
      model(({ rewards }) => ({
        rewards: {
          ...rewards!,
          payees: rewards!.payees.map((payee) => ({
            ...payee,
            contributorId: payee.contributorId + 2 ** 24 * payee.validatorId,
            validatorId: 0,
          })),
        },
      })),
    "no closed epoch": () => model(({ rewards }) => ({ rewards: { ...rewards!, closed: null } })),
    "no rewards": () => model(() => ({ rewards: undefined })),
    "a payment less": () => payments({ closed: { ...closed.epochs.get(MODEL_ID)!.closed!, payments: [] } }),
    "a payment of the open epoch": () =>
      payments({ open: { epoch: 2, payments: closed.epochs.get(MODEL_ID)!.closed!.payments } }),
    "other amounts with the same sums": () => {
      const known = closed.epochs.get(MODEL_ID)!.closed!;
      const changed = known.payments.map((payment, i) => ({
        ...payment,
        amountWei: i === 0 ? 0n : payment.amountWei,
      }));
      return payments({ closed: { ...known, payments: changed } });
    },
    "no payments of a model": () => ({ ...closed, epochs: new Map() }),
    "another chain": () => ({ ...closed, chainId: 1 }),
    "another number": () => position({ batchNumber: closed.position.batchNumber + 1 }),
    "a number that L1 has not reached": () => position({ batchNumber: 1_000 }),
    "another time": () => position({ timestamp: closed.position.timestamp + 1n }),
    "another count of operations": () => position({ opIndex: closed.position.opIndex + 1 }),
    "another queue": () => position({ queueHead: 0 }),
  };

  it.each(partOf(Object.entries(cases), 4))("with %s is refused", async (name, make) => {
    const snapshot = make();
    await writeSnapshot(at("false"), snapshot);
    // No leaf has such an id, so the file's form refuses it.
    const reason = name === "an owner that packs to the same leaf" ? "unreadable" : "false";
    await expect(verifySnapshot({ ...l1, path: at("false") })).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason },
    });
    const dataPath = at("never");
    await expect(restoreFromL1({ ...l1, dataPath, snapshot })).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "false" },
    });
    const log = await openTestLog(dataPath);
    expect(await log.finalPosition()).toBeUndefined();
    await log.close();
  });

  it("is refused where its text is not what its hash names, and where it ends too early", async () => {
    const text = readFileSync(at("closed"), "utf8");
    const changed = text.replace('"id":2,', '"id": 2,');
    writeFileSync(at("changed"), changed);
    expect(changed).not.toBe(text);
    await expect(readSnapshot(at("changed"))).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "false" },
    });
    writeFileSync(at("short"), text.slice(0, text.length / 2));
    await expect(readSnapshot(at("short"))).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "unreadable" },
    });
    await expect(readSnapshot(at("absent"))).rejects.toMatchObject({
      code: "BRG_SNAPSHOT_INVALID",
      data: { reason: "unreadable" },
    });
  });
});
