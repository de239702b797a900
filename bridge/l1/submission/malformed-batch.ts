/**
 * Report of a batch that L1 has taken although it breaks the ledger's rules: full nodes, the sequencer and `openledger status`
 * show it. No proof of it should exist, so it means a flaw in a circuit, a key whose secret is known, or an Ethereum node that
 * is false (docs/reference/invariants.md, "What full nodes rely on").
 */

import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { Hex } from "viem";
import { bridgeError } from "../../bridge-errors.ts";

export interface MalformedBatch {
  readonly batchNumber: number;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
  /** Code and words of the first rule that it breaks. */
  readonly reason: { readonly code: string; readonly message: string };
}

/** Remedy for a malformed batch, for every reader that meets one. */
export const MALFORMED_REMEDY =
  "ask another Ethereum node first: this one may lie. Else trust no newer root: stop operating, and leave by `openledger force withdraw amount=all`, after 7 days `openledger freeze`, then `openledger exit`, which says whether this batch's effect is known";

export interface BatchPosition {
  readonly batchNumber: number;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** Error for such a batch. @param cause the rule's error. @param details of `requireSame`, where the cause has none */
export function batchMalformed(position: BatchPosition, cause: RollupError): RollupError {
  const { actual, expected, what } = cause.data as { what?: string; expected?: string; actual?: string };
  const difference =
    what === undefined
      ? { what: "an operation", expected: "one that the rules allow", actual: cause.message }
      : { what, expected, actual };
  const malformed: MalformedBatch = { ...position, reason: { code: cause.code, message: cause.message } };
  return bridgeError(
    "BRG_BATCH_MALFORMED",
    `L1 has taken batch ${position.batchNumber}, which breaks the ledger's rules: ${cause.message} (${cause.code})`,
    { data: { ...malformed, ...difference, remedy: MALFORMED_REMEDY }, cause },
  );
}

/** Verdict in such an error, or null for any other error. */
export function malformedOf(error: unknown): MalformedBatch | null {
  if (!isRollupError(error, "BRG_BATCH_MALFORMED")) return null;
  const { batchNumber, blockNumber, reason, transactionHash } = error.data as MalformedBatch;
  return { batchNumber, blockNumber, reason, transactionHash };
}
