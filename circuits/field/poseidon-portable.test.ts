import { TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { createPortableHash } from "./poseidon-portable.browser.ts";
import { createPortableHash as createPackageHash } from "./poseidon-portable.ts";

describe("Poseidon in a page without a fused multiply-add", () => {
  let own: (tag: bigint, inputs: readonly bigint[]) => bigint;
  let other: typeof own;
  beforeAll(async () => {
    [own, other] = await Promise.all([createPortableHash(), createPackageHash()]);
  });

  it("gives what circomlibjs gives, for every width", () => {
    const random = new TestRandom(41);
    for (let count = 1; count <= 16; count++) {
      const inputs = Array.from({ length: count }, () => random.field());
      expect(own(random.field(), inputs) < FIELD_ORDER).toBe(true);
      for (const tag of [0n, 2n, FIELD_ORDER - 1n])
        expect(own(tag, inputs), `${count} inputs`).toBe(other(tag, inputs));
    }
  });
});
