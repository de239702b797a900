/** Renders an answer of the sequencer for the explorer's pages: its content, or "asking", "not there" or an error. */
import type { ComponentChildren } from "preact";
import type { Answer } from "../ledger/use-answer.ts";
import { ProblemNotice } from "../words/problem.tsx";

interface AnsweredProps<T> {
  readonly answer: Answer<T | null>;
  /** Text if there is no such thing. */
  readonly none: ComponentChildren;
  readonly children: (value: T) => ComponentChildren;
}

/** Answer of a question, or its state: asking, nothing there, or an error. */
export function Answered<T>({ answer: { value, problem }, none, children }: AnsweredProps<T>) {
  return (
    <>
      {problem !== null && <ProblemNotice problem={problem} />}
      {value === undefined && problem === null && <p class="soft">Asking …</p>}
      {value === null && <p>{none}</p>}
      {value !== undefined && value !== null && children(value)}
    </>
  );
}
