import { keccak_256 } from "@noble/hashes/sha3.js";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { expect, it } from "vitest";
import { loadNativeField } from "../native/native-field.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { hashTaggedReference } from "../testing/poseidon-reference.ts";
import { createPortableHash } from "./poseidon-portable.ts";

const native = loadNativeField()!;
const hashes = {
  "over bigint": createPortableHash(),
  "in C++": (tag: bigint, inputs: readonly bigint[]) => native.hashAll([[tag, inputs]])[0],
};

it.each(Object.entries(hashes))("%s, too, every width has the values of the definition", (_name, hash) => {
  const random = new TestRandom(41);
  for (let count = 1; count <= 16; count++) {
    const rows = [0n, 1n, FIELD_ORDER - 1n].map((value) => Array<bigint>(count).fill(value));
    for (const inputs of [Array.from({ length: count }, () => random.field()), ...rows])
      for (const tag of [0n, 2n, FIELD_ORDER - 1n, -1n])
        expect(hash(tag, inputs), `${count} inputs`).toBe(hashTaggedReference(tag, inputs));
  }
});

it("refuses a number of inputs that Poseidon has no constants for, in C++ too", () => {
  for (const count of [0, 17])
    expect(() => native.hashAll([[0n, Array<bigint>(count).fill(0n)]])).toThrow(RangeError);
});

it("takes Keccak-256 as noble does, around every block's end", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 37) % 251);
  for (let size = 0; size <= bytes.length; size++)
    expect(native.keccak256(bytes.subarray(0, size))).toEqual(keccak_256(bytes.subarray(0, size)));
});
