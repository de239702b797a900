import errors from "virtual:errors";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { Notice } from "../design/notice.tsx";

/** An error as a page shows and keeps it. */
export interface Problem {
  readonly code: string | null;
  readonly message: string;
}

export function problemOf(error: unknown): Problem {
  if (isRollupError(error)) return { code: error.code, message: error.message };
  return { code: null, message: error instanceof Error ? error.message : String(error) };
}

/** What the project's table says about a code: its meaning, and what to do. */
function adviceFor(code: string | null): { meaning: string; remedy?: string } | null {
  return code === null ? null : (errors[code] ?? null);
}

const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** An error in words: what it means, what to do, and the code to ask about. */
export function ProblemNotice({ problem }: { problem: Problem }) {
  const advice = adviceFor(problem.code);
  return (
    <Notice tone="bad" title={sentence(advice?.meaning ?? "something went wrong")}>
      {advice?.remedy !== undefined && <p>{sentence(advice.remedy)}</p>}
      <p class="small soft">
        {sentence(problem.message)} {problem.code !== null && <code>{problem.code}</code>}
      </p>
    </Notice>
  );
}
