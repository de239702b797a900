import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PageProps } from "./ledger/page.ts";
import { type Problem, ProblemNotice, problemOf } from "./words/problem.tsx";

type Show = (props: PageProps) => VNode;

/** A page whose code is fetched when somebody opens it. */
export function lazyPage(load: () => Promise<Show>): Show {
  let loaded: Show | null = null;
  return function LazyPage(props: PageProps) {
    const [, setTries] = useState(0);
    const [problem, setProblem] = useState<Problem | null>(null);
    useEffect(() => {
      if (loaded !== null) return;
      load().then(
        (show) => {
          loaded = show;
          setTries((count) => count + 1);
        },
        (error: unknown) => setProblem(problemOf(error)),
      );
    }, []);
    if (problem !== null) return <ProblemNotice problem={problem} />;
    if (loaded === null) return <p class="soft">Fetching the page …</p>;
    const Page = loaded;
    return <Page {...props} />;
  };
}
