/** Queue of signatures for tabs that are worked by keys: each waits for the one before it. */
import { useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";

interface Turns {
  /** Error of the last one that failed, until another one begins. */
  readonly problem: Problem | null;
  /**
   * Runs work after the work before it has ended. An error is shown, and `onFailure` takes back what the page showed
   * already.
   */
  run(work: () => Promise<void>, onFailure: () => void): void;
}

/** Runs work that keys start faster than it ends: nothing is lost, and nothing overtakes earlier work. */
export function useTurns(): Turns {
  const [problem, setProblem] = useState<Problem | null>(null);
  const turn = useRef<Promise<void>>(Promise.resolve());
  return {
    problem,
    run(work, onFailure) {
      setProblem(null);
      turn.current = turn.current.then(work).catch((error: unknown) => {
        setProblem(problemOf(error));
        onFailure();
      });
    },
  };
}
