import { z } from "zod";
import { RollupError } from "../../circuits/rollup-error.ts";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { errorSchema } from "./sequencer-schemas.ts";

/** What it takes to ask a sequencer; a client has it, and so has a page before there is one. */
export type SequencerAccess = Pick<LedgerClient, "sequencerUrl" | "requestTimeoutMs">;

/** @throws CLI_NO_SEQUENCER */
export function requireSequencerUrl(client: Pick<LedgerClient, "sequencerUrl">): string {
  if (client.sequencerUrl === null)
    throw clientError("CLI_NO_SEQUENCER", "the client has no sequencer to ask");
  return client.sequencerUrl;
}

/**
 * One request to the sequencer, its answer parsed by a schema.
 *
 * @throws CLI_SEQUENCER_UNREACHABLE, CLI_SEQUENCER_ANSWER_INVALID; an error that the sequencer answers with keeps
 * the code that it has there (OP_WRONG_NONCE …), or is CLI_SEQUENCER_REFUSED where it has none.
 */
export async function requestSequencer<Schema extends z.ZodType>(
  client: SequencerAccess,
  path: string,
  schema: Schema,
  options: { body?: object; signal?: AbortSignal } = {},
): Promise<z.output<Schema>> {
  const url = `${requireSequencerUrl(client)}${path}`;
  const timeout = AbortSignal.timeout(client.requestTimeoutMs);
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
      ...(options.body === undefined
        ? {}
        : {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(options.body),
          }),
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    if (options.signal?.aborted) throw clientError("CLI_WAIT_ABORTED", "the request was aborted", { cause });
    throw clientError("CLI_SEQUENCER_UNREACHABLE", `no answer from ${url}`, { data: { url }, cause });
  }
  const json = parseJson(text);
  if (status >= 400) throw refusal(url, status, json, text);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw clientError("CLI_SEQUENCER_ANSWER_INVALID", `the answer of ${url} is not as documented`, {
      data: { url, status, problems: z.prettifyError(parsed.error) },
    });
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(url: string, status: number, json: unknown, text: string): RollupError {
  const known = errorSchema.safeParse(json);
  if (known.success) {
    const { code, message, data } = known.data.error;
    return new RollupError(code, message, {
      data: { ...data, httpStatus: status },
      isRetryable: status >= 500 || status === 429,
    });
  }
  return clientError("CLI_SEQUENCER_REFUSED", `${url} answered ${status}: ${text.slice(0, 200)}`, {
    data: { url, httpStatus: status },
  });
}
