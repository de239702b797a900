import { formatEther } from "viem";
import type { ModelCommitmentWindow } from "./read-windows.ts";

/** What L1 knows of a model commitment. */
export function modelCommitmentLines(modelCommitment: ModelCommitmentWindow): string[] {
  const { attestedBy, bondWei, endsAtSeconds, id, modelId } = modelCommitment;
  const { openAvailabilityChallengeCount, refutedBy, rollup, state } = modelCommitment;
  const attested = attestedBy === null ? "not read" : attestedBy.join(", ");
  const until = new Date(Number(endsAtSeconds) * 1000).toISOString();
  return [
    `model commitment ${id} of model ${modelId} of rollup ${rollup}: ${state}, window until ${until}, bond ${formatEther(bondWei)} ETH, ${openAvailabilityChallengeCount} open data-availability challenges`,
    `  recomputed, by their own word: ${attested === "" ? "nobody" : attested}`,
    ...(refutedBy === null ? [] : [`  refuted by ${refutedBy}`]),
  ];
}
