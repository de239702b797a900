/**
 * A prover in a process of its own: answers each ChildRequest with one ChildAnswer. `startChild` of
 * prove-contestants.ts starts it. The proof was verified, and its milliseconds are without the witness and the
 * verification.
 */

import { readFile } from "node:fs/promises";
import { endWithParent } from "@openledger/foundation/end-with-parent";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { toSnarkjsKey, verifyProof } from "@openledger/prover/formats/verification-key";
import type { CircuitInputs, ProofResult, Prover, ProvingCircuit } from "@openledger/prover/proving/prover";

/** Witness to prove, or its inputs and the signals that the proof is to state. */
export type ChildRequest = { readonly circuit: ProvingCircuit } & (
  | { readonly wtnsPath: string }
  | { readonly inputs: CircuitInputs; readonly publicSignals: readonly bigint[] }
);
export type ChildAnswer =
  | {
      readonly ok: true;
      readonly proveMs: number;
      /** Time to make the witness; 0 if it was given. */
      readonly witnessMs: number;
      /** Checking and reading the key, or finding it in memory; null if that is part of proveMs. */
      readonly keyMs: number | null;
      /** Processor time of all threads, for key, proof and verification: hardly moved by other work on the machine. */
      readonly cpuMs: number;
      /** Peak memory of the process so far, in MB. */
      readonly peakMb: number;
      readonly phases: Record<string, number> | null;
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Answer to the request of this number. */
export interface ChildMessage {
  readonly id: number;
  readonly answer: ChildAnswer;
}

type Timed = Pick<ChildAnswer & { ok: true }, "proveMs" | "witnessMs" | "keyMs" | "phases">;

const backend = process.argv[2] as BackendName;

/** snarkjs as its users call it: it reads the key again for every proof. */
async function proveWithSnarkjs(request: ChildRequest): Promise<Timed> {
  if (!("wtnsPath" in request)) throw new Error("snarkjs is given a witness");
  const { circuit, wtnsPath } = request;
  const { groth16 } = await import("snarkjs");
  const startedAtMs = performance.now();
  const { proof, publicSignals } = await groth16.prove(circuit.zkeyPath, wtnsPath);
  const proveMs = performance.now() - startedAtMs;
  if (!(await groth16.verify(toSnarkjsKey(circuit.verificationKey) as never, publicSignals, proof))) {
    throw new Error("snarkjs made a proof that does not verify");
  }
  return { proveMs, witnessMs: 0, keyMs: null, phases: null };
}

let prover: Prover | undefined;
async function proveWithOurs(request: ChildRequest): Promise<Timed> {
  prover ??= await createProver(backend);
  const { circuit } = request;
  const witnessSource =
    "wtnsPath" in request ? { witness: await readFile(request.wtnsPath) } : { inputs: request.inputs };
  const startedAtMs = performance.now();
  const result: ProofResult & { phaseMs?: Record<string, number> } = await prover.prove({
    circuit,
    ...witnessSource,
  });
  const { proveMs, verifyMs, witnessMs } = result.timings;
  const keyMs = performance.now() - startedAtMs - proveMs - verifyMs - witnessMs;
  const signals = "wtnsPath" in request ? result.publicSignals : [...request.publicSignals];
  if (!verifyProof(circuit.verificationKey, result.proof, signals)) {
    throw new Error(`${backend} made a proof that does not verify`);
  }
  return { proveMs, witnessMs, keyMs, phases: result.phaseMs ?? null };
}

process.on("message", async ({ id, ...request }: ChildRequest & { readonly id: number }) => {
  const send = (answer: ChildAnswer) => process.send!({ id, answer } satisfies ChildMessage);
  try {
    const before = process.cpuUsage();
    const timed = await (backend === "snarkjs" ? proveWithSnarkjs(request) : proveWithOurs(request));
    const { user, system } = process.cpuUsage(before);
    const peakMb = process.resourceUsage().maxRSS / 1024;
    const cpuMs = (user + system) / 1000;
    send({ ok: true, ...timed, cpuMs, peakMb });
  } catch (error) {
    const { code = "PRV_PROVE_FAILED", message } = error as { code?: string; message: string };
    send({ ok: false, code, message });
  }
});
endWithParent(0);
