/**
 * Operations proven a second, witness included: batches of today's slots and batches with a leaf table, of the same domain
 * and traffic, in turns in one process.
 */

import { batchStatement } from "@openledger/circuits/blob/batch-statement";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { batchInputs } from "@openledger/circuits/internal/batch/batch-inputs";
import { tableConstraints } from "@openledger/circuits/internal/table/table-counts";
import { tableStatement } from "@openledger/circuits/internal/table/table-data";
import { type BatchShape, shapeName, TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedTableInputs } from "@openledger/circuits/table/table-builder";
import { tableName } from "@openledger/circuits/table/table-shape";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";
import { cheapest, WIDE_SLOT } from "../table.ts";
import { TRAFFIC, type Traffic } from "./table-traffic.ts";
import { closeSequential, closeTable, drawPairs } from "./table-world.ts";

/** A narrow slot of a sequential batch, its share of C and y included. */
const SEQUENTIAL_SLOT = 18_730;
const SEQUENTIAL_FRAME = 9_000;

export interface BenchTableProveOptions {
  readonly traffic: string;
  /** log2 of the domain that both batches fill. */
  readonly domain: string;
  readonly rounds: string;
  readonly backend: string;
}

export interface TableProveCase {
  readonly name: string;
  readonly operations: number;
  readonly constraints: number;
  readonly circuit: ProvingCircuit;
  readonly inputs: CircuitInputs;
  readonly publicSignals: readonly bigint[];
}

const SIDES = ["before", "after"] as const;
type Side = (typeof SIDES)[number];

interface Times {
  readonly elapsedMs: number;
  readonly witnessMs: number;
  readonly proveMs: number;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

export async function benchTableProve(options: BenchTableProveOptions) {
  await initPoseidon();
  const traffic = TRAFFIC.find((name) => name === options.traffic);
  if (traffic === undefined) throw new Error(`the traffic is one of ${TRAFFIC.join(", ")}`);
  const limit = 2 ** Number(options.domain);
  const contestants = { before: await sequential(traffic, limit), after: await tableCase(traffic, limit) };
  const times: Record<Side, Times[]> = { before: [], after: [] };
  const prover = await createProver(options.backend as BackendName);
  try {
    // One round more than is counted: the first loads keys and compiles programs.
    for (let round = 0; round <= Number(options.rounds); round++)
      for (const side of SIDES) {
        const { circuit, inputs, publicSignals, name, operations } = contestants[side];
        const startedAtMs = performance.now();
        const { proof, timings } = await prover.prove({ circuit, inputs });
        const elapsedMs = performance.now() - startedAtMs;
        if (!verifyProof(circuit.verificationKey, proof, [...publicSignals]))
          throw new Error(`${name}: the proof does not state this batch`);
        console.log(
          `${name}: round ${round}${round === 0 ? " (not counted)" : ""}, ${operations} operations in ${Math.round(elapsedMs)} ms, ` +
            `witness ${Math.round(timings.witnessMs)} ms, proof ${Math.round(timings.proveMs)} ms`,
        );
        if (round > 0) times[side].push({ ...timings, elapsedMs });
      }
  } finally {
    await prover.close();
  }
  const medianOf = (side: Side, what: keyof Times) => median(times[side].map((each) => each[what]));
  const speed = (side: Side) =>
    Math.round((100_000 * contestants[side].operations) / medianOf(side, "elapsedMs")) / 100;
  const row = (side: Side) => ({
    name: contestants[side].name,
    operations: contestants[side].operations,
    constraints: contestants[side].constraints,
    witnessMs: Math.round(medianOf(side, "witnessMs")),
    proveMs: Math.round(medianOf(side, "proveMs")),
  });
  const provenOperationsPerSecond = { before: speed("before"), after: speed("after") };
  return {
    traffic,
    backend: options.backend,
    provenOperationsPerSecond,
    timesAsMany: Math.round((100 * provenOperationsPerSecond.after) / provenOperationsPerSecond.before) / 100,
    before: row("before"),
    after: row("after"),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function sequential(traffic: Traffic, limit: number): Promise<TableProveCase> {
  const narrow = 2 * Math.floor((limit - WIDE_SLOT - SEQUENTIAL_FRAME) / SEQUENTIAL_SLOT / 2);
  const shape: BatchShape = { narrow, wide: 1 };
  const circuit = await setUp(shapeName(shape), limit);
  const closed = closeSequential(traffic, drawPairs(traffic, narrow), shape);
  const { z, commitment, y } = batchStatement(closed.data, 1n);
  const inputs = batchInputs(closed, z, TREE_DEPTH) as CircuitInputs;
  return { ...circuit, operations: narrow, inputs, publicSignals: [commitment, y, z] };
}

/** A batch with a leaf table that fills the domain, with its development key. @param limit the domain's size */
export async function tableCase(traffic: Traffic, limit: number): Promise<TableProveCase> {
  const shapeFor = (operations: number) => {
    const rows = new Set(drawPairs(traffic, operations).flat()).size;
    return { ...cheapest(operations, rows, traffic === "payments"), wide: 1 };
  };
  const isTooBig = (operations: number) =>
    tableConstraints(shapeFor(operations), TREE_DEPTH, WIDE_SLOT) > limit - 8;
  let [fits, tooBig] = [2, 4];
  while (!isTooBig(tooBig)) [fits, tooBig] = [tooBig, 2 * tooBig];
  while (tooBig - fits > 2) {
    const middle = fits + 2 * Math.floor((tooBig - fits) / 4);
    if (isTooBig(middle)) tooBig = middle;
    else fits = middle;
  }
  const shape = shapeFor(fits);
  const circuit = await setUp(tableName(shape), limit);
  const closed = closeTable(traffic, drawPairs(traffic, fits), shape);
  const { z, commitment, y } = tableStatement(closed.batch.data, closed.layout, 1n);
  const inputs = closedTableInputs(closed, z, TREE_DEPTH) as CircuitInputs;
  return { ...circuit, operations: fits, inputs, publicSignals: [commitment, y, z] };
}

async function setUp(name: string, limit: number) {
  const compiled = await compileCircuit(circuitSpec(name), { onProgress: (line) => console.log(line) });
  const { nonLinear, linear } = compiled.constraintCounts;
  console.log(`${name}: ${nonLinear + linear} constraints, domain ${limit}`);
  let reported = "";
  const circuit = await developmentSetup(compiled, {
    onProgress: ({ stage, done, total }) => {
      const line = `${name}: key, ${stage} ${10 * Math.floor((10 * done) / Math.max(1, total))} %`;
      if (line !== reported) console.log(line);
      reported = line;
    },
  });
  return { name, constraints: nonLinear + linear, circuit };
}
