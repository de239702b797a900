/**
 * Error of a verification that finds L1's state different from what L1's own records give, and the comparison that raises it.
 */
import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { RollupError } from "@openledger/foundation/rollup-error";

/** Difference between L1's values and those that follow from its records. */
interface Difference {
  /** Number of the batch at fault; null if it is no single one. */
  readonly batchNumber: number | null;
  readonly what: string;
  /** Value from the records and the circuits. */
  readonly expected: unknown;
  /** Value on L1. */
  readonly actual: unknown;
}

/** Makes the error BRG_VERIFY_DIFFERS. */
export function verifyDiffers(
  { actual, batchNumber, expected, what }: Difference,
  cause?: unknown,
): RollupError {
  const where = batchNumber === null ? "L1" : `batch ${batchNumber}`;
  return bridgeError(
    "BRG_VERIFY_DIFFERS",
    `${where}: ${what} is ${show(actual)}, expected ${show(expected)}`,
    {
      data: { batchNumber, what, expected: show(expected), actual: show(actual) },
      cause,
    },
  );
}

/** Requires two values to be the same. @throws BRG_VERIFY_DIFFERS */
export function requireSame(
  batchNumber: number | null,
  what: string,
  expected: unknown,
  actual: unknown,
): void {
  if (show(expected) !== show(actual)) throw verifyDiffers({ batchNumber, what, expected, actual });
}

const show = (value: unknown): string =>
  typeof value === "object"
    ? JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? v.toString() : v))
    : String(value);
