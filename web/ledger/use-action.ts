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
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    isBusy,
    problem,
    async run(work) {
      setBusy(true);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(problemOf(error));
      } finally {
        setBusy(false);
      }
    },
  };
}
