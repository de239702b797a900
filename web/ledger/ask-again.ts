/**
 * Retries for what a page looks up once (a recipient, an answer's rows, a search): asks again, after growing pauses, while
 * nobody has answered.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Problem, problemOf } from "../words/problem.tsx";
import type { Live } from "./live.ts";

/** Outcome of one try. */
export type AskOutcome<T> =
  | { readonly state: "found"; readonly value: T }
  /** Asking again would change nothing. */
  | { readonly state: "refused"; readonly problem: Problem }
  /** Called if nobody has answered; the request is repeated. */
  | { readonly state: "unanswered"; readonly problem: Problem };

/** Calls `act` once, later. @returns what ends it */
export type Later = (act: () => void) => () => void;

/** Pause after the first failure; each further one is twice as long, up to the longest. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/** Schedules retries after pauses that grow. */
function afterPauses(): Later {
  let pauseMs = FIRST_PAUSE_MS;
  return (act) => {
    const timer = setTimeout(act, pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
    return () => clearTimeout(timer);
  };
}

/** Schedules a retry for the time when the sequencer answers again. */
export function whenLive(live: Pick<Live, "link" | "onLook">): Later {
  return (act) => {
    const stop = live.onLook(() => {
      if (live.link.value === "lost") return;
      stop();
      act();
    });
    return stop;
  };
}

/** True if a later request may have another result: nobody was there, or not in time, or was too busy. */
function mayPass(error: unknown, { code }: Problem): boolean {
  return (
    code === "CLI_UNREACHABLE" || code === "page-part-missing" || (isRollupError(error) && error.isRetryable)
  );
}

/**
 * Asks until somebody answers.
 * @param tell called after each try
 * @returns what ends it; nothing is told afterwards
 */
export function askUntilAnswered<T>(
  ask: () => Promise<T>,
  tell: (outcome: AskOutcome<T>) => void,
  later: Later = afterPauses(),
): () => void {
  let isOver = false;
  let stopWaiting = () => {};
  const attempt = async (): Promise<void> => {
    const outcome = await ask().then(
      (value): AskOutcome<T> => ({ state: "found", value }),
      (error: unknown): AskOutcome<T> => {
        const problem = problemOf(error);
        return { state: mayPass(error, problem) ? "unanswered" : "refused", problem };
      },
    );
    if (isOver) return;
    tell(outcome);
    if (outcome.state === "unanswered") stopWaiting = later(() => void attempt());
  };
  void attempt();
  return () => {
    isOver = true;
    stopWaiting();
  };
}
