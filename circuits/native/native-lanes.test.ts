/** Tests of native-field.ts and its addon: lanes, versions, and refused numbers. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

let hashed: { readonly requests: HashRequest[]; readonly hashes: bigint[] }[] | undefined;

/** Rows of all widths and what bigint makes of them, once for all lanes. */
function plainHashes() {
  if (hashed !== undefined) return hashed;
  const random = new TestRandom(73);
  const element = () => (random.below(3) === 0 ? random.pick(edges) : random.field());
  hashed = [];
  for (let width = 1; width <= 16; width++) {
    for (const count of [1, 8, 14, 19]) {
      const requests = Array.from(
        { length: count },
        (): HashRequest => [element(), Array.from({ length: width }, element)],
      );
      hashed.push({ requests, hashes: requests.map(([tag, inputs]) => plain(tag, inputs)) });
    }
    for (const edge of edges) {
      const request: HashRequest = [edge, Array<bigint>(width).fill(edge)];
      hashed.push({ requests: Array(8).fill(request), hashes: Array(8).fill(plain(...request)) });
    }
  }
  return hashed;
}

describe("a build that is out of date", () => {
  const built = fileURLToPath(new URL("build/", import.meta.url));
  const record = JSON.parse(readFileSync(join(built, "build.json"), "utf8"));
  const folder = mkdtempSync(join(tmpdir(), "native-"));
  const addonOf = (name: string) => join(folder, name, "circuits/native/build/field-addon.node");

  /** A copy with its sources, as in another folder. */
  function copy(name: string, change: (folder: string) => void = () => {}): string {
    const to = dirname(addonOf(name));
    for (const path of [
      "field-addon.node",
      "build.json",
      ...record.sources.map(([path]: [string]) => path),
    ]) {
      mkdirSync(dirname(join(to, path)), { recursive: true });
      copyFileSync(join(built, path), join(to, path));
    }
    change(to);
    return addonOf(name);
  }
  const refused = (data: object) =>
    expect.objectContaining({
      code: "SRV_NATIVE_STALE",
      message: expect.stringContaining("run `node prover/native/build.js`"),
      data: expect.objectContaining(data),
    });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is none in a copy of the folder, whose files have other times", () => {
    const addon = loadAddon(copy("same", (to) => utimesSync(join(to, "../src/curve.h"), 1, 1)))!;
    expect(addon.lanes()).toEqual(nativeLanes());
  });

  it("is one where a source has another content, of the same length too", () => {
    for (const [name, change] of [
      ["longer", (text: string) => `${text}//`],
      ["other", (text: string) => text.replace("a", "b")],
    ] as const) {
      let source = "";
      const path = copy(name, (to) => {
        source = join(to, "../src/curve.h");
        writeFileSync(source, change(readFileSync(source, "utf8")));
      });
      expect(() => loadAddon(path)).toThrow(refused({ source }));
    }
  });

  it("is one where a header that another part shares is gone", () => {
    let source = "";
    const path = copy("gone", (to) => {
      source = join(to, "../../../prover/native/src/field.h");
      rmSync(source);
    });
    expect(() => loadAddon(path)).toThrow(refused({ source }));
  });

  it("is one that says nothing about its sources", () => {
    expect(() => loadAddon(copy("silent", (to) => rmSync(join(to, "build.json"))))).toThrow(refused({}));
  });

  it("is one without the processor's fastest kernels, though it has others", () => {
    const [fastest] = nativeLanes();
    const leaveOut = (name: string | undefined) => (to: string) => {
      const kernels = { ...record.kernels, ...(name === undefined ? {} : { [name]: false }) };
      writeFileSync(join(to, "build.json"), JSON.stringify({ ...record, kernels }));
    };
    const path = copy("slower", leaveOut(fastest));
    // A processor that has no lanes lacks none.
    if (fastest === undefined) expect(loadAddon(path)).not.toBeNull();
    else expect(() => loadAddon(path)).toThrow(refused({ kernels: fastest }));
    const [, slower] = nativeLanes();
    expect(loadAddon(copy("enough", leaveOut(slower)))).not.toBeNull();
  });
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
    for (const { requests, hashes } of plainHashes()) expect(field.hashAll(requests)).toEqual(hashes);
  });

  it("judges random signatures as WebAssembly does", () => {
    expect(judgeAlike(runs(10_000), 3, field)).toBeGreaterThan(0);
  });
});
