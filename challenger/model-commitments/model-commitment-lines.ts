import { formatEther } from "viem";
import type { ModelCommitmentWindow } from "./read-windows.ts";

/** What a watcher says once nothing is left to look at. */
export const recomputedLine = ({ id, modelId }: Pick<ModelCommitmentWindow, "id" | "modelId">): string =>
  `  recomputed: model commitment ${id} of model ${modelId} is right`;

/** What L1 knows of a model commitment. */
export function modelCommitmentLines(modelCommitment: ModelCommitmentWindow): string[] {
  const { bondWei, endsAtSeconds, id, modelId } = modelCommitment;
  const { openAvailabilityChallengeCount, refutedBy, rollup, state } = modelCommitment;
  const until = new Date(Number(endsAtSeconds) * 1000).toISOString();
  return [
    `model commitment ${id} of model ${modelId} of rollup ${rollup}: ${state}, window until ${until}, bond ${formatEther(bondWei)} ETH, ${openAvailabilityChallengeCount} open data-availability challenges`,
    ...(refutedBy === null ? [] : [`  refuted by ${refutedBy}`]),
  ];
}
