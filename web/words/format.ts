/**
 * Numbers, amounts (wei as OPEN), ages and durations (milliseconds) as pages show them. A shortened number is exact in its
 * title, or when it is copied.
 */
import { formatOpen } from "@openledger/client/sequencer/open-amount";

const SHOWN_DECIMALS = 4;
/** Minimum digits that are shown of a sum that has parts, or all that there are. */
const SUM_DIGITS = 4;
const OPEN_DECIMALS = 18;

/** 1234.5 → "1,234.5"; never rounds up, and says "<0.0001" instead of 0 for dust. */
export function showOpen(wei: bigint, decimals = SHOWN_DECIMALS): string {
  const [whole, fraction = ""] = formatOpen(wei).split(".");
  const shownFraction = fraction.slice(0, decimals).replace(/0+$/, "");
  if (wei > 0n && whole === "0" && shownFraction === "") return `<0.${"0".repeat(decimals - 1)}1`;
  return `${showCount(BigInt(whole!))}${shownFraction === "" ? "" : `.${shownFraction}`}`;
}

/**
 * Divides `whole` into whole numbers in the ratio of the amounts. The remainder of rounding down goes to the numbers that
 * lose most by it.
 * @param amounts of at least 0
 */
export function divideWhole(whole: bigint, amounts: readonly bigint[]): bigint[] {
  const sum = amounts.reduce((total, amount) => total + amount, 0n);
  if (sum === 0n) return amounts.map(() => 0n);
  const parts = amounts.map((amount) => (amount * whole) / sum);
  const missing = Number(parts.reduce((left, part) => left - part, whole));
  const losses = amounts.map((amount, index) => ({ index, loss: (amount * whole) % sum }));
  losses.sort((a, b) => (a.loss === b.loss ? a.index - b.index : a.loss > b.loss ? -1 : 1));
  for (const { index } of losses.slice(0, missing)) parts[index]! += 1n;
  return parts;
}

/** Part of a sum as it is shown. */
export interface ShownPart {
  readonly unitCount: bigint;
  readonly decimals: number;
}

export interface ShownParts {
  readonly sum: string;
  /** Parts in the order of the amounts. */
  readonly parts: readonly string[];
  /** The same, for parts that are divided further. */
  readonly wholes: readonly ShownPart[];
}

/**
 * Amounts that are shown with their sum, so that what is shown adds up: the sum as `showOpen` has it, with as many decimals
 * as give it four digits. Dust remains dust.
 * @param amountsWei of at least 0
 * @param whole as another sum shows these amounts' own one; default: as it is shown alone
 */
export function showParts(amountsWei: readonly bigint[], whole?: ShownPart): ShownParts {
  const sumWei = amountsWei.reduce((sum, wei) => sum + wei, 0n);
  const leading = OPEN_DECIMALS - sumWei.toString().length;
  const own = Math.min(OPEN_DECIMALS, Math.max(SHOWN_DECIMALS, leading + SUM_DIGITS));
  const decimals = whole?.decimals ?? own;
  const unitWei = 10n ** BigInt(OPEN_DECIMALS - decimals);
  const unitCount = whole?.unitCount ?? sumWei / unitWei;
  const units = divideWhole(unitCount, amountsWei);
  const show = (count: bigint, wei: bigint) =>
    showOpen(count === 0n && wei > 0n ? 1n : count * unitWei, decimals);
  return {
    sum: whole === undefined ? showOpen(sumWei, decimals) : show(unitCount, sumWei),
    parts: units.map((count, i) => show(count, amountsWei[i]!)),
    wholes: units.map((count) => ({ unitCount: count, decimals })),
  };
}

export function showCount(value: number | bigint): string {
  return value.toLocaleString("en");
}

/** 1 and "row" → "1 row"; else "3 rows". */
export const showCounted = (count: number, one: string): string =>
  `${showCount(count)} ${count === 1 ? one : `${one}s`}`;

/** Rows of a search: "3 rows", or "10,000+ rows" where a host has not counted all. */
export const showTotal = ({ isTotalExact, total }: { total: number; isTotalExact: boolean }): string =>
  isTotalExact ? showCounted(total, "row") : `${showCount(total)}+ rows`;

/** 95,000 → "1 min 35 s", as coarse as it may be. */
export function showDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 950) return `${Math.max(1, Math.round(ms))} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10 && seconds % 60 > 0) return `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** Age of a moment. */
export function showAge(atMs: number, nowMs: number): string {
  return nowMs - atMs < 2_000 ? "just now" : `${showDuration(nowMs - atMs)} ago`;
}

export function showTime(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
