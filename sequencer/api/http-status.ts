import { operationErrors } from "@openledger/circuits/circuit-errors";
import { sequencerErrors } from "../sequencer-errors.ts";

/** The status of any code; 500 for what no caller can mend. */
export function httpStatusOf(code: string): number {
  return operationErrors.statusOf(code) ?? sequencerErrors.statusOf(code) ?? 500;
}
