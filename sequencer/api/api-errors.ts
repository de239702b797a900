/**
 * Errors of the HTTP API: every failure as `{"error": {code, message, data, remedy, docs}}` with the code's
 * status; nothing unforeseen leaks.
 */
import { operationErrors } from "@openledger/circuits/circuit-errors";
import type { HttpErrors } from "@openledger/foundation/http/http-errors";
import { sayNowAndThen } from "@openledger/foundation/http/say-now-and-then";
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";
import { sequencerErrors } from "../sequencer-errors.ts";

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
    // 500 for errors that no caller can mend.
    statusOf: ({ code }) => operationErrors.statusOf(code) ?? sequencerErrors.statusOf(code) ?? 500,
    onRefusal({ code }, status) {
      metrics.errors.inc({ code });
      if (status >= 500 && code !== "SRV_INTERNAL") say(code);
    },
  };
}
