/** Compares witnesses by the steps of row-steps.ts with those of circom's programs. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import type { RunPart } from "@openledger/circuits/compiler/composed-copies";
import { type ComposedDescription, readDescription } from "@openledger/circuits/compiler/composed-copies";
import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { tableCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs } from "@openledger/circuits/table/table-builder";
import { TableWitness } from "@openledger/circuits/table/table-witness";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { fillTable, SMALL_DEPTH, SMALL_TABLE } from "@openledger/circuits/testing/table-world";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flattenInputs } from "../witness/step-inputs.ts";
import { loadStepRunner } from "../witness/step-runner.ts";
import { openWitnessSource, openWitnessThreads, type WitnessSource } from "./witness-source.ts";

const threads = openWitnessThreads(1);
let description: ComposedDescription;
let paths: Awaited<ReturnType<typeof readDescription>>;
let compositionPath: string;
let runProgram: RunPart;
let programs: TableWitness;
let source: WitnessSource;
beforeAll(async () => {
  await initPoseidon();
  const spec = tableCircuitSpec(SMALL_TABLE, SMALL_DEPTH);
  const { wasmPath } = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  const read = await readDescription(wasmPath);
  ({ description } = read);
  [paths, compositionPath] = [read, wasmPath];
  runProgram = ({ part, inputs, own }) =>
    threads.run("runPart", {
      wasmPath: read.wasmPaths[part]!,
      portCount: description.parts[part]!.ports.length,
      inputs,
      own,
    });
  programs = new TableWitness(description, runProgram);
  source = await openWitnessSource(wasmPath, 1);
}, 600_000);
afterAll(() => Promise.all([threads.close(), source.close()]));

const inputsOf = (seed: number, operations: number): CircuitInputs =>
  closedInputs(fillTable(new RandomLedger(seed, SMALL_DEPTH), SMALL_TABLE, operations), 777n, SMALL_DEPTH);

describe.skipIf(loadStepRunner() === null)("a table batch's witness by steps", () => {
  it("has steps for every part", () => {
    expect(description.parts.filter(({ steps }) => steps === undefined)).toEqual([]);
  });

  it.each([
    [3, 30],
    [4, 2],
  ])("has the values of circom's programs (seed %i, %i operations)", async (seed, operations) => {
    const inputs = inputsOf(seed, operations);
    const expected = new Uint8Array(new SharedArrayBuffer(32 * description.wireCount));
    await programs.calculate(inputs, expected);
    const made = await source.calculate(inputs as never);
    expect(Buffer.from(made.subarray(76)).equals(expected)).toBe(true);
  });

  it("is the same copy by copy and eight at once, for any number of copies", async () => {
    const blocks: { part: number; inputs: readonly CircuitInputs[] }[] = [];
    const watched = new TableWitness(description, runProgram, async ({ part, inputs }) => {
      blocks.push({ part, inputs });
      return null;
    });
    await watched.calculate(
      inputsOf(5, 30),
      new Uint8Array(new SharedArrayBuffer(32 * description.wireCount)),
    );
    const runner = loadStepRunner()!;
    for (const { part, inputs } of blocks) {
      const { steps, wireCount, ports } = description.parts[part]!;
      const program = runner.load(await readFile(paths.stepsPaths[part]!));
      for (const count of [1, 3, 8, 9, 16].filter((each) => each === 1 || inputs.length > 1)) {
        const repeated = Array.from({ length: count }, (_, i) => inputs[i % inputs.length]!);
        const bytes = flattenInputs(repeated, steps!.inputs)!;
        const made = [true, false].map((isScalar) => {
          const [shown, own] = [ports.length, wireCount - 1 - ports.length].map(
            (each) => new Uint8Array(32 * each * count),
          ) as [Uint8Array, Uint8Array];
          expect(runner.run(program, bytes, shown, own, isScalar)).toBe(-1);
          return Buffer.concat([shown, own]);
        });
        expect(made[0]!.equals(made[1]!)).toBe(true);
      }
    }
  });

  it("is made by circom's programs where steps are missing, cut off or of another program, with one warning each", async () => {
    const folder = await mkdtemp(join(tmpdir(), "witness-steps-"));
    const warnings: string[] = [];
    const onWarning = (warning: Error & { code?: string }) =>
      warning.code === "PRV_STEPS_UNUSABLE" && warnings.push(warning.message);
    process.on("warning", onWarning);
    const inFolder = (path: string) => join(folder, basename(path));
    const [first, second, third, fourth] = paths.stepsPaths.map((path) => path!);
    for (const path of [compositionPath, ...paths.wasmPaths, ...paths.stepsPaths])
      await copyFile(path!, inFolder(path!));
    const alone = await openWitnessSource(inFolder(compositionPath), 1);
    try {
      await rm(inFolder(first!));
      await writeFile(inFolder(second!), (await readFile(second!)).subarray(0, 100));
      const foreign = await readFile(third!);
      foreign.writeUInt8(foreign[0]! ^ 1);
      await writeFile(inFolder(third!), foreign);
      await copyFile(first!, inFolder(fourth!));
      const inputs = inputsOf(3, 30) as never;
      const expected = await source.calculate(inputs);
      for (const _ of [1, 2]) expect(Buffer.from(await alone.calculate(inputs)).equals(expected)).toBe(true);
      await expect.poll(() => warnings.length).toBe(4);
      expect(
        [first, second, third, fourth].map(
          (path) => warnings.filter((w) => w.includes(basename(path!))).length,
        ),
      ).toEqual([1, 1, 1, 1]);
    } finally {
      process.off("warning", onWarning);
      await alone.close();
      await rm(folder, { recursive: true });
    }
  });

  it("is refused where circom's program refuses, at its statement; other inputs are no circuit's", async () => {
    const inputs = inputsOf(3, 30);
    const balances = (inputs.rowNewBalance as bigint[]).map((value, i) => (i === 0 ? value + 1n : value));
    await expect(source.calculate({ ...inputs, rowNewBalance: balances } as never)).rejects.toMatchObject({
      code: "CIR_WITNESS_REFUSED",
    });
    const { rowFirst: _, ...incomplete } = inputs;
    await expect(source.calculate(incomplete as never)).rejects.toMatchObject({ code: "CIR_INPUT_MISMATCH" });
  });
});
