import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileCircuit } from "../../circuits/compiler/compile.ts";
import type { RunPart } from "../../circuits/compiler/composed-copies.ts";
import { type ComposedDescription, readDescription } from "../../circuits/compiler/composed-description.ts";
import type { CircuitInputs } from "../../circuits/compiler/witness-calculator.ts";
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { tableCircuitSpec } from "../../circuits/registry/circuit-registry.ts";
import { closedTableInputs } from "../../circuits/table/table-builder.ts";
import { TableWitness } from "../../circuits/table/table-witness.ts";
import { RandomLedger } from "../../circuits/testing/random-ledger.ts";
import { fillTable, SMALL_DEPTH, SMALL_TABLE } from "../../circuits/testing/table-world.ts";
import { loadStepRunner } from "../witness/step-runner.ts";
import { openWitnessSource, type WitnessSource } from "./witness-source.ts";
import { WitnessThreads } from "./witness-threads.ts";

const threads = new WitnessThreads(1);
let description: ComposedDescription;
let programs: TableWitness;
let source: WitnessSource;
beforeAll(async () => {
  await initPoseidon();
  const spec = tableCircuitSpec(SMALL_TABLE, SMALL_DEPTH);
  const { wasmPath } = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  const read = await readDescription(wasmPath);
  ({ description } = read);
  const run: RunPart = ({ part, inputs, own }) =>
    threads.run({
      wasmPath: read.wasmPaths[part]!,
      portCount: description.parts[part]!.ports.length,
      ...{ inputs, own },
    });
  programs = new TableWitness(description, run);
  source = await openWitnessSource(wasmPath, 1);
}, 600_000);
afterAll(() => Promise.all([threads.end(), source.close()]));

const inputsOf = (seed: number, operations: number): CircuitInputs =>
  closedTableInputs(
    fillTable(new RandomLedger(seed, SMALL_DEPTH), SMALL_TABLE, operations),
    777n,
    SMALL_DEPTH,
  );

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
