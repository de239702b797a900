/** Answers of the factory for components: asked once, or every so often. */
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";

export interface Asked<T> {
  /** undefined until the first answer is there. */
  readonly value: T | undefined;
  /** Why the last question failed; an earlier value stays. */
  readonly problem: Problem | null;
  /** Shows this from now on: what another call has answered. */
  set(value: T): void;
}

/**
 * @param about what the question depends on, as text
 * @param everyMs asks again so long after each answer, also after a failure: a factory that is started again is found
 */
export function useFactory<T>(about: string, ask: () => Promise<T>, everyMs?: number): Asked<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const look = async () => {
      try {
        const answer = await ask();
        if (isGone) return;
        setValue(answer);
        setProblem(null);
      } catch (error) {
        if (isGone) return;
        setProblem(problemOf(error));
      }
      if (everyMs !== undefined) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [about]);
  return { value, problem, set: setValue };
}
