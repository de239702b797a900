/**
 * Parses an amount that a person has typed in OPEN: gives wei, or the error to show. The forms of the bridge page and of votes
 * use it.
 */
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { showOpen } from "../words/format.ts";

export interface TypedAmount {
  /** null if the text is no amount yet. */
  readonly wei: bigint | null;
  /** Reason why it cannot be used; null if it can, and if nothing was typed. */
  readonly problem: string | null;
}

/** @param limits.minWei minimum, with the reason for it; limits.maxWei maximum that there is */
export function readAmount(
  text: string,
  {
    minWei = 1n,
    minWhy,
    maxWei,
    maxWhy,
  }: { minWei?: bigint; minWhy?: string; maxWei: bigint; maxWhy: string },
): TypedAmount {
  if (text.trim() === "") return { wei: null, problem: null };
  let wei: bigint;
  try {
    wei = parseOpen(text);
  } catch {
    return {
      wei: null,
      problem: "Enter an amount such as 12.5, with at most 18 decimals.",
    };
  }
  if (wei < minWei) {
    const why = minWhy === undefined ? "" : `: ${minWhy}`;
    return {
      wei,
      problem: wei === 0n ? "Enter more than 0." : `At least ${showOpen(minWei)} OPEN${why}.`,
    };
  }
  if (wei > maxWei)
    return {
      wei,
      problem:
        maxWei > 0n
          ? `At most ${showOpen(maxWei)} OPEN: ${maxWhy}.`
          : "You do not have enough OPEN for this and its fee.",
    };
  return { wei, problem: null };
}
