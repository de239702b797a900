/**
 * Titles of the steps of the explorer's checks in the browser ("Check it yourself"). Apart from the checks themselves, which
 * are fetched only when they are asked for.
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";

/** Titles by name, in their order. */
export type CheckTitles = Readonly<Record<string, string>>;

export const BATCH_CHECK_TITLES: CheckTitles = {
  found: "Find the batch on Ethereum",
  key: "Compare the verifying key",
  data: "Read the batch from the transaction",
  shown: "Compare with what is shown here",
  commitment: "Read the data commitment",
  challenge: "Compute the proof's inputs",
  proof: "Verify the proof",
};

export const SETTLEMENT_CHECK_TITLES: CheckTitles = {
  found: "Find the settlement on Ethereum",
  key: "Compare the verifying key",
  shown: "Compare with what is shown here",
  seed: "Compute the draws' seed again",
  challenge: "Compute the proof's inputs",
  proof: "Verify the proof",
};

export interface CheckStep {
  readonly name: string;
  /** State of the step. A later step of the same name takes the place of a current one. */
  readonly state: "done" | "failed" | "skipped" | "current";
  readonly text: string;
  /** Values found, by name. */
  readonly values?: readonly (readonly [name: string, value: string])[];
  /** Error of the step, if it has a code. */
  readonly error?: RollupError;
}

function stepFailed(name: string, error: unknown): CheckStep {
  if (isRollupError(error))
    return { name, state: "failed", text: "This step ended with a difference or an error.", error };
  const message = error instanceof Error ? error.message : String(error);
  return { name, state: "failed", text: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` };
}

/** Returns a function that runs a step, reports its failure to `tell`, and then returns null. */
export const attemptsOf =
  (tell: (step: CheckStep) => void) =>
  async <Result>(name: string, work: () => Promise<Result> | Result): Promise<Result | null> => {
    try {
      return await work();
    } catch (error) {
      tell(stepFailed(name, error));
      return null;
    }
  };

export const hex = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;
