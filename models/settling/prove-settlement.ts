/**
 * Proves a prepared settlement (or the activation that opens a model) by Groth16, into the form that the sequencer and
 * L1 take. A model of several shards (contiguous parts of its rows) has a proof for each. The settling daemon, the
 * factory and `openledger models settle` call it; times are in milliseconds.
 */
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import {
  encodeEntries,
  proofStatement,
  type SettlementData,
} from "@openledger/circuits/settlement/settlement-data";
import type { ProvenEntry, ProvenSettlement } from "@openledger/client/actions/l1/send-settlement";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { type ProofProgress, proveWithProgress } from "@openledger/prover/proving/prove-with-progress";
import type { Prover, ProvingCircuit } from "@openledger/prover/proving/prover";

interface ProveSettlementBase {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProofProgress) => void;
  /** Expected duration, as far as the caller knows; only the shown percentage depends on it. */
  readonly expectedMs?: number;
}

/** Options with a back end of this process, which is closed at the end, or with a prover, which stays open. */
export type ProveSettlementOptions = ProveSettlementBase &
  ({ readonly backend: BackendName } | { readonly prover: Prover });

/** Settlement in the form to send, and the proof's cost. */
export interface ProvedSettlement {
  readonly settlement: ProvenSettlement;
  readonly witnessMs: number;
  readonly proveMs: number;
}

export type ProveSettlementErrorCode = `PRV_${string}`;

/**
 * Proves a settlement or an activation. Each entry's proof is verified before it is handed out.
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
  const { onProgress, signal } = options;
  const wires = encodeEntries(data);
  const prover = "prover" in options ? options.prover : await createProver(options.backend);
  const stopping = new AbortController();
  const stop = AbortSignal.any([stopping.signal, ...(signal === undefined ? [] : [signal])]);
  const percents = proofs.map(() => 0);
  const prove = async (entry: (typeof proofs)[number], i: number) => {
    const { circuitId, proving } = circuits[i]!;
    const { commitment, y, z } = proofStatement(entry, circuitId);
    const { proof, publicSignals, timings } = await proveWithProgress(
      prover,
      { circuit: proving, inputs: { ...entry.inputs, z }, publicSignals: [commitment, y, z] },
      {
        signal: stop,
        ...(options.expectedMs !== undefined && { expectedMs: options.expectedMs }),
        onProgress: (progress) => {
          percents[i] = progress.percent;
          onProgress?.({
            ...progress,
            percent: percents.reduce((sum, each) => sum + each, 0) / proofs.length,
          });
        },
      },
    );
    if ([commitment, y, z].some((expected, k) => expected !== publicSignals[k]))
      throw new Error(`${proving.name} and its model disagree on C or y`);
    const { a, b, c } = proof;
    const entryOnL1: ProvenEntry = {
      circuit: proving.name,
      data: wires[i]!,
      proof: { a, b, c },
      publicSignals: [commitment, y, z],
    };
    return { entryOnL1, timings };
  };
  try {
    // A prover of this process takes them one after the other.
    const made = await Promise.all(proofs.map(prove));
    const sum = (of: "proveMs" | "witnessMs") => made.reduce((total, { timings }) => total + timings[of], 0);
    const settlement = provenSettlement(
      data,
      made.map(({ entryOnL1 }) => entryOnL1),
    );
    return { settlement, witnessMs: sum("witnessMs"), proveMs: sum("proveMs") };
  } finally {
    stopping.abort();
    if (!("prover" in options)) await prover.close();
  }
}

/** Settlement in the form to send. @param entries in L1's order */
function provenSettlement(data: SettlementData, entries: readonly ProvenEntry[]): ProvenSettlement {
  const [first, ...further] = entries;
  return {
    kind: data.isActivation ? "activation" : "settle",
    modelId: data.modelId,
    settlementHash: data.settlementHash,
    ...first!,
    ...(further.length > 0 && { further }),
  };
}
