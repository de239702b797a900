/** A worker of the bench of tables, `table-worker.ts BACKEND`: proves each batch that it is sent, witness included. */
import { type BackendName, createProver } from "@openledger/prover/backends";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import type { CircuitInputs, ProvingCircuit } from "@openledger/prover/proving/prover";

export interface WorkerTask {
  readonly circuit: ProvingCircuit;
  readonly inputs: CircuitInputs;
  readonly publicSignals: readonly bigint[];
}
export interface WorkerAnswer {
  readonly witnessMs: number;
  readonly proveMs: number;
  readonly peakMb: number;
}

const prover = createProver(process.argv[2] as BackendName);

process.on("message", async ({ circuit, inputs, publicSignals }: WorkerTask) => {
  try {
    const { proof, timings } = await (await prover).prove({ circuit, inputs });
    if (!verifyProof(circuit.verificationKey, proof, [...publicSignals]))
      throw new Error(`${circuit.name}: the proof does not state this batch`);
    const { proveMs, witnessMs } = timings;
    process.send!({
      proveMs,
      witnessMs,
      peakMb: process.resourceUsage().maxRSS / 1024,
    } satisfies WorkerAnswer);
  } catch (error) {
    process.send!({ failure: String(error) });
  }
});
process.on("disconnect", () => process.exit(0));
