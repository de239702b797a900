/** Figures of an epoch in a list of uses. Apart from row-uses.ts, which the page loads when it needs it. */
import type { EpochUses } from "./row-uses.ts";

/** Uses that a list shows, and what the others got: together the epoch's sum. */
export function shownOf({ sumWei, uses }: Pick<EpochUses, "sumWei" | "uses">, maxCount: number) {
  const shown = uses.slice(0, maxCount);
  const otherWei = sumWei - shown.reduce((sum, { wei }) => sum + wei, 0n);
  return { shown, otherCount: uses.length - shown.length, otherWei: otherWei > 0n ? otherWei : 0n };
}
