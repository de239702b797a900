/** Settlements that wait on L1 for a batch, as the sequencer knows them, with the times that L1 gives. */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type LedgerClient, rollupContract } from "../ledger-client.ts";
import { parkedSchema } from "./model-schemas.ts";
import { requestSequencer } from "./sequencer-request.ts";

export interface ParkedSettlementView {
  readonly modelId: number;
  readonly epoch: number;
  /** J. */
  readonly settlementHash: bigint;
  /** Name of the circuit. */
  readonly circuit: string;
  /** "waiting" for a batch, "superseded" by another settlement, or how far the batch is that takes it. */
  readonly status: string;
  readonly batchNumber: number | null;
  /** Code of what keeps it out of a batch. */
  readonly reason: string | null;
  /** By L1's clock; null where L1 has it no more: a batch took it. */
  readonly onL1: {
    readonly blockNumber: number;
    readonly parkedAtSeconds: number;
    /** From then on anybody may post a batch with it. */
    readonly anyonePostsFromSeconds: number;
    readonly burnedWei: bigint;
  } | null;
}

/**
 * Of one model, or of all.
 * @returns null where nobody here knows: a follower was asked
 * @throws CLI_NO_SEQUENCER, CLI_SEQUENCER_UNREACHABLE, CLI_SEQUENCER_ANSWER_INVALID
 */
export async function listParkedSettlements(
  client: LedgerClient,
  modelId: number | null = null,
): Promise<ParkedSettlementView[] | null> {
  const query = modelId === null ? "" : `?model=${modelId}`;
  try {
    const known = await requestSequencer(client, `/v1/parked-settlements${query}`, parkedSchema.array());
    return await Promise.all(known.map(async (one) => ({ ...one, onL1: await readOnL1(client, one) })));
  } catch (error) {
    if (isRollupError(error, "SEQ_READ_ONLY")) return null;
    throw error;
  }
}

async function readOnL1(
  client: LedgerClient,
  { modelId, settlementHash }: { modelId: number; settlementHash: bigint },
): Promise<ParkedSettlementView["onL1"]> {
  const contract = rollupContract(client);
  const args = [BigInt(modelId), settlementHash] as const;
  const [[blockNumber, timestamp, burnedWei], softSeconds] = await Promise.all([
    client.l1.readContract({ ...contract, functionName: "parkedSettlements", args }),
    client.l1.readContract({ ...contract, functionName: "SOFT_DEADLINE" }),
  ]);
  if (timestamp === 0n) return null;
  return {
    blockNumber: Number(blockNumber),
    parkedAtSeconds: Number(timestamp),
    anyonePostsFromSeconds: Number(timestamp + softSeconds) + 1,
    burnedWei,
  };
}
