/** The steps of a batch's check, in words. Apart from the check itself, which is fetched only when it is asked for. */
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";

export const CHECK_NAMES = ["found", "key", "data", "shown", "commitment", "challenge", "proof"] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export const CHECK_TITLES: Readonly<Record<CheckName, string>> = {
  found: "Find the batch on Ethereum",
  key: "Compare the verifying key",
  data: "Read the batch from the transaction",
  shown: "Compare with what is shown here",
  commitment: "Compute C again",
  challenge: "Compute z and y",
  proof: "Verify the proof",
};

export interface CheckStep {
  readonly name: CheckName;
  readonly state: "done" | "failed" | "skipped";
  readonly text: string;
  /** What was found, by its name. */
  readonly values?: readonly (readonly [name: string, value: string])[];
  /** Why the step failed, where the error has a code. */
  readonly error?: RollupError;
}

export function stepFailed(name: CheckName, error: unknown): CheckStep {
  if (isRollupError(error))
    return { name, state: "failed", text: "This step ended with a difference or an error.", error };
  const message = error instanceof Error ? error.message : String(error);
  return { name, state: "failed", text: `${message.charAt(0).toUpperCase()}${message.slice(1)}.` };
}

export const hex = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;
