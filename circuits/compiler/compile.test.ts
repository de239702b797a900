import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileCircuit, hashCircuit, repositoryRoot } from "./compile.ts";

// Multiplies twice and adds once: two non-linear constraints, one linear.
const mainSource = `pragma circom 2.1.6;
template Sample() {
  signal input a;
  signal input b;
  signal c;
  signal d;
  signal output e;
  c <== a * b;
  d <== c * a + 1;
  e <== c + d + 7;
}
component main {public [a]} = Sample();
`;

let cacheDir: string;

beforeAll(async () => {
  await mkdir(join(repositoryRoot, ".cache"), { recursive: true });
  cacheDir = await mkdtemp(join(repositoryRoot, ".cache/compile-test-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

describe("compileCircuit", () => {
  test("counts constraints, wires and public signals as the R1CS file has them", async () => {
    const circuit = await compileCircuit({ name: "sample", mainSource, keepSym: true }, { cacheDir });
    expect(circuit.constraintCounts).toEqual({ nonLinear: 2, linear: 1 });
    expect(circuit.wireCount).toBe(6);
    expect(circuit.publicCount).toBe(2);
    expect(circuit.contentHash).toBe(hashCircuit(mainSource));
    expect(await readFile(circuit.symPath, "utf8")).toContain("main.e");
  });

  test("takes the second request from the cache", async () => {
    const lines: string[] = [];
    await compileCircuit({ name: "sample", mainSource, keepSym: true }, { cacheDir });
    await compileCircuit(
      { name: "sample", mainSource, keepSym: true },
      { cacheDir, onProgress: (line) => lines.push(line) },
    );
    expect(lines).toEqual([]);
  });

  test("replaces an entry without symbols when symbols are asked for", async () => {
    const source = mainSource.replace("7", "8");
    await compileCircuit({ name: "late", mainSource: source }, { cacheDir });
    const circuit = await compileCircuit({ name: "late", mainSource: source, keepSym: true }, { cacheDir });
    expect(await readFile(circuit.symPath, "utf8")).toContain("main.e");
  });

  test("compiles a circuit once, however many need it at the same time", async () => {
    const spec = { name: "shared", mainSource: mainSource.replace("7", "10"), keepSym: true };
    const lines: string[][] = [[], [], []];
    const compiled = await Promise.all(
      lines.map((own) => compileCircuit(spec, { cacheDir, onProgress: (line) => own.push(line) })),
    );
    expect(compiled[1]).toEqual(compiled[0]);
    expect(compiled[2]).toEqual(compiled[0]);
    const compilations = lines.flat().filter((line) => line === "shared is not prebuilt: circom compiles it");
    expect(compilations).toHaveLength(1);
  });

  test("removes what a killed build left behind and keeps no build folder of its own", async () => {
    // Process ids end at 4,194,304 on Linux: nobody has this one.
    await mkdir(join(cacheDir, ".build-4999999-dead"));
    await compileCircuit({ name: "other", mainSource: mainSource.replace("7", "9") }, { cacheDir });
    expect((await readdir(cacheDir)).filter((entry) => entry.startsWith(".build"))).toEqual([]);
  });

  test("refuses a source that circom refuses, with the compiler's words", async () => {
    const broken = mainSource.replace("c <== a * b;", "c <== a * b * a;");
    await expect(compileCircuit({ name: "broken", mainSource: broken }, { cacheDir })).rejects.toMatchObject({
      code: "CIR_COMPILE_FAILED",
      data: { output: expect.stringContaining("Non quadratic") },
    });
  });

  test("refuses an include that does not exist", async () => {
    const source = `include "circuits/no-such-file.circom";\n${mainSource}`;
    await expect(compileCircuit({ name: "missing", mainSource: source }, { cacheDir })).rejects.toMatchObject(
      {
        code: "CIR_COMPILE_FAILED",
        data: { reason: "include-missing" },
      },
    );
  });
});

describe("hashCircuit", () => {
  test("changes with an included file's bytes, also below another include", async () => {
    const inner = join(cacheDir, "inner.circom");
    await writeFile(inner, "pragma circom 2.1.6;\n");
    await writeFile(join(cacheDir, "outer.circom"), 'include "inner.circom";\n');
    const source = `include "${join(cacheDir, "outer.circom").slice(repositoryRoot.length)}";\n${mainSource}`;
    const before = hashCircuit(source);
    await writeFile(inner, "pragma circom 2.1.6; // changed\n");
    expect(hashCircuit(source)).not.toBe(before);
  });
});
