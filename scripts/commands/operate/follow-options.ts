/** Options of commands that run a full node: `follow`, and `watch`, which recomputes beside one. */
import { InvalidArgumentError } from "commander";
import { defineOptions } from "../../cli/options.ts";

export const FOLLOW_OPTIONS = defineOptions({
  "--feed <url>": "URL of the sequencer or full node whose unposted state is shown; default: L1 alone",
  "--verify-proofs": "verify every proof again with the keys registered on L1",
  "--poll-interval <ms>": {
    about: "milliseconds between two polls of L1 and the feed",
    fallback: 1_000,
    parse: parsePositive,
  },
});

/** Parses a whole number from 1. @throws InvalidArgumentError */
export function parsePositive(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("not a positive number");
  return Number(text);
}

/** Parses an HTTP address. @throws InvalidArgumentError */
export function parseUrl(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text)) throw new InvalidArgumentError("not an http(s) URL");
  return text;
}
