/** Loads the code of a page when somebody opens it. app.tsx wraps its pages by it. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Problem, ProblemNotice, problemOf } from "./words/problem.tsx";

/** Page, or a part of one, whose code is fetched when somebody opens it. */
export function lazyPage<Props extends object>(
  load: () => Promise<(props: Props) => VNode | null>,
): (props: Props) => VNode {
  let loaded: ((props: Props) => VNode | null) | null = null;
  return function LazyPage(props: Props) {
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
    if (loaded === null) return <p class="soft">Fetching …</p>;
    const Page = loaded;
    return <Page {...props} />;
  };
}
