/** Every failure as `{"error": {code, message, data, docs}}` with the code's status; nothing unforeseen leaks. */
import type { HttpErrors, HttpFault } from "../../circuits/http/http-errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { type SequencerErrorCode, sequencerError } from "../sequencer-errors.ts";
import { httpStatusOf } from "./http-status.ts";

const CODES: Readonly<Record<HttpFault, SequencerErrorCode>> = {
  malformed: "SEQ_BAD_REQUEST",
  json: "SEQ_MALFORMED_JSON",
  "too-large": "SEQ_BODY_TOO_LARGE",
  "media-type": "SEQ_UNSUPPORTED_MEDIA_TYPE",
  "unknown-route": "SEQ_UNKNOWN_ROUTE",
  "rate-limited": "SEQ_RATE_LIMITED",
  internal: "SEQ_INTERNAL",
};

export function apiErrors({ logger, metrics }: { logger: Logger; metrics: Metrics }): HttpErrors {
  return {
    log: logger,
    make: (fault, message, details) => sequencerError(CODES[fault], message, details),
    statusOf: ({ code }) => httpStatusOf(code),
    onRefusal({ code }, status) {
      metrics.errors.inc({ code });
      if (status >= 500 && code !== "SEQ_INTERNAL") logger.warn({ code }, "request refused");
    },
  };
}
