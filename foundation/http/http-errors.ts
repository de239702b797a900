/** What HTTP itself refuses, in each server's own codes. */
import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import { leaveUnread } from "./unread-bodies.ts";

/** "malformed" is whatever has no word of its own. */
export type HttpFault =
  | "malformed"
  | "json"
  | "too-large"
  | "media-type"
  | "unknown-route"
  | "rate-limited"
  | "internal";

export interface ServerLog {
  error(facts: object, message: string): void;
  warn?(facts: object, message: string): void;
}

/** A server's codes and the form of its refusals. */
export interface HttpErrors {
  make(fault: HttpFault, message: string, details: { data?: object; cause?: unknown }): RollupError;
  statusOf(error: RollupError): number;
  /** Default: `{"error": {code, message, data, docs}}`. */
  bodyOf?(error: RollupError): object;
  /** What comes from below and has a code here: a full disk. */
  recognise?(error: unknown): RollupError | undefined;
  /** Of errors that are retryable; default 1. */
  retryAfterSeconds?(): number;
  /** Once for each refusal that somebody waits for. */
  onRefusal?(error: RollupError, status: number): void;
  readonly log: ServerLog;
}

const FAULT_OF_CODE: Readonly<Record<string, HttpFault>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: "json",
  FST_ERR_CTP_INVALID_JSON_BODY: "json",
};
const FAULT_OF_STATUS: Readonly<Record<number, HttpFault>> = {
  403: "unknown-route",
  404: "unknown-route",
  413: "too-large",
  415: "media-type",
};

/** The server's own error, whatever was thrown. What is the client's doing is never "internal". */
function typedError(error: unknown, errors: HttpErrors): RollupError {
  if (isRollupError(error)) return error;
  const recognised = errors.recognise?.(error);
  if (recognised !== undefined) return recognised;
  const { code, message, statusCode } = error as { code?: string; message?: string; statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const fault = FAULT_OF_CODE[code ?? ""] ?? FAULT_OF_STATUS[statusCode] ?? "malformed";
    return errors.make(fault, message ?? "the request is malformed", { cause: error });
  }
  if (error instanceof SyntaxError) return errors.make("json", "the body is not JSON", { cause: error });
  errors.log.error({ err: error }, "unforeseen failure of a request");
  return errors.make("internal", "the server failed in an unforeseen way", { cause: error });
}

function bodyOfError(error: RollupError, errors: HttpErrors): object {
  if (errors.bodyOf !== undefined) return errors.bodyOf(error);
  const { code, data, message } = error.toJSON() as { code: string; message: string; data: object };
  return { error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } };
}

/** The bytes of a refusal that no framework sends, after which the connection ends. */
export function refusalText(
  status: number,
  error: RollupError,
  errors: HttpErrors,
  headers: Readonly<Record<string, string>>,
): string {
  const body = JSON.stringify(bodyOfError(error, errors));
  const lines = Object.entries({
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
}

/** Answers in the server's form. A request whose sender has left is nobody's error: nothing is counted or logged. */
export function errorHandler(errors: HttpErrors, headers: Readonly<Record<string, string>>) {
  return (error: unknown, { raw }: FastifyRequest, reply: FastifyReply): void => {
    const hasLeft = raw.destroyed && !raw.complete;
    const typed = typedError(error, errors);
    const status = errors.statusOf(typed);
    if (!hasLeft) errors.onRefusal?.(typed, status);
    leaveUnread(raw, reply.raw);
    // The framework's own errors come past every hook.
    for (const [name, value] of Object.entries(headers))
      if (!reply.hasHeader(name)) reply.header(name, value);
    if (typed.isRetryable && !reply.hasHeader("retry-after"))
      reply.header("retry-after", String(errors.retryAfterSeconds?.() ?? 1));
    void reply
      .code(status)
      .type("application/json; charset=utf-8")
      .serializer((body: unknown) => JSON.stringify(body))
      .send(bodyOfError(typed, errors));
  };
}
