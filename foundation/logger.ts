/** Log of every process: JSON lines on stdout by pino, with secrets redacted and of errors their facts alone. */
import pino from "pino";
import { errorFacts } from "./error-facts.ts";

export type Logger = pino.Logger;

/** Paths of logged objects that never reach the log. */
const REDACTED = [
  "authorization",
  "headers.authorization",
  "req.headers.authorization",
  ...["operatorPrivateKey", "operatorToken", "serverToken", "preconfirmationPrivateKey"].flatMap((name) => [
    name,
    `*.${name}`,
  ]),
];

/**
 * Creates the log of a process: lines of JSON with a time in ISO 8601 and the component, the same for all of them.
 * @param destination default: stdout; a command whose answer is on stdout logs to stderr
 */
export function createLogger(
  component: string,
  level = "info",
  destination: pino.DestinationStream = pino.destination(1),
): Logger {
  return pino(
    {
      level,
      base: { component },
      redact: { paths: REDACTED, censor: "[secret]" },
      serializers: { err: errorFacts },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  );
}
