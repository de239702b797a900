/**
 * One request to the sequencer's HTTP API for all verbs of the client: the answer parsed by a schema, refusals as this library's
 * errors.
 */
import { RollupError } from "@openledger/foundation/rollup-error";
import { askSequencer, type SequencerFailure } from "@openledger/foundation/wire/sequencer-request";
import type * as z from "zod/mini";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";

/**
 * Error codes of every call to the sequencer. Its own refusals, and the ledger's, keep their codes, which
 * docs/reference/errors.md lists.
 */
export type SequencerErrorCode =
  | "CLI_NOT_CONFIGURED"
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | `OP_${string}`
  | `SEQ_${string}`;

/** Access to a sequencer: a client has it, and so has a page before there is a client. */
export type SequencerAccess = Pick<LedgerClient, "sequencerUrl" | "requestTimeoutMs"> &
  Partial<Pick<LedgerClient, "serverToken">>;

/** Maximum sum of the waits that a busy sequencer may ask for before a read is given up, in milliseconds. */
const MAX_WAIT_MS = 5_000;

/** The sequencer's URL. @throws CLI_NOT_CONFIGURED */
export function requireSequencerUrl(client: Pick<LedgerClient, "sequencerUrl">): string {
  if (client.sequencerUrl === null)
    throw clientError("CLI_NOT_CONFIGURED", "the client has no sequencer to ask", {
      data: { missing: "sequencerUrl" },
    });
  return client.sequencerUrl;
}

/**
 * Sends one request to the sequencer, and parses the answer by a schema.
 *
 * @param options operatorToken: for the operator's routes
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID; an error in the sequencer's answer keeps its code (OP_WRONG_NONCE …), or
 * is CLI_ANSWER_INVALID where it has none.
 */
export async function requestSequencer<Schema extends z.core.$ZodType>(
  client: SequencerAccess,
  path: string,
  schema: Schema,
  options: { body?: object; signal?: AbortSignal; operatorToken?: string } = {},
): Promise<z.output<Schema>> {
  const { operatorToken, ...request } = options;
  const endpoint = {
    sequencerUrl: requireSequencerUrl(client),
    timeoutMs: client.requestTimeoutMs,
    token: operatorToken ?? client.serverToken?.reveal(),
    // A caller that sends something has a plan of its own for the case that it is refused.
    maxWaitMs: request.body === undefined ? MAX_WAIT_MS : 0,
  };
  const answer = await askSequencer(endpoint, { path, ...request }, schema);
  if (answer.failure !== null) throw toError(answer.failure);
  return answer.value;
}

function toError({ cause, error, kind, reason, status, url }: SequencerFailure): RollupError {
  if (kind === "aborted")
    return clientError("CLI_WAIT_ENDED", "the request was aborted", { data: { reason: "aborted" }, cause });
  if (kind === "unreachable")
    return clientError("CLI_UNREACHABLE", reason, { data: { server: "sequencer", url }, cause });
  if (kind === "unreadable")
    return clientError("CLI_ANSWER_INVALID", reason, {
      data: { server: "sequencer", url, status, problems: reason },
      cause,
    });
  if (error === null)
    return clientError("CLI_ANSWER_INVALID", reason, {
      data: { server: "sequencer", url, httpStatus: status },
    });
  return refusedBy(error, kind === "passing", { httpStatus: status });
}

/** Error for a refusal of the sequencer, with the sequencer's code. */
export const refusedBy = (
  { code, data, message, remedy }: NonNullable<SequencerFailure["error"]>,
  isRetryable: boolean,
  facts: object = {},
): RollupError => new RollupError(code, message, { data: { ...data, ...facts }, isRetryable, remedy });
