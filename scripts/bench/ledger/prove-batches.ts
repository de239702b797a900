/**
 * Operations proven a second, witness included, for `npm run bench -- ledger`: batches that fill a domain with one sort of
 * traffic, by one worker or several.
 */
import type { ChildProcess } from "node:child_process";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs, closedStatement } from "@openledger/circuits/table/table-builder";
import { tableName } from "@openledger/circuits/table/table-shape";
import { tableConstraints } from "@openledger/circuits/testing/table-counts";
import type { BackendName } from "@openledger/prover/backends";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";
import { ask, startChild } from "../prove-contestants.ts";
import { median, type Run } from "../prove-summary.ts";
import { cheapest, WIDE_SLOT } from "./constraints.ts";
import { proveByQueue } from "./prove-by-queue.ts";
import { closeTable, drawPairs } from "./table-world.ts";
import { TRAFFIC, type Traffic } from "./traffic.ts";

/** Options as the command line gives them. */
export interface LedgerBenchOptions {
  /** One of TRAFFIC. */
  readonly traffic: string;
  /** log2 of the domain that the batch fills, in decimal digits. */
  readonly domain: string;
  /** Number of counted proofs of each worker, in decimal digits. */
  readonly rounds: string;
  /** One of BACKEND_NAMES. */
  readonly backend: string;
  /** Counts of processes that prove at once, separated by commas: "1,2". */
  readonly workers: string;
  /** True to prove by workers of the queue as well. */
  readonly queue?: boolean;
}

interface TableProveCase {
  readonly name: string;
  readonly operations: number;
  readonly constraints: number;
  readonly circuit: ProvingCircuit;
  /** Inputs of the batch, at a challenge of its own for each `index`. */
  inputsOf(index: number): CircuitInputs;
  /** Public signals of the first inputs. */
  readonly publicSignals: readonly bigint[];
}

export async function proveBatches(options: LedgerBenchOptions) {
  await initPoseidon();
  const traffic = TRAFFIC.find((name) => name === options.traffic);
  if (traffic === undefined) throw new Error(`the traffic is one of ${TRAFFIC.join(", ")}`);
  const { circuit, constraints, inputsOf, name, operations, publicSignals } = await tableCase(
    traffic,
    2 ** Number(options.domain),
  );
  const inputs = inputsOf(0);
  const byWorkers: Record<string, ReturnType<typeof figuresOf>> = {};
  for (const count of options.workers.split(",").map(Number)) {
    const workers = Array.from({ length: count }, () => startChild(options.backend as BackendName));
    const prove = async (worker: ChildProcess): Promise<Run> => {
      const answer = await ask(worker, { circuit, inputs, publicSignals });
      if (!answer.ok) throw new Error(`${name}: ${answer.code} ${answer.message}`);
      return answer;
    };
    try {
      // One proof each that does not count: it loads the key and compiles programs.
      await Promise.all(workers.map(prove));
      const startedAtMs = performance.now();
      // All at once, as from a queue: a worker makes the next one's witness beside a proof.
      const eachWorker = (worker: ChildProcess) =>
        Promise.all(Array.from({ length: Number(options.rounds) }, () => prove(worker)));
      const proofs = (await Promise.all(workers.map(eachWorker))).flat();
      byWorkers[count] = figuresOf(proofs, operations, performance.now() - startedAtMs);
      console.log(`${name}, ${count} workers: ${JSON.stringify(byWorkers[count])}`);
    } finally {
      for (const worker of workers) worker.kill("SIGKILL");
    }
  }
  const { backend } = options;
  const byQueue = options.queue
    ? await proveByQueue({ circuit, operations, inputsOf }, { backend, rounds: Number(options.rounds) })
    : null;
  return {
    traffic,
    byQueue,
    backend,
    domain: options.domain,
    name,
    operations,
    constraints,
    byWorkers,
    provenPerSecond: Math.max(...Object.values(byWorkers).map((one) => one.provenOperationsPerSecond)),
    constraintsPerOperation: Math.round(constraints / operations),
  };
}

const figuresOf = (proofs: readonly Run[], operations: number, elapsedMs: number) => ({
  provenOperationsPerSecond: Math.round((100_000 * operations * proofs.length) / elapsedMs) / 100,
  witnessMs: Math.round(median(proofs.map(({ witnessMs }) => witnessMs))),
  proveMs: Math.round(median(proofs.map(({ proveMs }) => proveMs))),
  peakMb: Math.round(Math.max(...proofs.map(({ peakMb }) => peakMb))),
});

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
  const statementOf = (index: number) => closedStatement(closed, BigInt(index + 1));
  const { z, commitment, y } = statementOf(0);
  const inputsOf = (index: number) => closedInputs(closed, statementOf(index).z, TREE_DEPTH) as CircuitInputs;
  return { ...circuit, operations: fits, inputsOf, publicSignals: [commitment, y, z] };
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
