import { useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";

interface Turns {
  /** Of the last one that failed, until another one begins. */
  readonly problem: Problem | null;
  /** Begins when those before it have ended; what fails is told, and `onFailure` takes back what was shown already. */
  run(work: () => Promise<void>, onFailure: () => void): void;
}

/** Work that keys begin faster than it ends: nothing is lost, and nothing overtakes what was said before. */
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
