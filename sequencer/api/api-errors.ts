/** Every failure as `{"error": {code, message, data, docs}}` with the code's status; nothing unforeseen leaks. */
import type { HttpErrors, HttpFault } from "@openledger/foundation/http/http-errors";
import { sayNowAndThen } from "@openledger/foundation/http/say-now-and-then";
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

const SAY_EVERY_MS = 60_000;

export function apiErrors({ logger, metrics }: { logger: Logger; metrics: Metrics }): HttpErrors {
  // A line for each refusal would let strangers write the log, and this thread waits for the disk.
  const sayOf = new Map<string, (facts: object) => void>();
  const say = (code: string) => {
    const known = sayOf.get(code) ?? sayNowAndThen(logger, "requests refused", SAY_EVERY_MS);
    sayOf.set(code, known);
    known({ code });
  };
  return {
    log: logger,
    make: (fault, message, details) => sequencerError(CODES[fault], message, details),
    statusOf: ({ code }) => httpStatusOf(code),
    onRefusal({ code }, status) {
      metrics.errors.inc({ code });
      if (status >= 500 && code !== "SEQ_INTERNAL") say(code);
    },
  };
}
