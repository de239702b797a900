/** The steps of a batch's check, in words. Apart from the check itself, which is fetched only when it is asked for. */
import { type Problem, problemOf } from "../words/problem.tsx";

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
  readonly problem?: Problem;
}

export function stepFailed(name: CheckName, error: unknown): CheckStep {
  const problem = problemOf(error);
  if (problem.code !== null) return { name, state: "failed", text: "This step found a difference.", problem };
  return {
    name,
    state: "failed",
    text: `${problem.message.charAt(0).toUpperCase()}${problem.message.slice(1)}.`,
  };
}

export const hex = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;
