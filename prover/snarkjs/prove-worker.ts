/**
 * The process in which snarkjs runs, one job at a time with all cores.
 *
 * A process and not a worker thread (so not a piscina pool): snarkjs' own thread package, web-worker, takes
 * every worker thread that loads it for one of its own and seizes its message port. And a process can be
 * killed in the middle of a proof together with all of snarkjs' threads.
 */

import { isComposition } from "@openledger/circuits/compiler/composed-copies";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { endWithParent } from "@openledger/foundation/end-with-parent";
import { groth16, wtns } from "snarkjs";
import type { ProverErrorCode } from "../prover-errors.ts";
import type { CircuitInputs, ProofStage } from "../proving/prover.ts";
import { isRefusedWitness, openWitnessSource, type WitnessSource } from "../proving/witness-source.ts";

/** Job of the process, sent by snarkjs-backend.ts. */
export interface ProveRequest {
  wasmPath: string;
  zkeyPath: string;
  /** The key's number of wires; a witness has as many values. */
  wireCount: number;
  /** snarkjs' JSON form. */
  verificationKey: object;
  inputs: CircuitInputs | null;
  witness: Uint8Array | null;
}

/** Message of the process: a stage begins, or the job's end. */
export type ProveAnswer =
  | { kind: "stage"; stage: ProofStage; elapsedMs: number }
  | {
      kind: "proven";
      proof: Groth16Proof;
      publicSignals: bigint[];
      timings: { witnessMs: number; proveMs: number; verifyMs: number };
    }
  | { kind: "failed"; code: ProverErrorCode; message: string };

class JobError extends Error {
  readonly code: ProverErrorCode;
  constructor(code: ProverErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

process.on("message", (request: ProveRequest) => {
  run(request).then(answer, (error: unknown) => {
    const code = error instanceof JobError ? error.code : "PRV_PROVE_FAILED";
    answer({ kind: "failed", code, message: messageOf(error) });
  });
});
// The process that asked is gone: snarkjs' threads would live on.
endWithParent(0);

function answer(message: ProveAnswer): void {
  process.send?.(message);
}

async function run(request: ProveRequest): Promise<ProveAnswer> {
  const start = performance.now();
  let lap = start;
  const begin = (stage: ProofStage) => {
    const now = performance.now();
    const lapMs = now - lap;
    lap = now;
    answer({ kind: "stage", stage, elapsedMs: now - start });
    return lapMs;
  };

  begin("witness");
  const witness = request.witness ?? (await calculateWitness(request));
  checkWitness(witness, request);
  const witnessMs = begin("prove");
  const { proof, publicSignals } = await groth16.prove(request.zkeyPath, { type: "mem", data: witness });
  const proveMs = begin("verify");
  if (!(await groth16.verify(request.verificationKey, publicSignals, proof)))
    throw new JobError(
      "PRV_PROOF_INVALID",
      "the proof does not verify; does the witness meet all constraints?",
    );
  const verifyMs = performance.now() - lap;
  const point = (coordinates: string[]): [bigint, bigint] => [
    BigInt(coordinates[0]!),
    BigInt(coordinates[1]!),
  ];
  return {
    kind: "proven",
    proof: {
      a: point(proof.pi_a),
      b: realFirst(point(proof.pi_b[0]!), point(proof.pi_b[1]!)),
      c: point(proof.pi_c),
    },
    publicSignals: publicSignals.map(BigInt),
    timings: { witnessMs, proveMs, verifyMs },
  };
}

let composed: { wasmPath: string; source: WitnessSource } | null = null;

async function calculateWitness(request: ProveRequest): Promise<Uint8Array> {
  if (isComposition(request.wasmPath)) return calculateComposed(request);
  const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  try {
    await wtns.calculate(request.inputs ?? {}, request.wasmPath, output);
  } catch (error) {
    // A calculator that is missing or no WebAssembly says nothing about the inputs.
    const { code, name } = error as NodeJS.ErrnoException;
    const isBroken = typeof code === "string" || name === "CompileError" || name === "LinkError";
    throw new JobError(isBroken ? "PRV_PROVE_FAILED" : "PRV_NO_WITNESS", messageOf(error), error);
  }
  return output.data!;
}

/** Calculates the witness of a composed circuit, which snarkjs does not support. */
async function calculateComposed({ wasmPath, inputs }: ProveRequest): Promise<Uint8Array> {
  if (composed?.wasmPath !== wasmPath) {
    await composed?.source.close();
    composed = null;
    composed = { wasmPath, source: await openWitnessSource(wasmPath) };
  }
  try {
    return await composed.source.calculate(inputs ?? {});
  } catch (error) {
    throw new JobError(
      isRefusedWitness(error) ? "PRV_NO_WITNESS" : "PRV_PROVE_FAILED",
      messageOf(error),
      error,
    );
  }
}

/** snarkjs would prove with a witness file of another circuit, or fail late and without saying why. */
function checkWitness(witness: Uint8Array, request: ProveRequest): void {
  const isOurs = request.inputs !== null;
  const valueCount = countWitnessValues(Buffer.from(witness.buffer, witness.byteOffset, witness.byteLength));
  if (valueCount === null) throw new JobError("PRV_NO_WITNESS", "the witness is not a whole .wtns file");
  if (valueCount === request.wireCount) return;
  const message = `the witness has ${valueCount} values, the key ${request.wireCount} wires`;
  throw new JobError(isOurs ? "PRV_KEY_INVALID" : "PRV_NO_WITNESS", message);
}

function countWitnessValues(bytes: Buffer): number | null {
  // "wtns", version, section count; section 1: id, byte count, field bytes (32), prime, value count
  const countAt = 12 + 12 + 4 + 32;
  const valuesAt = countAt + 4 + 12;
  if (bytes.length < valuesAt || bytes.toString("latin1", 0, 4) !== "wtns") return null;
  if (bytes.readUInt32LE(24) !== 32) return null;
  const count = bytes.readUInt32LE(countAt);
  return bytes.length === valuesAt + 32 * count ? count : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
