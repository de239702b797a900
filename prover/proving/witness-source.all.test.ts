import { readFileSync } from "node:fs";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { partShape } from "@openledger/circuits/compiler/compose";
import { layOutComposition } from "@openledger/circuits/compiler/compose-layout";
import type { PartTask } from "@openledger/circuits/compiler/composed-copies";
import { readDescription } from "@openledger/circuits/compiler/composed-copies";
import { type CircuitInputs, WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { tableCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs, closedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { TableWitness } from "@openledger/circuits/table/table-witness";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { findBrokenRow } from "@openledger/circuits/testing/rows/compose-check";
import { matchWires } from "@openledger/circuits/testing/rows/compose-equality";
import { BATCH_TABLE, batchTester, BATCH_DEPTH as DEPTH } from "@openledger/circuits/testing/table-world";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWitnessSource, openWitnessThreads, type WitnessSource } from "./witness-source.ts";

const SHAPE = postedShape(BATCH_TABLE);
const VALUES_AT = 76;

let composed: CompiledCircuit;
let compiled: CompiledCircuit;
let match: Uint32Array;
let source: WitnessSource;
let oracle: WitnessSource;

beforeAll(async () => {
  await initPoseidon();
  const spec = tableCircuitSpec(BATCH_TABLE, DEPTH);
  const composition = spec.composition!;
  composed = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  compiled = (await batchTester()).circuit;
  const parts: CompiledCircuit[] = [];
  for (const part of composition.parts) parts.push(await compileCircuit({ ...part, keepSym: true }));
  const layout = layOutComposition(composition, await Promise.all(parts.map(partShape)));
  const [partSymPaths, partWireCounts] = [parts.map((p) => p.symPath), parts.map((p) => p.wireCount)];
  const files = { r1csPath: composed.r1csPath, layout, partSymPaths, partWireCounts };
  match = await matchWires(composition, files, compiled);
  source = await openWitnessSource(composed.wasmPath, 2);
  oracle = await openWitnessSource(compiled.wasmPath);
});
afterAll(async () => {
  await source.close();
});

function nextInputs(world: RandomLedger): CircuitInputs {
  const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
  world.fill(builder, SHAPE);
  const closed = builder.close();
  return closedInputs(closed, closedStatement(closed, 77n).z, DEPTH);
}

const valueAt = (file: Uint8Array, wire: number) =>
  Buffer.from(file.subarray(VALUES_AT + 32 * wire, VALUES_AT + 32 * (wire + 1))).toString("hex");

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: { code: string; data: { trace: string[] } }) => error,
  );

/** Deep copy with one value replaced. */
function altered(
  inputs: CircuitInputs,
  name: string,
  path: readonly number[],
  to: (value: bigint) => bigint,
) {
  const copy = structuredClone(inputs) as Record<string, unknown>;
  let row = copy[name] as unknown[];
  for (const index of path.slice(0, -1)) row = row[index] as unknown[];
  row[path.at(-1)!] = to(row[path.at(-1)!] as bigint);
  return copy as CircuitInputs;
}

describe("the witness of a composed circuit", () => {
  it("has circom's value at every wire, in random batches of all kinds", { timeout: 600_000 }, async () => {
    const world = new RandomLedger(5, DEPTH);
    for (let i = 0; i < 12; i++) {
      const inputs = nextInputs(world);
      const [ours, theirs] = [
        await source.calculate(inputs as never),
        await oracle.calculate(inputs as never),
      ];
      expect(ours.length).toBe(theirs.length);
      expect(Buffer.from(ours.subarray(0, VALUES_AT)).equals(theirs.subarray(0, VALUES_AT))).toBe(true);
      const differing = [...match.keys()].filter(
        (wire) => valueAt(ours, wire) !== valueAt(theirs, match[wire]!),
      );
      expect(differing).toEqual([]);
    }
  });

  it("meets every row of the composed file, and tampered ones do not, in either circuit", {
    timeout: 600_000,
  }, async () => {
    const inputs = nextInputs(new RandomLedger(9, DEPTH));
    const [ours, theirs] = [await source.calculate(inputs as never), await oracle.calculate(inputs as never)];
    const [values, circomValues] = [ours.subarray(VALUES_AT), theirs.subarray(VALUES_AT)];
    expect(findBrokenRow(composed.r1csPath, values)).toBeNull();
    expect(findBrokenRow(compiled.r1csPath, circomValues)).toBeNull();
    // The first wires are C, y, z and what slots share or hand on; the others one of each copy.
    const { copies } = JSON.parse(readFileSync(composed.wasmPath, "utf8")) as {
      copies: { firstWire: number }[];
    };
    const shared = [1, 2, 3, 7, 11, 16, 20];
    for (const wire of [...shared, ...copies.map(({ firstWire }) => firstWire + 700)]) {
      const [here, there] = [values.slice(), circomValues.slice()];
      here[32 * wire]! ^= 1;
      there[32 * match[wire]!]! ^= 1;
      expect(findBrokenRow(composed.r1csPath, here), `wire ${wire}`).not.toBeNull();
      expect(findBrokenRow(compiled.r1csPath, there), `wire ${wire}`).not.toBeNull();
    }
    expect(findBrokenRow(composed.r1csPath, values.subarray(32))).toBe(0);
  });

  it("is refused where circom refuses, at the same statement", { timeout: 600_000 }, async () => {
    const inputs = nextInputs(new RandomLedger(3, DEPTH));
    const add = (value: bigint) => value + 1n;
    const forgeries = [
      altered(inputs, "transferSignature", [0, 3], add),
      altered(inputs, "rowLeaf", [0, 4], add),
      altered(inputs, "old", [7], add),
      altered(inputs, "wideB", [0, 1], add),
      // The topmost children tell the root that slot 1 is given: it is another than slot 0 leaves.
      altered(inputs, "wideChildrenA", [1, DEPTH - 1, 0], add),
      altered(inputs, "feeLeaf", [4], add),
      { ...inputs, oldRoot: 5n },
      { ...inputs, oldNextId: 2n ** 25n },
    ];
    for (const [i, forgery] of forgeries.entries()) {
      const [ours, theirs] = [
        await outcome(source.calculate(forgery as never)),
        await outcome(oracle.calculate(forgery as never)),
      ];
      expect(theirs?.code, `forgery ${i}`).toBe("CIR_WITNESS_REFUSED");
      expect(ours?.code, `forgery ${i}`).toBe("CIR_WITNESS_REFUSED");
      // Line and template of the statement that failed; components are numbered by circuit.
      const position = (error: typeof ours) => error?.data.trace[0]?.replace(/_\d+ /, " ").trim();
      expect(position(ours), `forgery ${i}`).toBe(position(theirs));
    }
    // The threads and their programs serve on.
    await source.calculate(inputs as never);
  });

  it("refuses inputs that are not the circuit's", async () => {
    const inputs = nextInputs(new RandomLedger(4, DEPTH));
    const { feePerUnit: _, ...incomplete } = inputs;
    const rows = inputs.wideRest as bigint[][];
    for (const wrong of [
      incomplete,
      { ...inputs, unknown: 1n },
      { ...inputs, wideRest: rows.slice(1) },
      { ...inputs, wideRest: [rows[0]!.slice(1), rows[1]!] },
      { ...inputs, wideChildrenA: 1n },
      { ...inputs, transferUnknown: [1n, 2n] },
    ])
      expect((await outcome(source.calculate(wrong as never)))?.code).toBe("CIR_INPUT_MISMATCH");
    await expect(source.calculate({ ...inputs, feePerUnit: "many" } as never)).rejects.toThrow(SyntaxError);
  });

  it("is the same where the state that a slot finds was not foreseen", async () => {
    const { description, wasmPaths } = await readDescription(composed.wasmPath);
    const calculators = wasmPaths.map((path) => new WitnessCalculator(readFileSync(path)));
    const run = async ({ part, inputs, own }: PartTask) => {
      const ports = new Uint8Array(32 * description.parts[part]!.ports.length);
      calculators[part]!.run(inputs);
      calculators[part]!.copyWires(1, ports);
      calculators[part]!.copyWires(1 + ports.length / 32, own);
      return ports;
    };
    const world = new RandomLedger(6, DEPTH);
    for (let i = 0; i < 4; i++) {
      const inputs = nextInputs(world);
      const expected = (await source.calculate(inputs as never)).subarray(VALUES_AT);
      const values = new Uint8Array(expected.length);
      const witness = new TableWitness(description, run);
      expect((await witness.calculate(inputs, values)).repeatedSlots).toBe(0);
      expect(Buffer.from(values).equals(expected)).toBe(true);
      // Slots that are told nothing true: one after another, each is calculated again with what it finds.
      const blind = new TableWitness(description, run, undefined, (_, count) =>
        Array.from({ length: count }, () => ({ root: 1n, nextId: 1n })),
      );
      const again = new Uint8Array(expected.length);
      expect((await blind.calculate(inputs, again)).repeatedSlots).toBe(SHAPE.wide);
      expect(Buffer.from(again).equals(expected)).toBe(true);
    }
  });
});

describe("openWitnessThreads", () => {
  it("fails what runs and waits when it is ended, and takes nothing more", async () => {
    const threads = openWitnessThreads(1);
    const { wasmPaths } = await readDescription(composed.wasmPath);
    const request = { wasmPath: wasmPaths[0]!, inputs: {}, portCount: 0, own: new Uint8Array() };
    await expect(threads.run("runPart", request)).rejects.toMatchObject({ code: "CIR_INPUT_MISMATCH" });
    const pending = [0, 1].map(() => outcome(threads.run("runPart", request)));
    await threads.close();
    for (const error of await Promise.all(pending)) expect(error).toMatchObject({ code: "PRV_WORKER_DIED" });
    await expect(threads.run("runPart", request)).rejects.toThrow("ended");
  });

  it("says why a program cannot be run, and goes on with others", async () => {
    const threads = openWitnessThreads(1);
    const request = { wasmPath: "/nowhere.wasm", inputs: {}, portCount: 0, own: new Uint8Array() };
    await expect(threads.run("runPart", request)).rejects.toThrow("ENOENT");
    await threads.close();
  });
});
