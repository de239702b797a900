import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  accountLeaf,
  EMPTY_DATANET_BODY,
  hashDatanetBody,
  hashLeaf,
  type LeafState,
} from "@openledger/circuits/ledger/leaf";
import { FlatLedger, Ledger } from "@openledger/circuits/ledger/ledger";
import { isWhole, TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { FinalLeaves } from "./final-leaves.ts";
import { leafFileName } from "./leaf-file.ts";
import { leafWrite } from "./leaf-value.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { type StoreWrite, storeKeys } from "./store-keys.ts";

beforeAll(initPoseidon);

const RECORDS = 40;

function stateOf(random: TestRandom): LeafState {
  const leaf = accountLeaf({ l1Owner: 7n, keyX: random.field(), balance: BigInt(random.below(1_000)) });
  if (random.below(4) > 0) return { leaf };
  const datanet = { ...EMPTY_DATANET_BODY, rowCount: BigInt(random.below(1_000)) };
  return { leaf: { ...leaf, kind: 2, body: hashDatanetBody(datanet) }, datanet };
}

/** A ledger whose batches become final one after the other, in a store that writes files much too often. */
async function world(path: string, seed: number) {
  const log = await openTestLog(path);
  onTestFinished(() => log.close().catch(() => {}));
  const random = new TestRandom(seed);
  const ledger = new Ledger(5);
  let number = 0;
  const files = new FinalLeaves({
    path,
    get: (key) => log.get(key),
    write: (writes) => {
      for (const one of writes) files.note(one);
      return log.write(writes);
    },
  });
  files.keep(ledger.base, () => number);
  const put = (writes: StoreWrite[]) => {
    for (const one of writes) files.note(one);
    return log.write(writes);
  };
  /** @param between runs before the batch's write: its leaves are in memory already */
  const finalise = async (between: () => Promise<unknown> | undefined = () => undefined) => {
    const changes = Array.from({ length: 12 }, () => {
      const [id, state] = [[0, 4_096, 20_000][random.below(3)]! + random.below(40), stateOf(random)];
      ledger.put(id, state);
      return [id, state, hashLeaf(state.leaf)] as const;
    });
    const last = [...new Map(changes.map((one) => [one[0], one])).values()];
    ledger.fold(last);
    number += 1;
    await between();
    const position = { batchNumber: number, root: ledger.root };
    const writes = last.map(([id, state, hash]) => leafWrite(id, state, hash));
    await put([...writes, { key: storeKeys.finalPosition, value: position }]);
  };
  return { files, finalise, ledger, log };
}

/** Result of a start: the root of its leaves has to be the one of its final position. */
async function found(path: string) {
  const log = await openTestLog(path);
  try {
    const ledger = await log.finalLedger(5);
    return { ledger, final: await log.finalPosition(), recordCount: (await recordsOf(log)).length };
  } finally {
    await log.close();
  }
}

const recordsOf = (log: LedgerLog) => log.keyed({ gt: "leaf!", lt: 'leaf"' });
const filesIn = (path: string) => readdirSync(path).filter((name) => name.startsWith("LEAVES"));

describe("FinalLeaves", () => {
  it("has all final leaves at whatever moment the directory is copied", async () => {
    const [path, copy] = [freshFolder(), freshFolder()];
    const { files, finalise, ledger, log } = await world(path, 5);
    const roots = new Map<number, bigint>();
    let isEnding = false;
    const writing = (async () => {
      while (!isEnding) {
        await files.next(RECORDS);
        await pause(1);
      }
    })();
    for (let batch = 1; batch <= (isWhole ? 200 : 60); batch++) {
      await finalise(batch % 3 === 0 ? () => pause(8) : undefined);
      roots.set(batch, ledger.root);
      if (batch % 4 > 0) continue;
      rmSync(copy, { recursive: true });
      // A power failure leaves this state: in the middle of any write.
      cpSync(path, copy, { recursive: true, filter: (name) => !name.endsWith("LOCK") });
      const { final, ledger: restored } = await found(copy);
      expect(final!.batchNumber).toBe(batch);
      expect(restored.root).toBe(roots.get(batch));
    }
    isEnding = true;
    await writing;
    expect(filesIn(path), "files that do not count are deleted").toHaveLength(1);
    expect((await recordsOf(log)).length, "records that a file covers, too").toBeLessThan(3 * RECORDS);
    await log.close();
    const restored = await found(path);
    expect(new Map(restored.ledger.leaves)).toEqual(new Map(ledger.leaves));
  });

  it("names no file before the batches in it are final in LevelDB", async () => {
    const path = freshFolder();
    const { files, finalise, log } = await world(path, 6);
    for (let batch = 0; batch < 5; batch++) await finalise();
    let isNamed: unknown = null;
    let writing: Promise<void> | undefined;
    await finalise(async () => {
      writing = files.next(RECORDS);
      await pause(100);
      isNamed = await log.get(storeKeys.leafFile);
    });
    await writing;
    expect(isNamed).toBeUndefined();
    expect(await log.get(storeKeys.leafFile)).toMatchObject({ number: 1 });
  });

  it("leaves everything as it was where it is closed in the middle of a file", async () => {
    const path = freshFolder();
    const { files, finalise, ledger, log } = await world(path, 7);
    for (let batch = 0; batch < 5; batch++) await finalise();
    const writing = files.next(RECORDS);
    await files.close();
    await writing;
    await log.close();
    const { ledger: restored, recordCount } = await found(path);
    expect(recordCount).toBe(ledger.leaves.size);
    expect(restored.root).toBe(ledger.root);
  });

  it("finds every damage of the file, and names it", async () => {
    const [path, copy] = [freshFolder(), freshFolder()];
    const { files, finalise, ledger, log } = await world(path, 8);
    for (let batch = 0; batch < 5; batch++) await finalise();
    await files.next(RECORDS);
    await log.close();
    const name = leafFileName(1);
    const bytes = readFileSync(join(path, name));
    const random = new TestRandom(9);
    const positions = [
      0,
      3,
      4,
      7,
      8,
      bytes.length - 1,
      ...Array.from({ length: 12 }, () => random.below(bytes.length)),
    ];
    const damages = [
      ...positions.map((at) => (target: string) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1 << random.below(8);
        writeFileSync(target, changed);
      }),
      (target: string) => truncateSync(target, bytes.length - 1),
      (target: string) => writeFileSync(target, Buffer.concat([bytes, bytes.subarray(0, 1)])),
      (target: string) => rmSync(target),
    ];
    for (const damage of damages) {
      cpSync(path, copy, { recursive: true });
      damage(join(copy, name));
      await expect(found(copy)).rejects.toMatchObject({
        code: "SRV_STORE_CORRUPT",
        message: expect.stringContaining(name),
      });
    }
    expect((await found(path)).ledger.root).toBe(ledger.root);
  });

  it("puts many leaves into an empty store as a file, few as records", async () => {
    const path = freshFolder();
    const log = await openTestLog(path);
    const files = new FinalLeaves({ path, get: (key) => log.get(key), write: (writes) => log.write(writes) });
    const ledger = new Ledger(5);
    for (let id = 0; id < 50; id++) ledger.put(id, stateOf(new TestRandom(id)));
    expect(await files.writesOf(ledger)).toHaveLength(50);
    const writes = await files.writesOf(ledger, 49);
    expect(writes).toHaveLength(1);
    await log.write(writes);
    await log.close();
    expect((await found(path)).ledger.root).toBe(ledger.root);
    expect(new FlatLedger(5).view.hash(5, 0), "an empty ledger's root is another").not.toBe(ledger.root);
  });
});
