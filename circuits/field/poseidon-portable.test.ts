import { TestRandom } from "@openledger/foundation/testing/test-random";
import { expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { hashTaggedReference } from "../testing/poseidon-reference.ts";
import { createPortableHash } from "./poseidon-portable.ts";

it("without a fused multiply-add, too, every width has the values of the definition", () => {
  const hash = createPortableHash();
  const random = new TestRandom(41);
  for (let count = 1; count <= 16; count++) {
    const inputs = Array.from({ length: count }, () => random.field());
    for (const tag of [0n, 2n, FIELD_ORDER - 1n, -1n])
      expect(hash(tag, inputs), `${count} inputs`).toBe(hashTaggedReference(tag, inputs));
  }
});
