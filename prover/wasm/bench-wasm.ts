// npx tsx prover/wasm/bench-wasm.ts <circuit> [rounds] [--without-snarkjs] [--threads=N]
//
// Proves one batch of random operations with snarkjs and the WebAssembly prover in turns, same key and
// witness, and prints each prover's fastest time without the witness, their ratio and the phases.
import { BatchBuilder } from "../../circuits/batch.ts";
import { batchStatement } from "../../circuits/batch-data.ts";
import { batchInputs } from "../../circuits/batch-inputs.ts";
import { circuitSpec } from "../../circuits/circuit-registry.ts";
import { compileCircuit } from "../../circuits/compile.ts";
import { initPoseidon } from "../../circuits/poseidon.ts";
import { TREE_DEPTH } from "../../circuits/protocol.ts";
import { RandomLedger } from "../../circuits/random-ledger.ts";
import { WitnessCalculator } from "../../circuits/witness-calculator.ts";
import { developmentSetup } from "../development-setup.ts";
import { encodeWitness } from "../native/wtns-file.ts";
import { createSnarkjsProver } from "../snarkjs-backend.ts";
import { createWasmProver, type WasmProofResult } from "./wasm-backend.ts";

const [circuitName = "batch-2-1", rounds = "3"] = process.argv
  .slice(2)
  .filter((arg) => !arg.startsWith("--"));
const isWithoutSnarkjs = process.argv.includes("--without-snarkjs");
const threads = process.argv.find((arg) => arg.startsWith("--threads="))?.slice("--threads=".length);

const [, narrow, wide] = /^batch-(\d+)-(\d+)$/.exec(circuitName)!.map(Number) as [number, number, number];
await initPoseidon();
const circuit = await developmentSetup(await compileCircuit(circuitSpec(circuitName)));
const world = new RandomLedger(1, TREE_DEPTH);
const shape = { narrow, wide };
const builder = new BatchBuilder(world.ledger, world.opening(shape));
world.fill(builder, shape);
const sealed = builder.seal();
const calculator = await WitnessCalculator.load(circuit.wasmPath);
const inputs = batchInputs(sealed, batchStatement(sealed.data, 1n).z, TREE_DEPTH);
const witness = encodeWitness(calculator.calculate(inputs as Parameters<WitnessCalculator["calculate"]>[0]));

const snarkjs = createSnarkjsProver();
const wasm = createWasmProver(threads === undefined ? {} : { threadCount: Number(threads) });
const results: WasmProofResult[] = [];
const snarkjsMs: number[] = [];
for (let i = 0; i < Number(rounds); i++) {
  if (!isWithoutSnarkjs) snarkjsMs.push((await snarkjs.prove({ circuit, witness })).timings.proveMs);
  for (let k = 0; k < 3; k++) results.push(await wasm.prove({ circuit, witness }));
}
await snarkjs.close();
await wasm.close();
const best = results.reduce((a, b) => (b.timings.proveMs < a.timings.proveMs ? b : a));
const wasmMs = best.timings.proveMs;
const phases = Object.entries(best.phaseMs).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
console.log(
  `${circuitName}: wasm ${wasmMs.toFixed(0)} ms of ${results.map((r) => r.timings.proveMs.toFixed(0))}`,
);
if (!isWithoutSnarkjs) {
  const least = Math.min(...snarkjsMs);
  console.log(`snarkjs ${least.toFixed(0)} ms of ${snarkjsMs.map((ms) => ms.toFixed(0))}`);
  console.log(`${(least / wasmMs).toFixed(2)} times as fast`);
}
console.log(`phases: ${phases.join(", ")}`);
