/** Part of a page that may fail by itself: an error while it is drawn is shown in its place, and the rest of the page stays. */
import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { ProblemNotice, problemOf } from "./problem.tsx";

/** Shows its children, or the problem that their drawing has met. A `key` of what is shown begins anew by itself. */
export function Part({ children }: { children: ComponentChildren }) {
  const [error, tryAgain] = useErrorBoundary((thrown) => globalThis.reportError(thrown));
  if (error === undefined) return <>{children}</>;
  return (
    <section class="stack-s">
      <ProblemNotice problem={problemOf(error)} />
      <div class="row">
        <Button isSmall onClick={tryAgain}>
          Show it again
        </Button>
      </div>
    </section>
  );
}
