/** Operations proven a second, witness included: batches that fill a domain with one sort of traffic. */

import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs, closedStatement } from "@openledger/circuits/table/table-builder";
import { tableName } from "@openledger/circuits/table/table-shape";
import { tableConstraints } from "@openledger/circuits/testing/table-counts";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";
import { cheapest, WIDE_SLOT } from "../table.ts";
import { TRAFFIC, type Traffic } from "./table-traffic.ts";
import { closeTable, drawPairs } from "./table-world.ts";

export interface BenchTableProveOptions {
  readonly traffic: string;
  /** log2 of the domain that the batch fills. */
  readonly domain: string;
  readonly rounds: string;
  readonly backend: string;
}

interface TableProveCase {
  readonly name: string;
  readonly operations: number;
  readonly constraints: number;
  readonly circuit: ProvingCircuit;
  readonly inputs: CircuitInputs;
  readonly publicSignals: readonly bigint[];
}

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
  const { circuit, constraints, inputs, name, operations, publicSignals } = await tableCase(traffic, limit);
  const times: Times[] = [];
  const prover = await createProver(options.backend as BackendName);
  try {
    // One round more than is counted: the first loads keys and compiles programs.
    for (let round = 0; round <= Number(options.rounds); round++) {
      const startedAtMs = performance.now();
      const { proof, timings } = await prover.prove({ circuit, inputs });
      const elapsedMs = performance.now() - startedAtMs;
      if (!verifyProof(circuit.verificationKey, proof, [...publicSignals]))
        throw new Error(`${name}: the proof does not state this batch`);
      console.log(
        `${name}: round ${round}${round === 0 ? " (not counted)" : ""}, ${operations} operations in ${Math.round(elapsedMs)} ms, ` +
          `witness ${Math.round(timings.witnessMs)} ms, proof ${Math.round(timings.proveMs)} ms`,
      );
      if (round > 0) times.push({ ...timings, elapsedMs });
    }
  } finally {
    await prover.close();
  }
  const medianOf = (what: keyof Times) => median(times.map((each) => each[what]));
  return {
    ...{ traffic, backend: options.backend, name, operations, constraints },
    provenOperationsPerSecond: Math.round((100_000 * operations) / medianOf("elapsedMs")) / 100,
    witnessMs: Math.round(medianOf("witnessMs")),
    proveMs: Math.round(medianOf("proveMs")),
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** A batch that fills the domain, with its development key. @param limit the domain's size */
async function tableCase(traffic: Traffic, limit: number): Promise<TableProveCase> {
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
  const { z, commitment, y } = closedStatement(closed, 1n);
  const inputs = closedInputs(closed, z, TREE_DEPTH) as CircuitInputs;
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
