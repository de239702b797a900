/**
 * Keeps the balances and journeys (movements of money) of the connected address up to date, one look after the other. The frame
 * of the pages runs it; a page that has sent something asks for an extra look.
 */

import { signal } from "@preact/signals";
import { type Problem, problemOf } from "../words/problem.tsx";
import type { Live } from "./live.ts";
import { session } from "./session.ts";

/** Why the last look at the address failed; null if it did not. */
export const lookProblem = signal<Problem | null>(null);

let isAtWork = false;
let isQuestionAgain = false;

/** One look at everything of the address. Calls that come meanwhile cause one more. */
export async function lookAfter(live: Live): Promise<void> {
  isQuestionAgain = true;
  if (isAtWork) return;
  isAtWork = true;
  try {
    while (isQuestionAgain) {
      isQuestionAgain = false;
      const [now, status] = [session.value, live.status.value];
      if (now === null || status === null) continue;
      const { pollOnce } = await import("./poll-once.ts");
      await pollOnce(now, status);
    }
    lookProblem.value = null;
  } catch (error) {
    lookProblem.value = problemOf(error);
  } finally {
    isAtWork = false;
  }
}
