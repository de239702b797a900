import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileCircuit, repositoryRoot } from "./compile.ts";
import { packCircuit, prebuiltFolder, prebuiltPath, readPrebuiltHeader, unpackPrebuilt } from "./prebuilt.ts";

const MAX_BYTES = 5e6;
let cacheDir: string;
let name: string;
let mainSource: string;
let contentHash: string;

beforeAll(async () => {
  await mkdir(join(repositoryRoot, ".cache"), { recursive: true });
  cacheDir = await mkdtemp(join(repositoryRoot, ".cache/prebuilt-test-"));
  // The smallest that has symbols: any of them would do.
  const files = (await readdir(prebuiltFolder)).filter((entry) => entry.endsWith(".circuit"));
  const headers = files.map((file) => readPrebuiltHeader(join(prebuiltFolder, file))!);
  const smallest = headers
    .filter(({ sym }) => sym !== undefined)
    .reduce((min, one) => (one.wireCount < min.wireCount ? one : min));
  ({ name, mainSource, contentHash } = smallest);
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

const filesOf = async (folder: string) => {
  const [r1cs, wasm, sym] = await Promise.all(
    ["r1cs", "wasm", "sym"].map((kind) => readFile(join(folder, `circuit.${kind}`))),
  );
  return { r1cs: r1cs!, wasm: wasm!, sym: sym! };
};

describe("compileCircuit", () => {
  test("takes a prebuilt circuit without the compiler, and compiles it where prebuilt is false", async () => {
    const spec = { name, mainSource, keepSym: true };
    const lines: string[] = [];
    const onProgress = (line: string) => lines.push(line);
    const unpacked = await compileCircuit(spec, { cacheDir, onProgress });
    expect(lines).toEqual([]);
    const entry = join(unpacked.r1csPath, "..");
    const before = await filesOf(entry);
    const compiled = await compileCircuit(spec, { cacheDir, onProgress, prebuilt: false });
    expect(lines.join("\n")).toContain("Everything went okay");
    expect(compiled).toEqual(unpacked);
    const after = await filesOf(entry);
    for (const kind of ["r1cs", "wasm", "sym"] as const)
      expect(after[kind].equals(before[kind]), kind).toBe(true);
    // A circuit compiled here needs no second compilation.
    lines.length = 0;
    await compileCircuit(spec, { cacheDir, onProgress, prebuilt: false });
    expect(lines).toEqual([]);
  });

  test("refuses an unpacked entry that is not what the sources make", async () => {
    const other = await mkdtemp(join(cacheDir, "other-"));
    const spec = { name, mainSource };
    const { r1csPath } = await compileCircuit(spec, { cacheDir: other });
    const bytes = await readFile(r1csPath);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(r1csPath, bytes);
    await expect(compileCircuit(spec, { cacheDir: other, prebuilt: false })).rejects.toMatchObject({
      code: "CIR_PREBUILT_DIFFERS",
      data: { name, kind: "r1cs" },
    });
  });

  test("lets two calls at once build it once", async () => {
    const both = await mkdtemp(join(cacheDir, "both-"));
    const spec = { name, mainSource };
    const [first, second] = await Promise.all([
      compileCircuit(spec, { cacheDir: both }),
      compileCircuit(spec, { cacheDir: both }),
    ]);
    expect(second).toEqual(first);
    expect(await readdir(both)).toHaveLength(1);
  });
});

describe("a prebuilt file", () => {
  test("is refused with any part of it altered or cut off", async () => {
    const folder = await mkdtemp(join(cacheDir, "folder-"));
    const buildDir = await mkdtemp(join(cacheDir, "build-"));
    const path = prebuiltPath(name, contentHash, folder);
    const shared = await readFile(join(prebuiltFolder, "shared.constants"));
    await writeFile(join(folder, "shared.constants"), shared);
    const good = await readFile(prebuiltPath(name, contentHash));
    const headerEnd = 4 + good.readUInt32LE(0);
    const damage = [
      2,
      headerEnd - 20,
      headerEnd + 5,
      Math.floor((headerEnd + good.length) / 2),
      good.length - 3,
    ];
    const versions = damage.map((at) => {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 0x10;
      return bytes;
    });
    for (const bytes of [...versions, good.subarray(0, headerEnd + 10), good.subarray(0, 3)]) {
      await writeFile(path, bytes);
      await expect(
        unpackPrebuilt({ name, contentHash, keepSym: true }, buildDir, folder),
      ).rejects.toMatchObject({ code: "CIR_PREBUILT_DAMAGED" });
    }
    await writeFile(path, good);
    expect(await unpackPrebuilt({ name, contentHash, keepSym: true }, buildDir, folder)).toBe(true);
  });

  test("packs to the same bytes again", async () => {
    const { r1csPath } = await compileCircuit({ name, mainSource, keepSym: true }, { cacheDir });
    const header = readPrebuiltHeader(prebuiltPath(name, contentHash))!;
    const packed = packCircuit(
      {
        name,
        contentHash,
        mainSource,
        constraintCounts: header.constraintCounts,
        wireCount: header.wireCount,
        publicCount: header.publicCount,
      },
      await filesOf(join(r1csPath, "..")),
    );
    expect(packed.equals(await readFile(prebuiltPath(name, contentHash)))).toBe(true);
  });
});

test("all prebuilt files together are small", async () => {
  let byteCount = 0;
  for (const entry of await readdir(prebuiltFolder))
    byteCount += (await readFile(join(prebuiltFolder, entry))).length;
  expect(byteCount).toBeLessThanOrEqual(MAX_BYTES);
});
