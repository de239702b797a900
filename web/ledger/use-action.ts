/** Hook for work that a button of any page begins: runs it, and says whether it is under way or has failed. */
import { useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";

export interface Action {
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  run(work: () => Promise<void>): Promise<void>;
}

/** Hook for work that a button begins: whether it is under way, and the error if it failed. */
export function useAction(): Action {
  const [busyCount, setBusyCount] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    isBusy: busyCount > 0,
    problem,
    async run(work) {
      setBusyCount((count) => count + 1);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(problemOf(error));
      } finally {
        setBusyCount((count) => count - 1);
      }
    },
  };
}
