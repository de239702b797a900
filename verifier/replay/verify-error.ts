import { bridgeError } from "@openledger/bridge/bridge-errors";
import type { RollupError } from "@openledger/foundation/rollup-error";

/** A difference between what L1 holds and what its records give. */
interface Difference {
  /** null where no single batch is to blame. */
  readonly batchNumber: number | null;
  readonly what: string;
  /** What the records and the circuits give. */
  readonly expected: unknown;
  /** What L1 holds. */
  readonly actual: unknown;
}

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

/** @throws BRG_VERIFY_DIFFERS where the two values are not the same */
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
