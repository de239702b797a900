/** Hook of the factory's pages for everything that the factory answers: requested once, or at an interval. */
import { useEffect, useState } from "preact/hooks";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import { type Problem, problemOf } from "../words/problem.tsx";

export interface FactoryQuery<T> {
  /** undefined until the first answer is there. */
  readonly value: T | undefined;
  /** Why the last question failed; an earlier value stays. */
  readonly problem: Problem | null;
  /** Shows this answer of another call from now on. */
  set(value: T): void;
}

/**
 * @param about what the question depends on, as text
 * @param everyMs asks again so long after each answer, also after a failure; without it once, and as long as nobody answers
 */
export function useFactory<T>(about: string, ask: () => Promise<T>, everyMs?: number): FactoryQuery<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const show = (answer: T) => {
      setValue(answer);
      setProblem(null);
    };
    if (everyMs === undefined)
      return askUntilAnswered(ask, (outcome) =>
        outcome.state === "found" ? show(outcome.value) : setProblem(outcome.problem),
      );
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      try {
        const answer = await ask();
        if (isGone) return;
        show(answer);
      } catch (error) {
        if (isGone) return;
        setProblem(problemOf(error));
      }
      timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [about]);
  return { value, problem, set: setValue };
}
