// npx tsx prover/native/bench-native.ts <circuit> [rounds] [--without-snarkjs] [--portable]
//
// Proves one batch of random operations with snarkjs and the native prover in turns, same key and witness,
// and prints each prover's fastest time without the witness, their ratio and the native phases.
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
import { createSnarkjsProver } from "../snarkjs-backend.ts";
import { createNativeProver, type NativeProofResult } from "./native-backend.ts";
import { encodeWitness } from "./wtns-file.ts";

const [circuitName = "batch-2-1", rounds = "3"] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const isWithoutSnarkjs = process.argv.includes("--without-snarkjs");
const path = process.argv.includes("--portable") ? "portable" : "auto";

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
const native = createNativeProver({ path });
let best: NativeProofResult | null = null;
let snarkjsMs = Number.POSITIVE_INFINITY;
for (let i = 0; i < Number(rounds); i++) {
  if (!isWithoutSnarkjs)
    snarkjsMs = Math.min(snarkjsMs, (await snarkjs.prove({ circuit, witness })).timings.proveMs);
  for (let k = 0; k < 3; k++) {
    const result = await native.prove({ circuit, witness });
    if (best === null || result.timings.proveMs < best.timings.proveMs) best = result;
  }
}
await snarkjs.close();
await native.close();
const nativeMs = best!.timings.proveMs;
const phases = Object.entries(best!.phaseMs).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
console.log(`${circuitName}: native (${best!.path}) ${nativeMs.toFixed(0)} ms`);
if (!isWithoutSnarkjs) console.log(`snarkjs ${snarkjsMs.toFixed(0)} ms: ${(snarkjsMs / nativeMs).toFixed(1)} times`);
console.log(`phases in ms: ${phases.join(", ")}`);
