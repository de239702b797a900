/**
 * Errors of all HTTP servers: refusals by HTTP itself get codes, and every error one form of answer (`{"error":
 * …}`).
 */
import { STATUS_CODES } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type ProcessErrorCode, processErrors } from "../error-table.ts";
import { isRollupError, type RollupError } from "../rollup-error.ts";
import { leaveUnread } from "./unread-bodies.ts";

export interface ServerLog {
  error(facts: object, message: string): void;
  warn?(facts: object, message: string): void;
}

/** Form of a server's refusals. */
export interface HttpErrors {
  statusOf(error: RollupError): number;
  /** Default: `{"error": {code, message, data, remedy, docs}}`. */
  bodyOf?(error: RollupError): object;
  /** Recognises an error of a lower layer that has a code here: a full disk. */
  recognise?(error: unknown): RollupError | undefined;
  /** Seconds until a retry, for retryable errors. Default: 1. */
  retryAfterSeconds?(error: RollupError): number;
  /** Called once for each refusal that a client waits for. */
  onRefusal?(error: RollupError, status: number): void;
  readonly log: ServerLog;
}

const CODE_OF_STATUS: Readonly<Record<number, ProcessErrorCode>> = {
  403: "SRV_UNKNOWN_ROUTE",
  404: "SRV_UNKNOWN_ROUTE",
  413: "SRV_TOO_LARGE",
  415: "SRV_MEDIA_TYPE",
};

/** Converts anything thrown into the server's own error. A client's fault is never "internal". */
function typedError(error: unknown, errors: HttpErrors): RollupError {
  if (isRollupError(error)) return error;
  const recognised = errors.recognise?.(error);
  if (recognised !== undefined) return recognised;
  const { message, statusCode } = error as { message?: string; statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const shared = CODE_OF_STATUS[statusCode] ?? "SRV_BAD_REQUEST";
    return processErrors.raise(shared, message ?? "the request is malformed", { cause: error });
  }
  errors.log.error({ err: error }, "unforeseen failure of a request");
  return processErrors.raise("SRV_INTERNAL", "the server failed in an unforeseen way", { cause: error });
}

function bodyOfError(error: RollupError, errors: HttpErrors): object {
  if (errors.bodyOf !== undefined) return errors.bodyOf(error);
  const { code, data, message } = error.toJSON() as { code: string; message: string; data: object };
  const remedy = error.remedy ?? undefined;
  return { error: { code, message, data, remedy, docs: `docs/reference/errors.md#${code.toLowerCase()}` } };
}

/** Body of a refusal for any error thrown after an answer has begun. */
export const refusalBody = (error: unknown, errors: HttpErrors): object =>
  bodyOfError(typedError(error, errors), errors);

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

/**
 * Handler that answers errors in the server's form. It neither counts nor logs a request whose sender has
 * left.
 */
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
    // RFC 9110, section 15.5.2: a client learns how to say who it is.
    if (status === 401 && !reply.hasHeader("www-authenticate")) reply.header("www-authenticate", "Bearer");
    if (typed.isRetryable && !reply.hasHeader("retry-after"))
      reply.header("retry-after", String(errors.retryAfterSeconds?.(typed) ?? 1));
    void reply
      .code(status)
      .type("application/json; charset=utf-8")
      .serializer((body: unknown) => JSON.stringify(body))
      .send(bodyOfError(typed, errors));
  };
}
