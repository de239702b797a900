/**
 * Text of a pre-verified settlement (one whose proof L1 has checked before its batch), for `openledger models show` and
 * `status`.
 */
import type { PreVerifiedSettlementView } from "@openledger/client/sequencer/model-reads";

const iso = (seconds: number) => new Date(1_000 * seconds).toISOString();

/** Describes one pre-verified settlement in words. */
export function describePreVerified(preVerified: PreVerifiedSettlementView): string {
  const { batchNumber, circuit, epoch, modelId, onL1, reason, status } = preVerified;
  const head = `model ${modelId}, epoch ${epoch} by ${circuit}`;
  if (onL1 === null) return `${head}: L1 has taken it`;
  const since = `pre-verified since ${iso(onL1.preVerifiedAtSeconds)}`;
  if (status === "superseded")
    return `${head}, ${since}: settled otherwise, so no batch will ever take this one`;
  const anyone = `anyone may post it from ${iso(onL1.anyonePostsFromSeconds)}`;
  if (batchNumber !== null) return `${head}, ${since}: in batch ${batchNumber}, ${status}; ${anyone}`;
  return `${head}, ${since}: waits for the sequencer${reason === null ? "" : ` (${reason})`}; ${anyone}`;
}
