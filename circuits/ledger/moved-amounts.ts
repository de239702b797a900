/** Amounts that operations move, in wei, for everybody who shows operations: the pages, a host's feeds. */
import { KIND, type KindName, kindRule, QUEUED_WEI_KINDS, WITHDRAW_ALL_WEI } from "../protocol.ts";
import { decodeAmount } from "./amount-float.ts";

/** Index of the word that holds the wei moved, by kind of operation. */
const AMOUNT_WORDS: Readonly<Record<string, number>> = {
  withdraw: 1,
  depositNew: 0,
  depositTo: 0,
  forcedWithdraw: 4,
  forcedPayInference: 0,
};

interface MovingOperation {
  /** A name of `KIND`. */
  readonly kind: string;
  readonly amountCode: bigint;
  readonly words: readonly bigint[];
}

/** Amount that an operation moves, in wei; null if it names none. */
export function amountOf({ amountCode, kind, words }: MovingOperation): bigint | null {
  const position = AMOUNT_WORDS[kind];
  if (position !== undefined) return words[position] ?? null;
  const rule = kindRule(KIND[kind as KindName]);
  return rule?.movesAmount === true ? decodeAmount(amountCode) : null;
}

/** Amount of an entry of L1's queue, in wei; null if its number is not in wei, or stands for the whole balance. */
export function queuedAmountOf({ amountWei, kind }: { amountWei: bigint; kind: string }): bigint | null {
  const isWei = QUEUED_WEI_KINDS.has(KIND[kind as KindName]);
  return isWei && amountWei !== WITHDRAW_ALL_WEI ? amountWei : null;
}
