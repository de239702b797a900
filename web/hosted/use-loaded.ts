import { useEffect, useRef, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";

export interface Loaded<T> {
  /** undefined until the first answer is there; an older one stays while a new one is awaited. */
  readonly value: T | undefined;
  readonly problem: Problem | null;
  /** Asks again. */
  reload(): void;
}

/** Something that a host is asked for, again when what it depends on changes. @param about what that is, as text */
export function useLoaded<T>(about: string, ask: () => Promise<T>): Loaded<T> {
  const [answer, setAnswer] = useState<{ value: T | undefined; problem: Problem | null }>({
    value: undefined,
    problem: null,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(0);
  useEffect(() => {
    latest.current += 1;
    const mine = latest.current;
    ask().then(
      (value) => mine === latest.current && setAnswer({ value, problem: null }),
      (error: unknown) =>
        mine === latest.current && setAnswer(({ value }) => ({ value, problem: problemOf(error) })),
    );
    return () => {
      latest.current += 1;
    };
  }, [about, turn]);
  return { ...answer, reload: () => setTurn((count) => count + 1) };
}
