/** Wait of drills for a condition, with lines of progress and an error when time is up. */
import { setTimeout as sleep } from "node:timers/promises";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { drillError } from "./drill-errors.ts";

const POLL_MS = 100;
/** Time before the first progress line: a short wait needs none. */
const FIRST_WORD_MS = 2_000;
const NEXT_WORD_MS = 30_000;

interface WaitWatch {
  /** Called with a description of what is awaited, after two seconds and then every half minute. */
  readonly tell?: ((text: string) => void) | undefined;
  /** Error that ends the wait, such as the end of a process; null while there is none. */
  readonly inVain?: () => Error | null;
}

/**
 * Asks until the answer is neither null, undefined nor false. A question that throws counts as unanswered, but for a step of the
 * drill's own that has failed.
 * @param what the end of "waited … ms for "
 * @throws DRL_TIMEOUT; what `inVain` says; DRL_… of a step in `ask`
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  timeoutMs: number,
  { tell, inVain }: WaitWatch = {},
): Promise<T> {
  const startedAtMs = performance.now();
  let nextWordMs = FIRST_WORD_MS;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      // A step that fails, a command say, fails again: its output is what its reader needs.
      if (isRollupError(error) && error.code.startsWith("DRL_")) throw error;
      return null;
    });
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    const reason = inVain?.() ?? null;
    if (reason !== null) throw reason;
    const waitedMs = performance.now() - startedAtMs;
    if (waitedMs > timeoutMs)
      throw drillError("DRL_TIMEOUT", `waited ${timeoutMs} ms for ${what}`, { data: { what, timeoutMs } });
    if (waitedMs > nextWordMs) {
      tell?.(`waits for ${what}, ${Math.round(waitedMs / 1_000)} s by now`);
      nextWordMs = waitedMs + NEXT_WORD_MS;
    }
    await sleep(POLL_MS);
  }
}
