import type { Level } from "level";
import { checkedBody } from "./store-encoding.ts";

/** What was read, and how long that took. */
export interface StoreCheck {
  readonly valueCount: number;
  readonly byteCount: number;
  readonly durationMs: number;
}

const VALUES_AT_ONCE = 1_000;
/** LevelDB's binding hands over 16 kB at a time by default: a tenth of the time is then spent on going to and fro. */
const BYTES_AT_ONCE = 2 ** 20;

/**
 * Reads every block and compares every value with its checksum: damage is found before anything is served, not when
 * LevelDB comes by on one of its rounds and more was acknowledged on top.
 * @throws where a value is not as it was written, or LevelDB cannot read it
 */
export async function checkStore(db: Level<string, unknown>): Promise<StoreCheck> {
  const startedAt = performance.now();
  const options = { valueEncoding: "view", fillCache: false, highWaterMarkBytes: BYTES_AT_ONCE };
  const values = db.values<string, Uint8Array>(options);
  let [valueCount, byteCount] = [0, 0];
  try {
    for (;;) {
      const some = await values.nextv(VALUES_AT_ONCE);
      if (some.length === 0) return { valueCount, byteCount, durationMs: performance.now() - startedAt };
      valueCount += some.length;
      for (const value of some) byteCount += checkedBody(value).length;
    }
  } finally {
    await values.close();
  }
}
