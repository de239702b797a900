import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { encodeSettlement, settlementStatement } from "@openledger/circuits/settlement/settlement-data";
import type { ProvenSettlement } from "@openledger/client/actions/l1/send-settlement";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { type ProofProgress, proveWithProgress } from "@openledger/prover/proving/prove-with-progress";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";

export interface ProveSettlementOptions {
  readonly backend: BackendName;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProofProgress) => void;
  /** How long it takes, as far as the caller knows; only the shown percentage depends on it. */
  readonly expectedMs?: number;
}

/** A settlement as one sends it, and what the proof took. */
export interface ProvedSettlement {
  readonly settlement: ProvenSettlement;
  readonly witnessMs: number;
  readonly proveMs: number;
}

export type ProveSettlementErrorCode = `PRV_${string}`;

/**
 * Proves a settlement or an activation. The proof is verified before it is handed out.
 * @param circuitId of the circuit, as L1 has it
 * @throws what `Prover.prove` throws
 * @example
 * ```ts
 * const prepared = prepareSampled(await readClosedEpoch(client, 11), { model: published, openings, circuit });
 * const { settlement } = await proveSettlement(prepared, { circuitId: circuit.circuitId, proving }, { backend: "wasm" });
 * ```
 */
export async function proveSettlement(
  prepared: Pick<PreparedSettlement, "data" | "payeeCount" | "privateElements" | "inputs">,
  circuit: { readonly circuitId: bigint; readonly proving: ProvingCircuit },
  options: ProveSettlementOptions,
): Promise<ProvedSettlement> {
  const { data, inputs, privateElements, payeeCount } = prepared;
  const { commitment, y, z } = settlementStatement(data, payeeCount, privateElements, circuit.circuitId);
  const { backend, ...progress } = options;
  const prover = await createProver(backend);
  try {
    const { proof, publicSignals, timings } = await proveWithProgress(
      prover,
      { circuit: circuit.proving, inputs: { ...inputs, z } },
      progress,
    );
    if ([commitment, y, z].some((signal, i) => signal !== publicSignals[i]))
      throw new Error(`${circuit.proving.name} and its model disagree on C or y`);
    return {
      settlement: {
        kind: data.isActivation ? "activation" : "settle",
        modelId: data.modelId,
        settlementHash: data.settlementHash,
        circuit: circuit.proving.name,
        data: encodeSettlement(data),
        publicSignals: [commitment, y, z],
        proof: { a: proof.a, b: proof.b, c: proof.c },
      },
      witnessMs: timings.witnessMs,
      proveMs: timings.proveMs,
    };
  } finally {
    await prover.close();
  }
}
