/** Tests of native-field.ts and its addon: lanes, versions, and refused numbers. */
import { fileURLToPath } from "node:url";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { type HashRequest, initPoseidon, useNativeField } from "../field/poseidon.ts";
import { createPortableHash } from "../field/poseidon-portable.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { type LoadedPoseidon, loadAddon } from "./native-addon.ts";
import { loadNativeField, nativeLanes } from "./native-field.ts";
import { judgeAlike } from "./testing/judge-alike.ts";

beforeAll(initPoseidon);

const plain = createPortableHash();
/** Edges of the field and of 256 bits. A value at or above the order stands for its residue. */
const edges = [0n, 1n, FIELD_ORDER - 1n, FIELD_ORDER, FIELD_ORDER + 1n, 4n * FIELD_ORDER, (1n << 256n) - 1n];

it("loads no addon of an older version", () => {
  expect(() => loadAddon(fileURLToPath(new URL("../package.json", import.meta.url)))).toThrow(
    "builds it again",
  );
});

it("takes no curve for a hash", () => {
  const addon = loadAddon()!;
  const curve = addon.loadCurve([1n, 2n, 3n, 4n], null) as unknown as LoadedPoseidon;
  expect(() => addon.hash(curve, [1n, 2n])).toThrow("what another load gives");
});

it("refuses lanes that this processor does not have", () => {
  expect(() => loadNativeField("sse")!.hash(0n, [1n])).toThrow("no such lanes");
});

describe.each([...nativeLanes(), null])("the native field in lanes of %s", (lanes) => {
  const field = loadNativeField(lanes)!;

  it("says what takes eight at once", () => {
    expect(field.lanes).toBe(lanes);
  });

  it("is used only if all of eight, and what is left over, have the published hash", () => {
    for (const wrong of [0, 5, 8]) {
      const hashAll = (requests: readonly HashRequest[]) =>
        field.hashAll(requests).map((hash, i) => (i === wrong ? hash + 1n : hash));
      expect(() => useNativeField({ ...field, hashAll })).toThrow("another one");
    }
  });

  it("throws at integers that are negative, too wide or not below the order, and goes on", () => {
    const point = { x: 0n, y: 1n };
    const good = { key: point, r8: point, factor: 1n, s: 0n };
    for (const bad of [{ s: -1n }, { factor: 1n << 256n }]) {
      const equations = Array<typeof good>(8).fill({ ...good, ...bad });
      expect(() => field.holdAll(equations)).toThrow("expected integers of 256 bits");
    }
    expect(() => field.holdAll([{ ...good, key: { x: FIELD_ORDER, y: 1n } }])).toThrow("not below the field");
    expect(field.holdAll(Array(9).fill(good))).toEqual(Array(9).fill(true));
  });

  it("hashes any number of rows as bigint does, at the edges of the field too", () => {
    const random = new TestRandom(73);
    const element = () => (random.below(3) === 0 ? random.pick(edges) : random.field());
    for (let width = 1; width <= 16; width++) {
      for (const count of [1, 8, 14, 19]) {
        const requests = Array.from(
          { length: count },
          (): HashRequest => [element(), Array.from({ length: width }, element)],
        );
        expect(field.hashAll(requests)).toEqual(requests.map(([tag, inputs]) => plain(tag, inputs)));
      }
      for (const edge of edges) {
        const request: HashRequest = [edge, Array<bigint>(width).fill(edge)];
        expect(field.hashAll(Array<HashRequest>(8).fill(request))).toEqual(Array(8).fill(plain(...request)));
      }
    }
  });

  it("judges random signatures as WebAssembly does", () => {
    expect(judgeAlike(runs(10_000), 3, field)).toBeGreaterThan(0);
  });
});
