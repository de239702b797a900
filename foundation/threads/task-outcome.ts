/**
 * Outcome of a task, in the form that passes between threads. Classes do not survive the transfer, so a
 * refusal travels as its parts.
 */
import { isRollupError, RollupError } from "../rollup-error.ts";

export type Outcome =
  | { readonly value: unknown }
  | { readonly refusal: { readonly code: string; readonly message: string; readonly data: object } }
  | { readonly failure: unknown };

export function failureOf(error: unknown): Outcome {
  if (!isRollupError(error)) return { failure: error };
  return { refusal: { code: error.code, message: error.message, data: error.data } };
}

export async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work() };
  } catch (error) {
    return failureOf(error);
  }
}

/** @throws what it says */
export function valueIn(outcome: Outcome): unknown {
  if ("value" in outcome) return outcome.value;
  throw errorOf(outcome);
}

function errorOf(outcome: Exclude<Outcome, { readonly value: unknown }>): unknown {
  if ("failure" in outcome) return outcome.failure;
  const { code, data, message } = outcome.refusal;
  return new RollupError(code, message, { data });
}
