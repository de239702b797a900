/** Compares the replay of a batch with the equation of its leaf table, on random batches. */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { holdReplayEqual } from "../testing/at-once-world.ts";

beforeAll(initPoseidon);

describe("a replay at once", () => {
  it("accepts what the table's equation accepts, and nothing else, on random batches and false claims", () => {
    const seen = holdReplayEqual(24);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });
});
