/**
 * Reduces an error to the facts that a log may have (logger.ts). Libraries hang more on their errors: `pg` its client, with the
 * key that cancels the connection's statements and the address with the password.
 */
import { isRollupError } from "./rollup-error.ts";

/** Facts of an error: nothing else of it reaches a log. */
export interface ErrorFacts {
  readonly type: string;
  /** Message, followed by those of its causes. */
  readonly message: string;
  readonly code?: string;
  /** Data of the project's own errors, which servers also answer with. */
  readonly data?: object;
  /** Stack, followed by those of its causes. */
  readonly stack: string;
  /** Errors of an AggregateError: one for each address of a name, for example. */
  readonly errors?: readonly unknown[];
}

/** Longest chain of causes in a log: a chain may be circular. */
const MAX_CAUSES = 8;

/**
 * Picks the facts of an error that a log may have; every logger applies it to `err` (logger.ts).
 * @returns what is no Error unchanged
 */
export function errorFacts(error: unknown): ErrorFacts | unknown {
  if (!(error instanceof Error)) return error;
  const chain = chainOf(error);
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  return {
    type: error.constructor.name,
    message: chain.map(({ message }) => message).join(": "),
    ...(typeof code === "string" ? { code } : {}),
    ...(isRollupError(error) ? { data: (error.toJSON() as { data: object }).data } : {}),
    stack: chain.map(({ stack, message }) => stack ?? message).join("\ncaused by: "),
    ...(Array.isArray(errors) ? { errors: errors.map(errorFacts) } : {}),
  };
}

function chainOf(error: Error): readonly Error[] {
  const chain = [error];
  for (let { cause } = error; cause instanceof Error && chain.length < MAX_CAUSES; { cause } = cause)
    chain.push(cause);
  return chain;
}
