import { setTimeout as sleep } from "node:timers/promises";
import { drillError } from "./drill-errors.ts";

const POLL_MS = 100;

/**
 * Asks until the answer is neither null, undefined nor false. A question that throws counts as unanswered.
 * @param what the end of "waited … ms for "
 * @throws DRL_TIMEOUT
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  timeoutMs: number,
): Promise<T> {
  const startedAtMs = performance.now();
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (performance.now() - startedAtMs > timeoutMs)
      throw drillError("DRL_TIMEOUT", `waited ${timeoutMs} ms for ${what}`, { data: { what, timeoutMs } });
    await sleep(POLL_MS);
  }
}
