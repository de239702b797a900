/** The spans of an answer over HTTP: what a server says. The client's side: ask-spans.ts. */
import { citeSpans } from "./cite-spans.ts";
import { evidenceToJson } from "./evidence.ts";
import { findSpans } from "./find-spans.ts";
import type { SpanIndex } from "./span-index.ts";

/** Rows that are named for a span, at most. */
const SOURCES = 3;

/** What a model's server needs of an index (attribution/server). */
export function hostSpans(index: SpanIndex): { readonly root: string; cite(text: string): object } {
  return {
    root: index.root,
    cite(text) {
      const bytes = new TextEncoder().encode(text);
      const evidence = citeSpans(index, bytes, findSpans(index, bytes), {
        maxSources: SOURCES,
        isComplete: false,
      });
      return { root: index.root, evidence: evidenceToJson(evidence) };
    },
  };
}
