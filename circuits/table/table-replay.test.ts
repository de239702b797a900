import { beforeAll, describe, expect, it } from "vitest";
import { replayBatch } from "../batch/batch.ts";
import { decodeWire, encodeWire } from "../batch/batch-data.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { holdReplayEqual } from "../testing/at-once-world.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { fillTable } from "../testing/table-world.ts";

beforeAll(initPoseidon);

describe("a replay at once", () => {
  it("accepts what the table's equation accepts, and nothing else, on random batches and false claims", () => {
    const seen = holdReplayEqual(24);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });

  it("follows table batches with wide slots, decoded from the wire", () => {
    const shape = { transfers: 6, members: 4, wide: 3, rows: 12, units: 4, low: 1, top: 2 };
    const world = new RandomLedger(4, 4);
    const follower = new RandomLedger(4, 4).ledger;
    let gapCount = 0;
    for (let batch = 0; batch < 6; batch++) {
      const { data } = fillTable(world, { ...shape, wide: 1 }, 5 + batch).batch;
      const decoded = decodeWire(encodeWire(data), data.shape, data);
      expect(decoded).toEqual(data);
      gapCount += data.narrow.slice(0, -1).filter(({ kind }) => kind === 0).length;
      replayBatch(follower, decoded);
      expect(follower.root).toBe(world.ledger.root);
    }
    expect(gapCount).toBeGreaterThan(1);
  });
});
