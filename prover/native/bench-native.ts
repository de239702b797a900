// npx tsx prover/native/bench-native.ts <circuit> [rounds] [--without-snarkjs] [--portable]
//
// Proves one batch of random operations with snarkjs and the native prover in turns, same key and witness,
// and prints each prover's fastest time without the witness, its processor time, their ratios and the native
// phases. On a machine that is busy with other things the processor time is the fairer one.
import { readFileSync } from "node:fs";
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

const [circuitName = "batch-2-1", rounds = "3"] = process.argv
  .slice(2)
  .filter((arg) => !arg.startsWith("--"));
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
let snarkjsCpuMs = Number.POSITIVE_INFINITY;
let nativeCpuMs = Number.POSITIVE_INFINITY;
/** User and system time of another process; its clock ticks are 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
if (!isWithoutSnarkjs) await snarkjs.prove({ circuit, witness });
for (let i = 0; i < Number(rounds); i++) {
  if (!isWithoutSnarkjs) {
    const before = cpuMsOf(snarkjs.workerPid!);
    snarkjsMs = Math.min(snarkjsMs, (await snarkjs.prove({ circuit, witness })).timings.proveMs);
    snarkjsCpuMs = Math.min(snarkjsCpuMs, cpuMsOf(snarkjs.workerPid!) - before);
  }
  for (let k = 0; k < 3; k++) {
    let atProve = process.cpuUsage();
    const result = await native.prove(
      { circuit, witness },
      {
        onProgress: ({ stage }) => {
          if (stage === "prove") atProve = process.cpuUsage();
          if (stage !== "verify") return;
          const { user, system } = process.cpuUsage(atProve);
          nativeCpuMs = Math.min(nativeCpuMs, (user + system) / 1000);
        },
      },
    );
    if (best === null || result.timings.proveMs < best.timings.proveMs) best = result;
  }
}
await snarkjs.close();
await native.close();
const nativeMs = best!.timings.proveMs;
const phases = Object.entries(best!.phaseMs).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
console.log(
  `${circuitName}: native (${best!.path}) ${nativeMs.toFixed(0)} ms, ${nativeCpuMs.toFixed(0)} ms of processor time`,
);
if (!isWithoutSnarkjs) {
  console.log(
    `snarkjs ${snarkjsMs.toFixed(0)} ms: ${(snarkjsMs / nativeMs).toFixed(1)} times; ` +
      `${snarkjsCpuMs} ms of processor time, with its verification: ${(snarkjsCpuMs / nativeCpuMs).toFixed(1)} times`,
  );
}
console.log(`phases in ms: ${phases.join(", ")}`);
