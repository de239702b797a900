/** Hook that loads an answer of a Datanet host for a page, and asks again while the host does not answer. */
import { useEffect, useState } from "preact/hooks";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import type { Problem } from "../words/problem.tsx";

/** State of a request to a host. */
export interface LoadState<T> {
  /** undefined until the first answer is there; an older one stays while a new one is awaited. */
  readonly value: T | undefined;
  readonly problem: Problem | null;
  /** Asks again. */
  reload(): void;
}

/**
 * Loads an answer of a host. Loads it again when `about` changes, and retries as long as nobody has answered.
 * @param about text of everything that the answer depends on
 */
export function useLoad<T>(about: string, ask: () => Promise<T>): LoadState<T> {
  const [answer, setAnswer] = useState<{ value: T | undefined; problem: Problem | null }>({
    value: undefined,
    problem: null,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    return askUntilAnswered(ask, (outcome) =>
      setAnswer(({ value }) =>
        outcome.state === "found"
          ? { value: outcome.value, problem: null }
          : { value, problem: outcome.problem },
      ),
    );
  }, [about, turn]);
  return { ...answer, reload: () => setTurn((count) => count + 1) };
}
