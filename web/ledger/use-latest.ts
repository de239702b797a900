/** Hook for work that is begun anew while it runs, as by a second file: the last beginning counts, whichever ends last. */
import { useRef } from "preact/hooks";

/** Returns a function that begins work, and returns whether the work is still the last one. */
export function useLatest(): () => () => boolean {
  const count = useRef(0);
  return () => {
    count.current += 1;
    const mine = count.current;
    return () => mine === count.current;
  };
}
