import { parentPort } from "node:worker_threads";
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { RollupError } from "@openledger/foundation/rollup-error";
import { type VerificationKey, verifyProof } from "../formats/verification-key.ts";
import type { CircuitInputs } from "./prover.ts";
import { openWitnessSource, type WitnessSource } from "./witness-source.ts";

/** Task of the helper thread: witnesses and verification, which our back ends leave to JavaScript. */
export type WorkerTask =
  | { kind: "witness"; wasmPath: string; inputs: CircuitInputs }
  | { kind: "verify"; key: VerificationKey; proof: Groth16Proof; publicSignals: bigint[] };

export type WorkerAnswer =
  | { kind: "witness"; witness: Uint8Array<ArrayBuffer> }
  | { kind: "verify"; isValid: boolean }
  /** isRefused: the circuit has no witness for these inputs; else the calculator itself is broken. */
  | { kind: "failed"; isRefused: boolean; message: string };

let loaded: { wasmPath: string; source: WitnessSource } | null = null;

parentPort!.on("message", (task: WorkerTask) => {
  answer(task).then(
    (message) => parentPort!.postMessage(message, message.kind === "witness" ? [message.witness.buffer] : []),
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      // A signal that is no number makes BigInt throw one of these two.
      const isRefused =
        loaded !== null &&
        (error instanceof RollupError || error instanceof SyntaxError || error instanceof TypeError);
      parentPort!.postMessage({ kind: "failed", isRefused, message } satisfies WorkerAnswer);
    },
  );
});

async function answer(task: WorkerTask): Promise<WorkerAnswer> {
  if (task.kind === "verify")
    return { kind: "verify", isValid: verifyProof(task.key, task.proof, task.publicSignals) };
  if (loaded?.wasmPath !== task.wasmPath) {
    await loaded?.source.close();
    loaded = null;
    loaded = { wasmPath: task.wasmPath, source: await openWitnessSource(task.wasmPath) };
  }
  return { kind: "witness", witness: await loaded.source.calculate(task.inputs) };
}
