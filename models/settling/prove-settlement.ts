import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import {
  encodeEntries,
  proofStatement,
  type SettlementData,
} from "@openledger/circuits/settlement/settlement-data";
import type { ProvenEntry, ProvenSettlement } from "@openledger/client/actions/l1/send-settlement";
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
 * Proves a settlement or an activation, one entry after the other. Each proof is verified before it is handed out.
 * @param circuits of the entries, as L1 has them
 * @throws what `Prover.prove` throws
 * @example
 * ```ts
 * const { prepared } = prepareSampled(await readClosedEpoch(client, 11), { model: published, openings, settling });
 * const { settlement } = await proveSettlement(prepared, [{ circuitId: circuit.circuitId, proving }], { backend: "wasm" });
 * ```
 */
export async function proveSettlement(
  { data, proofs }: Pick<PreparedSettlement, "data" | "proofs">,
  circuits: readonly { readonly circuitId: bigint; readonly proving: ProvingCircuit }[],
  options: ProveSettlementOptions,
): Promise<ProvedSettlement> {
  const { backend, onProgress, ...progress } = options;
  const wires = encodeEntries(data);
  const prover = await createProver(backend);
  const entries: ProvenEntry[] = [];
  let [witnessMs, proveMs] = [0, 0];
  try {
    for (const [i, entry] of proofs.entries()) {
      const { circuitId, proving } = circuits[i]!;
      const { commitment, y, z } = proofStatement(entry, circuitId);
      const { proof, publicSignals, timings } = await proveWithProgress(
        prover,
        { circuit: proving, inputs: { ...entry.inputs, z } },
        {
          ...progress,
          onProgress: (told) => onProgress?.({ ...told, percent: (100 * i + told.percent) / proofs.length }),
        },
      );
      if ([commitment, y, z].some((signal, k) => signal !== publicSignals[k]))
        throw new Error(`${proving.name} and its model disagree on C or y`);
      const { a, b, c } = proof;
      const publics = [commitment, y, z] as const;
      entries.push({ circuit: proving.name, data: wires[i]!, publicSignals: publics, proof: { a, b, c } });
      witnessMs += timings.witnessMs;
      proveMs += timings.proveMs;
    }
  } finally {
    await prover.close();
  }
  return { settlement: provenSettlement(data, entries), witnessMs, proveMs };
}

/** A settlement as one sends it. @param entries in L1's order */
export function provenSettlement(data: SettlementData, entries: readonly ProvenEntry[]): ProvenSettlement {
  const [first, ...further] = entries;
  return {
    kind: data.isActivation ? "activation" : "settle",
    modelId: data.modelId,
    settlementHash: data.settlementHash,
    ...first!,
    ...(further.length > 0 && { further }),
  };
}
