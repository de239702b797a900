/**
 * Reads the facts that the followed sequencer publishes, for wallets that read from the full node. Nothing here depends
 * on them.
 */

import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { isNameOfSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Logger } from "@openledger/foundation/logger";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";
import type { BatchRegistry } from "../batches/batch-registry.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** The sequencer's default, where it does not say. */
const CLOSE_INTERVAL_MS = 10_000;

const infoSchema = z.object({
  feePerUnitWei: z
    .string()
    .regex(/^[0-9]{1,30}$/)
    .transform(BigInt),
  feeAccountId: z.int().nonnegative(),
  circuits: z.array(z.object({ name: z.string().max(100) })),
  limits: z.object({ closeIntervalMs: z.int().positive() }),
});
type LeaderInfo = z.output<typeof infoSchema>;

export interface LeaderTerms {
  readonly feePerUnitWei: bigint;
  readonly feeAccountId: number;
  readonly closeIntervalMs: number;
}

/** Reads the followed sequencer's facts; null where it does not answer now. */
export async function readLeaderInfo(url: string, logger: Logger): Promise<LeaderInfo | null> {
  const endpoint = { sequencerUrl: url, timeoutMs: REQUEST_TIMEOUT_MS };
  const { failure, value } = await askSequencer(endpoint, { path: "/v1/info" }, infoSchema);
  if (failure !== null)
    logger.warn({ url, reason: failure.reason }, "the sequencer tells nothing of itself now");
  return value;
}

/**
 * Name of a circuit. L1 does not tell how many rows, features and draws a settlement circuit has; the sequencer may, and
 * its name has to agree with L1.
 */
export function circuitNameOf(circuit: RegisteredCircuit, info: LeaderInfo | null): string {
  const published = info?.circuits[circuit.index]?.name;
  if (published !== undefined && isNameOfSizes(published, circuit)) return published;
  return `circuit-${circuit.index}`;
}

export function leaderTerms(registry: BatchRegistry, info: LeaderInfo | null): LeaderTerms {
  if (info !== null) {
    const { feeAccountId, feePerUnitWei, limits } = info;
    return { feeAccountId, feePerUnitWei, closeIntervalMs: limits.closeIntervalMs };
  }
  const last = registry.record(registry.closedNumber);
  return {
    feeAccountId: last?.feeAccountId ?? 1,
    feePerUnitWei: last?.feePerUnitWei ?? 0n,
    closeIntervalMs: CLOSE_INTERVAL_MS,
  };
}
