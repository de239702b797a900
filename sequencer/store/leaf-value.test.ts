import { hashLeaf } from "@openledger/circuits/ledger/leaf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, prove, report, send } from "../testing/test-operator.ts";
import { startTestRollup, temporaryFolder, transfer } from "../testing/test-rollup.ts";
import { leafOf, type StoredLeaf } from "./leaf-value.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";

let folder: ReturnType<typeof temporaryFolder>;
let dataPath: string;

/** A ledger whose leaves came from the genesis, from final batches, and from one that is closed. */
beforeEach(async () => {
  folder = temporaryFolder();
  dataPath = folder.path;
  const rollup = await startTestRollup({ dataPath });
  const [alice, bob] = rollup.users as [(typeof rollup.users)[0], (typeof rollup.users)[0]];
  await send(rollup, transfer(alice, bob, 0n));
  const last = await close(rollup);
  for (let number = 1; number <= last; number++) {
    await prove(rollup, number);
    for (const status of ["submitted", "posted", "final"]) await report(rollup, number, status);
  }
  await send(rollup, transfer(bob, alice, 0n));
  await close(rollup);
  await rollup.stop();
});
afterEach(() => folder.remove());

async function onLog<T>(use: (log: LedgerLog) => Promise<T>): Promise<T> {
  const log = await openTestLog(dataPath);
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

const stored = (id: number) => onLog((log) => log.require<StoredLeaf>(storeKeys.leaf(id)));
const write = (...writes: StoreWrite[]) => onLog((log) => log.write(writes));

async function restart(): Promise<bigint> {
  const rollup = await startTestRollup({ dataPath, userCount: 0 });
  const { root } = rollup.sequencer.pipeline.head.position;
  await rollup.stop();
  return root;
}

describe("a stored leaf", () => {
  it("has its hash beside it, whether a batch or the genesis wrote it", async () => {
    for (const id of [0, 1, 2, 3, 4]) {
      const value = await stored(id);
      expect(value.leafHash, `leaf ${id}`).toBe(hashLeaf(value.leaf));
      const { hash, state } = leafOf(id, value);
      expect(hash).toBe(value.leafHash);
      expect(Object.keys(state)).not.toContain("leafHash");
    }
  });

  it("is refused where the hash is not its own", async () => {
    const [two, three] = [await stored(2), await stored(3)];
    await write({ key: storeKeys.leaf(2), value: { ...two, leafHash: three.leafHash } });
    await expect(restart()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT", data: { leafId: 2 } });
    const { leafDigest, leafHash } = three;
    await write({ key: storeKeys.leaf(2), value: { ...two, leafDigest, leafHash } });
    await expect(restart()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT", data: { leafId: 2 } });
    const leaf = { ...two.leaf, balance: two.leaf.balance + 1n };
    await write({ key: storeKeys.leaf(2), value: { ...two, leaf } });
    await expect(restart()).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT", data: { leafId: 2 } });
  });

  it("is refused by the root where it is another leaf, an older one, or gone", async () => {
    const inconsistent = { code: "SEQ_STORE_INCONSISTENT" };
    const [two, three] = [await stored(2), await stored(3)];
    await write({ key: storeKeys.leaf(2), value: three });
    await expect(restart()).rejects.toMatchObject(inconsistent);
    await write({ key: storeKeys.leaf(2) });
    await expect(restart()).rejects.toMatchObject(inconsistent);
    await write({ key: storeKeys.leaf(2), value: two }, { key: storeKeys.leaf(9), value: two });
    await expect(restart()).rejects.toMatchObject(inconsistent);
  });
});
