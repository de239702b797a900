import pino from "pino";

export type Logger = pino.Logger;

/** Paths that never reach a log, wherever an object that holds them is logged. */
const REDACTED = [
  "authorization",
  "headers.authorization",
  "req.headers.authorization",
  "operatorToken",
  "preconfirmationPrivateKey",
  "*.operatorToken",
  "*.preconfirmationPrivateKey",
];

/** @param destination tests claim lines; else stdout */
export function createLogger(
  options: { level: string; component: string },
  destination?: pino.DestinationStream,
): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { component: options.component },
    redact: { paths: REDACTED, censor: "[secret]" },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}
