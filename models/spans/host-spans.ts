/** The spans of an answer over HTTP: what a server says. The client's side: check-citations.ts. */
import { citeSpans, findSpans } from "./cite-spans.ts";
import { evidenceToJson } from "./evidence.ts";
import type { SpanIndex } from "./span-index.ts";

/** Rows that are named for a span, at most. */
const SOURCES = 3;
/**
 * Work for one text of a stranger: bytes of the index compared, and bytes of spans shown. Enough for every text of the route's
 * length that does not repeat itself in many ways; some 50 ms.
 */
const MAX_COMPARED_BYTES = 2 ** 23;
const MAX_CITED_BYTES = 2 ** 20;
const MAX_CITED_SPANS = 1_000;

/** What a model's server needs of an index (attribution/server). */
export function hostSpans(index: SpanIndex): { readonly root: string; cite(text: string): object } {
  return {
    root: index.root,
    cite(text) {
      const bytes = new TextEncoder().encode(text);
      const found = findSpans(index, bytes, MAX_COMPARED_BYTES);
      let citedBytes = 0;
      // The rarest and longest; the first one is shown, however long it is.
      const cited = found.slice(0, MAX_CITED_SPANS).filter(({ end, start }, i) => {
        citedBytes += end - start;
        return i === 0 || citedBytes <= MAX_CITED_BYTES;
      });
      const evidence = citeSpans(index, bytes, cited, { maxSources: SOURCES, isComplete: false });
      return {
        root: index.root,
        evidence: evidenceToJson(evidence),
        omittedCount: found.length - cited.length,
      };
    },
  };
}
