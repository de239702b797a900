/** Badge of all pages: a state in a word or two, with a colour. */
import type { ComponentChildren } from "preact";

export type Tone = "good" | "wait" | "bad" | "info" | "plain";

/** A state in a word or two. The word says it; the colour only repeats it. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={tone === "plain" ? "badge" : `badge badge-${tone}`}>{children}</span>;
}
