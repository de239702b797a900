/** Hook of the pages for everything that comes from the sequencer: a value, kept up to date by `Live`, or a problem. */
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";
import { coalesced } from "./coalesced.ts";
import type { Live } from "./live.ts";

export interface Answer<T> {
  /** undefined until the first answer is there. */
  readonly value: T | undefined;
  /** Why the last question failed; an earlier value stays. */
  readonly problem: Problem | null;
}

/**
 * Loads an answer of the sequencer, and again whenever something has happened.
 * @param about text of everything that the question depends on
 */
export function useAnswer<T>(live: Live, about: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: undefined, problem: null });
  useEffect(() => {
    let isOver = false;
    const look = coalesced(async () => {
      if (isOver) return;
      try {
        const value = await ask();
        if (!isOver) setAnswer({ value, problem: null });
      } catch (error) {
        if (!isOver) setAnswer(({ value }) => ({ value, problem: problemOf(error) }));
      }
    });
    look();
    const stop = live.onLook(look);
    return () => {
      isOver = true;
      stop();
    };
  }, [about]);
  return answer;
}
