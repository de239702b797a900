/**
 * Refuses signed operations that rest on the time of an earlier one (such as an approval a day after a publication) until L1
 * has that one: a batch that is closed again gets another timestamp. sequencer.ts calls it before it executes.
 */
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND } from "@openledger/circuits/protocol";
import type { BatchRegistry } from "../batches/batch-registry.ts";
import type { HeadState } from "../batches/head-state.ts";
import { sequencerError } from "../sequencer-errors.ts";

interface Posted {
  readonly head: HeadState;
  readonly registry: BatchRegistry;
}

/**
 * Requires for an approval that L1 has the publication. A rebuild moves its time, and could so bring the approval under
 * the 24 hours.
 * @throws SEQ_TOO_EARLY
 */
export function requirePublicationPosted({ registry, head }: Posted, { kind, a }: SignedOperation): void {
  if (kind !== KIND.approveModel) return;
  const version = head.ledger.leaf(a)?.datanet?.version;
  const postedVersion = registry.leafAfter(registry.reached("posted"), a)?.datanet?.version;
  if (version === undefined || version === 0n || version === postedVersion) return;
  throw sequencerError("SEQ_TOO_EARLY", `version ${version} of datanet ${a} is not yet posted on L1`, {
    data: { reason: "publication-not-posted", id: a, version: version.toString() },
  });
}

/**
 * Requires for a stranger's CloseEpoch that L1 has the epoch's beginning. A rebuild moves it, too, and could so bring
 * the CloseEpoch under its 24 hours.
 * @throws SEQ_TOO_EARLY
 */
export function requireEpochPosted({ registry, head }: Posted, { kind, a, b }: SignedOperation): void {
  if (kind !== KIND.closeEpoch || a === b) return;
  const epochStart = head.ledger.leaf(b)?.model?.epochStart;
  const posted = registry.leafAfter(registry.reached("posted"), b)?.model?.epochStart;
  if (epochStart === undefined || epochStart === posted) return;
  throw sequencerError("SEQ_TOO_EARLY", `the beginning of model ${b}'s epoch is not yet on L1`, {
    data: { reason: "epoch-not-posted", id: b },
  });
}
