/**
 * Store of the preconfirmations that a full node has seen: the operator's signed promises that an operation has a certain
 * number among all signed ones. Two for one number are evidence of a lie.
 */
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import type { LedgerLog } from "../store/ledger-log.ts";
import { type StoreWrite, underPrefix } from "../store/store-keys.ts";

export const PRECONFIRMATION_PREFIX = "follow-preconfirmation";
const position = (opIndex: number) => `${PRECONFIRMATION_PREFIX}!${opIndex.toString(16).padStart(12, "0")}`;
const keyOf = ({ preconfirmation }: PreconfirmationEvidence) =>
  `${position(preconfirmation.opIndex)}!${preconfirmation.operationHash}`;

export function preconfirmationWrite(evidence: PreconfirmationEvidence): StoreWrite {
  return { key: keyOf(evidence), value: evidence };
}

/** All preconfirmations that were signed for a place. More than one is an equivocation. */
export const preconfirmationsAt = (log: LedgerLog, opIndex: number): Promise<PreconfirmationEvidence[]> =>
  log.range({ ...underPrefix(position(opIndex)), limit: Number.POSITIVE_INFINITY });

/** Stored preconfirmations from place `opIndex` on, at most `limit`. */
export function preconfirmationsFrom(
  log: LedgerLog,
  opIndex: number,
  limit: number,
): Promise<PreconfirmationEvidence[]> {
  return log.range<PreconfirmationEvidence>({
    gte: position(opIndex),
    lt: underPrefix(PRECONFIRMATION_PREFIX).lt,
    limit,
  });
}
