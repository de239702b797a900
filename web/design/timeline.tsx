/** Timeline of all pages: the steps of a transfer, a batch or a job, with the present one marked. */
import type { ComponentChildren } from "preact";

export interface TimelineStep {
  readonly name: string;
  readonly label: ComponentChildren;
  readonly state: "done" | "current" | "ahead" | "failed";
  /** Time of the step, or how long it may take. */
  readonly note?: ComponentChildren;
}

const STATE_WORDS = { done: "done", current: "now", ahead: "to come", failed: "failed" } as const;

/** Progress in steps: from left to right, on a phone from top to bottom. */
export function Timeline({ label, steps }: { label: string; steps: readonly TimelineStep[] }) {
  return (
    <ol class="timeline" aria-label={label}>
      {steps.map(({ name, label: text, state, note }) => (
        <li key={name} class={state} aria-current={state === "current" ? "step" : undefined}>
          <span class="step-name">
            {text}
            <span class="visually-hidden">, {STATE_WORDS[state]}</span>
          </span>
          {note !== undefined && <span class="step-note">{note}</span>}
        </li>
      ))}
    </ol>
  );
}
