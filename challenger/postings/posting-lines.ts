import { formatEther } from "viem";
import type { Posting } from "./read-postings.ts";

/** What L1 knows of a posting. */
export function postingLines(posting: Posting): string[] {
  const { attestedBy, bondWei, endsAtSeconds, id, modelId, openDemandCount, refutedBy, rollup, state } =
    posting;
  const attested = attestedBy === null ? "more often than this node of L1 tells" : attestedBy.join(", ");
  const until = new Date(Number(endsAtSeconds) * 1000).toISOString();
  return [
    `posting ${id} of model ${modelId} of rollup ${rollup}: ${state}, window until ${until}, bond ${formatEther(bondWei)} ETH, ${openDemandCount} open demands`,
    `  recomputed, by their own word: ${attested === "" ? "nobody" : attested}`,
    ...(refutedBy === null ? [] : [`  refuted by ${refutedBy}`]),
  ];
}
