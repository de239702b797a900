/** Witnesses of composed batch circuits against circom's own program: same batch, in turns, in one process. */
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { findBrokenRow } from "@openledger/circuits/internal/compiler/compose-check";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { tableCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { sealedInputs, sealedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import { parseTableName, postedShape, type TableShape } from "@openledger/circuits/table/table-shape";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { openWitnessSource, type WitnessSource } from "@openledger/prover/internal/proving/witness-source";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { CircuitInputs } from "@openledger/prover/proving/prover";

/** circom2's compiler, itself WebAssembly with 4 GB, ends near 200 slots; its output for more than these is no oracle here. */
const MOST_COMPILED_SLOTS = 80;

export interface BenchWitnessOptions {
  readonly shapes: string;
  readonly rounds: string;
  /** A back end that also proves each shape, with a development key. */
  readonly prove?: string;
  readonly check: boolean;
}

const log = (line: string) => console.log(line);
const since = (startedAtMs: number) => Math.round(performance.now() - startedAtMs);

function tableOf(name: string): TableShape {
  const table = parseTableName(name);
  if (table === null) throw new Error(`${name} is no batch circuit's name`);
  return table;
}

export async function benchWitness(options: BenchWitnessOptions) {
  await initPoseidon();
  const rows = [];
  for (const text of options.shapes.split(",")) {
    rows.push(await measureShape(tableOf(text), options));
  }
  return {
    threads: availableParallelism(),
    node: process.version,
    rounds: Number(options.rounds),
    shapes: rows,
  };
}

async function measureShape(shape: TableShape, options: BenchWitnessOptions) {
  const spec = tableCircuitSpec(shape);
  const { name } = spec;
  let startedAtMs = performance.now();
  const composed = await compileCircuit(spec, { onProgress: log });
  const composeMs = since(startedAtMs);
  const { nonLinear, linear } = composed.constraintCounts;
  log(
    `${name}: ${nonLinear + linear} constraints, ${composed.wireCount} wires, put together in ${composeMs} ms`,
  );

  const inputs = fullBatch(shape);
  const contestants = new Map<"composed" | "circom", WitnessSource>();
  contestants.set("composed", await openWitnessSource(composed.wasmPath));
  if (shape.transfers + shape.members + shape.wide <= MOST_COMPILED_SLOTS) {
    log(`${name}: circom compiles it whole, for its witness program`);
    const compiled = await compileCircuit({ name: `${name}-whole`, mainSource: spec.mainSource });
    contestants.set("circom", await openWitnessSource(compiled.wasmPath));
  }
  const times = await takeTurns(name, contestants, inputs, Number(options.rounds));
  startedAtMs = performance.now();
  let checkedRows: number | null = null;
  if (options.check) {
    const witness = await contestants.get("composed")!.calculate(inputs);
    const broken = findBrokenRow(composed.r1csPath, witness.subarray(76), (done) =>
      log(`${name}: ${done} of ${nonLinear + linear} rows hold`),
    );
    if (broken !== null) throw new Error(`${name}: the composed witness breaks row ${broken}`);
    checkedRows = nonLinear + linear;
  }
  const checkMs = since(startedAtMs);
  for (const source of contestants.values()) await source.close();

  const proof = options.prove === undefined ? null : await prove(spec.name, composed, inputs, options.prove);
  const row = {
    shape,
    constraints: nonLinear + linear,
    wires: composed.wireCount,
    r1csBytes: statSync(composed.r1csPath).size,
    composeMs,
    witness: times,
    checkedRows,
    checkMs: options.check ? checkMs : null,
    proof,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  log(`${name}: ${JSON.stringify(row)}`);
  return row;
}

/** Every slot filled where the random operations allow it: transfers in the table, all kinds in wide slots. */
function fullBatch(shape: TableShape): CircuitInputs {
  const world = new RandomLedger(shape.transfers + shape.wide, TREE_DEPTH);
  const posted = postedShape(shape);
  const builder = new TableBuilder(world.ledger, world.opening(posted));
  for (let i = 0; i < shape.transfers; i++) builder.add(world.transfer());
  world.fill(builder, posted);
  const sealed = builder.close();
  return sealedInputs(sealed, sealedStatement(sealed, 1n).z, TREE_DEPTH) as CircuitInputs;
}

/** One round more than is counted: the first loads and compiles the programs. */
async function takeTurns(
  name: string,
  contestants: ReadonlyMap<string, WitnessSource>,
  inputs: CircuitInputs,
  rounds: number,
) {
  const wallMs = new Map<string, number[]>();
  const cpuMs = new Map<string, number[]>();
  const publics = new Map<string, string>();
  for (let round = 0; round <= rounds; round++) {
    for (const [who, source] of contestants) {
      const cpu = process.cpuUsage();
      const startedAtMs = performance.now();
      const witness = await source.calculate(inputs, (done, total) => {
        if (done % 32 === 0) log(`${name}: ${done} of ${total} parts`);
      });
      const elapsedMs = performance.now() - startedAtMs;
      const { user, system } = process.cpuUsage(cpu);
      publics.set(who, Buffer.from(witness.subarray(76, 76 + 4 * 32)).toString("hex"));
      if (round > 0) {
        wallMs.set(who, [...(wallMs.get(who) ?? []), elapsedMs]);
        cpuMs.set(who, [...(cpuMs.get(who) ?? []), (user + system) / 1000]);
      }
      log(
        `${name}: round ${round}${round === 0 ? " (not counted)" : ""}, ${who} ${Math.round(elapsedMs)} ms`,
      );
    }
  }
  if (new Set(publics.values()).size !== 1) throw new Error(`${name}: the public signals differ`);
  const median = (values: readonly number[] | undefined) =>
    values === undefined ? null : Math.round([...values].sort((a, b) => a - b)[values.length >> 1]!);
  return Object.fromEntries(
    ["composed", "circom"].map((who) => [
      who,
      { medianMs: median(wallMs.get(who)), medianCpuMs: median(cpuMs.get(who)) },
    ]),
  );
}

async function prove(
  name: string,
  composed: Awaited<ReturnType<typeof compileCircuit>>,
  inputs: CircuitInputs,
  backend: string,
) {
  let startedAtMs = performance.now();
  let reported = "";
  const circuit = await developmentSetup(composed, {
    onProgress: ({ stage, done, total }) => {
      const line = `${name}: key, ${stage} ${10 * Math.floor((10 * done) / Math.max(1, total))} %`;
      if (line !== reported) log(line);
      reported = line;
    },
  });
  const keyMs = since(startedAtMs);
  const prover = await createProver(backend as BackendName);
  try {
    startedAtMs = performance.now();
    const result = await prover.prove(
      { circuit, inputs },
      { onProgress: ({ stage }) => log(`${name}: ${stage} after ${since(startedAtMs)} ms`) },
    );
    const keyBytes = statSync(circuit.zkeyPath).size;
    return {
      backend: result.backend,
      isVerified: true,
      keyMs,
      keyBytes,
      totalMs: since(startedAtMs),
      ...result.timings,
    };
  } finally {
    await prover.close();
  }
}
