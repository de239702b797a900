/** List of checks with their results, as pages show them while they verify something. */
import type { ComponentChildren } from "preact";

export interface Check {
  readonly name: string;
  readonly title: ComponentChildren;
  readonly state: "done" | "failed" | "skipped" | "current" | "ahead";
  readonly children?: ComponentChildren;
}

const STATE_WORDS = {
  done: "holds",
  failed: "does not hold",
  skipped: "cannot be checked",
  current: "being checked",
  ahead: "to come",
} as const;

/** Checks in a list, each with its result. Results are read out as they come. */
export function Checks({ label, checks }: { label: string; checks: readonly Check[] }) {
  return (
    <ol class="checks" aria-label={label} aria-live="polite">
      {checks.map(({ name, title, state, children }) => (
        <li key={name} class={state}>
          <p class="check-title">
            {title}
            <span class="visually-hidden">: {STATE_WORDS[state]}</span>
          </p>
          {children}
        </li>
      ))}
    </ol>
  );
}
