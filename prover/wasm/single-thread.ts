/**
 * The wasm back end in one thread, from bytes alone: proofs of exits in a page's worker, which has no files,
 * and where the page comes from the disk, no memory to share either.
 */
import { type CircuitInputs, WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { fieldBytes, fromBytesLe } from "../formats/bn254-numbers.ts";
import { verifyProof } from "../formats/verification-key.ts";
import { parseZkeyHeader, unreadableKey } from "../formats/zkey-header.ts";
import { zkeySection } from "../formats/zkey-layout.ts";
import { proverError } from "../prover-errors.ts";
import { randomScalar } from "../proving/blinding.ts";
import { BlindingWires } from "../proving/blinding-wires.ts";
import {
  buildKernelImage,
  createKernelMemory,
  instantiateKernels,
  type KernelImage,
} from "./kernels/kernel-module.ts";
import { loadPart, loadSteps } from "./key-loader.ts";
import { planMemory } from "./memory-plan.ts";
import { assembleG1, assembleG2 } from "./proof-assembly.ts";
import { type PointCounts, ProveSteps } from "./prove-steps.ts";
import { ThreadTeam } from "./thread-team.ts";
import { type KeySource, readSections } from "./zkey-sections.ts";

/** Stages of a proof, in this order. */
export type SingleThreadStage = "key" | "witness" | "prove" | "verify";

export interface SingleThreadCircuit {
  readonly name: string;
  readonly zkey: Uint8Array;
  /** circom's witness program. */
  readonly program: Uint8Array;
}

export interface SingleThreadProof {
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly bigint[];
}

/**
 * Proves, and verifies the proof by the key. Blocks its thread: about two seconds for 4,300 constraints.
 *
 * @throws RollupError PRV_KEY_INVALID, PRV_PROVE_FAILED (no fused multiply-add
 * or no relaxed SIMD), PRV_PROOF_INVALID, CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
 */
export async function proveInThisThread(
  circuit: SingleThreadCircuit,
  inputs: CircuitInputs,
  onStage: (stage: SingleThreadStage) => void,
): Promise<SingleThreadProof> {
  const { name, zkey } = circuit;
  onStage("key");
  const header = await parseZkeyHeader({
    name,
    fileBytes: zkey.length,
    read: async (position, byteCount) => zkey.subarray(position, position + byteCount),
  });
  const { module, start } = buildKernels(name);
  const plan = planMemory(header, 1);
  const memory = createKernelMemory(plan.byteCount);
  const { buffer } = memory;
  new Uint8Array(buffer).set(start);
  const { scratch, staging } = plan.workers[0]!;
  const kernels = instantiateKernels(module, memory, scratch);
  const file = keyBytes(name, zkey);
  const sections = readSections(file);
  const pointCounts: PointCounts = { a: 0, b1: 0, b2: 0, c: 0, h: 0 };
  // A page's circuits are none of which the witness blinds A.
  const blindsA = new BlindingWires(header.wireCount, header.publicCount);
  for (const step of [...loadSteps, "b1"] as const) {
    const count = loadPart({ kernels, buffer, plan, file, sections, staging, blindsA }, step);
    if (step !== "coefficients" && step !== "inverse" && step !== "coset") pointCounts[step] = count;
  }

  onStage("witness");
  const witness = new Uint8Array(buffer, plan.witness, fieldBytes * header.wireCount);
  calculateWitness(circuit, inputs, header.wireCount, witness);
  const publicSignals = Array.from({ length: header.publicCount }, (_, i) =>
    fromBytesLe(witness.subarray(fieldBytes * (i + 1), fieldBytes * (i + 2))),
  );

  onStage("prove");
  const team = new ThreadTeam(buffer, plan.control, 1);
  team.reset();
  new ProveSteps({ kernels, memory, plan, team, thread: 0 }).run(pointCounts, true);
  const { position, byteCount } = sections[zkeySection.header]!;
  const sums = { kernels, buffer, plan, thread: 0, header: zkey.subarray(position, position + byteCount) };
  const blinding = { r: randomScalar(), s: randomScalar() };
  const g1 = assembleG1(sums, blinding);
  const g2 = assembleG2(sums, blinding);
  if (g1.group !== "g1" || g2.group !== "g2") throw new TypeError("the parts of the proof are not in order");
  const proof = { a: g1.a, b: g2.b, c: g1.c };

  onStage("verify");
  if (!verifyProof(header.verificationKey, proof, publicSignals))
    throw proverError("PRV_PROOF_INVALID", `${name}: the proof does not verify`, { data: { circuit: name } });
  return { proof, publicSignals };
}

/** @throws RollupError PRV_PROVE_FAILED */
function buildKernels(name: string): KernelImage {
  try {
    return buildKernelImage();
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    // The module is right, so an engine that refuses it lacks what it is made of.
    throw proverError(
      "PRV_PROVE_FAILED",
      `${name}: this browser has no relaxed SIMD for WebAssembly; Chromium has had it since version 114`,
      { data: { circuit: name, reason: "no relaxed SIMD" }, cause },
    );
  }
}

function keyBytes(name: string, zkey: Uint8Array): KeySource {
  return {
    read(target, position) {
      if (position + target.length > zkey.length) throw unreadableKey(name, "it is cut off");
      target.set(zkey.subarray(position, position + target.length));
    },
  };
}

/** @throws RollupError PRV_KEY_INVALID, CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH */
function calculateWitness(
  { name, program }: SingleThreadCircuit,
  inputs: CircuitInputs,
  wireCount: number,
  target: Uint8Array,
): void {
  const calculator = new WitnessCalculator(program);
  if (calculator.wireCount !== wireCount) {
    const reason = `the witness has ${calculator.wireCount} values, the key ${wireCount} wires`;
    throw proverError("PRV_KEY_INVALID", `${name}: ${reason}`, { data: { circuit: name, reason } });
  }
  calculator.run(inputs);
  calculator.copyWires(0, target);
}
