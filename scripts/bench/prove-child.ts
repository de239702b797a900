/**
 * One prover in a process of its own, so that its peak memory is its own. Answers each message { circuit, wtnsPath }
 * with { proveMs, peakMb, proof, publicSignals, phases }: the time without the witness, the proof verified before.
 */
import { readFile } from "node:fs/promises";
import type { ProofResult, Prover, ProvingCircuit } from "../../prover/prover.ts";
import { toSnarkjsKey, verifyProof } from "../../prover/verification-key.ts";

export interface ChildRequest {
  readonly circuit: ProvingCircuit;
  readonly wtnsPath: string;
}
export type ChildAnswer =
  | { readonly ok: true; readonly proveMs: number; readonly peakMb: number; readonly phases: object | null }
  | { readonly ok: false; readonly code: string; readonly message: string };

const backend = process.argv[2]!;

async function proveWithSnarkjs({ circuit, wtnsPath }: ChildRequest): Promise<number> {
  const { groth16 } = await import("snarkjs");
  const startedAtMs = performance.now();
  const { proof, publicSignals } = await groth16.prove(circuit.zkeyPath, wtnsPath);
  const proveMs = performance.now() - startedAtMs;
  if (!(await groth16.verify(toSnarkjsKey(circuit.verificationKey) as never, publicSignals, proof))) {
    throw new Error("snarkjs made a proof that does not verify");
  }
  return proveMs;
}

let prover: Prover | undefined;
async function proveWith(request: ChildRequest): Promise<{ proveMs: number; phases: object | null }> {
  if (backend === "snarkjs") return { proveMs: await proveWithSnarkjs(request), phases: null };
  if (prover === undefined) {
    prover =
      backend === "native"
        ? (await import("../../prover/native/native-backend.ts")).createNativeProver()
        : (await import("../../prover/wasm/wasm-backend.ts")).createWasmProver();
  }
  const result: ProofResult & { phaseMs?: object } = await prover.prove({
    circuit: request.circuit,
    witness: new Uint8Array(await readFile(request.wtnsPath)),
  });
  if (!verifyProof(request.circuit.verificationKey, result.proof, result.publicSignals)) {
    throw new Error(`${backend} made a proof that does not verify`);
  }
  return { proveMs: result.timings.proveMs, phases: result.phaseMs ?? null };
}

process.on("message", async (request: ChildRequest) => {
  try {
    const { proveMs, phases } = await proveWith(request);
    const peakMb = process.resourceUsage().maxRSS / 1024;
    process.send!({ ok: true, proveMs, peakMb, phases } satisfies ChildAnswer);
  } catch (error) {
    const { code = "PRV_PROVE_FAILED", message } = error as { code?: string; message: string };
    process.send!({ ok: false, code, message } satisfies ChildAnswer);
  }
});
process.on("disconnect", () => process.exit(0));
