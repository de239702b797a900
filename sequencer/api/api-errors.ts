/** Every failure as `{"error": {code, message, data, docs}}` with the code's status; nothing unforeseen leaks. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { type SequencerErrorCode, sequencerError } from "../sequencer-errors.ts";
import { httpStatusOf } from "./http-status.ts";

/** fastify's own errors that a client can cause. */
const FRAMEWORK_CODES: Readonly<Record<string, SequencerErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "SEQ_BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "SEQ_UNSUPPORTED_MEDIA_TYPE",
  FST_ERR_CTP_EMPTY_JSON_BODY: "SEQ_MALFORMED_JSON",
  FST_ERR_CTP_INVALID_JSON_BODY: "SEQ_MALFORMED_JSON",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "SEQ_BAD_REQUEST",
  FST_ERR_BAD_URL: "SEQ_BAD_REQUEST",
  FST_ERR_VALIDATION: "SEQ_BAD_REQUEST",
};

function errorBody(error: RollupError) {
  const { code, message, data } = error.toJSON() as { code: string; message: string; data: object };
  return { error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } };
}

function typedError(error: unknown, logger: Logger): RollupError {
  if (isRollupError(error)) return error;
  const { code, message } = error as { code?: string; message?: string };
  const known =
    FRAMEWORK_CODES[code ?? ""] ?? (error instanceof SyntaxError ? "SEQ_MALFORMED_JSON" : undefined);
  if (known !== undefined) return sequencerError(known, message ?? known, { cause: error });
  logger.error({ err: error }, "unforeseen failure of a request");
  return sequencerError("SEQ_INTERNAL", "the sequencer failed in an unforeseen way", { cause: error });
}

export function createErrorHandler(modules: { logger: Logger; metrics: Metrics }) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const typed = typedError(error, modules.logger);
    modules.metrics.errors.inc({ code: typed.code });
    const status = httpStatusOf(typed.code);
    if (status >= 500 && typed.code !== "SEQ_INTERNAL")
      modules.logger.warn({ code: typed.code }, "request refused");
    if (typed.isRetryable && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
    reply.code(status).send(errorBody(typed));
  };
}
