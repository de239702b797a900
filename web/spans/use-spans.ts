/** State of the search for an answer's verbatim spans, for the component that shows its words. */
import type { NoRows, SpanStage } from "@openledger/attribution/spans/published-spans";
import { useEffect, useState } from "preact/hooks";
import { type Problem, problemOf } from "../words/problem.tsx";
import { type Searched, type ServedAnswer, searchRows } from "./read-words.ts";

/** Bytes of rows that are downloaded unasked. */
const UNASKED_BYTES = 2 ** 23;
/** Bytes of rows that are downloaded at a reader's wish: the most that a search takes. */
const WISHED_BYTES = 2 ** 26;
/** Milliseconds before progress is shown. */
const SILENT_MS = 2_000;

export type SpanSearch =
  | { readonly state: "searching"; readonly progress: string | null }
  | { readonly state: "searched"; readonly found: Searched }
  | { readonly state: "none"; readonly why: NoRows }
  | { readonly state: "failed"; readonly problem: Problem };

const STAGES: Readonly<Record<SpanStage, string>> = {
  fetch: "Downloading the model's rows",
  read: "Reading the model's rows",
  search: "Searching the model's rows for this text",
  check: "Comparing the rows with the ledger",
};

/** @returns the search, and the function that begins again with larger files */
export function useSpans(served: ServedAnswer, text: string): readonly [SpanSearch, () => void] {
  const [search, setSearch] = useState<SpanSearch>({ state: "searching", progress: null });
  const [maxFileBytes, setMaxFileBytes] = useState(UNASKED_BYTES);
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const beganAtMs = performance.now();
    const show = (next: SpanSearch) => signal.aborted || setSearch(next);
    const onProgress = (stage: SpanStage, share: number) => {
      if (performance.now() - beganAtMs < SILENT_MS) return;
      const part = stage === "fetch" ? "" : `: ${Math.floor(100 * share)} %`;
      show({ state: "searching", progress: `${STAGES[stage]}${part} …` });
    };
    searchRows(served, text, { maxFileBytes, onProgress, signal }).then(
      (found) =>
        show(typeof found === "string" ? { state: "none", why: found } : { state: "searched", found }),
      (error: unknown) => show({ state: "failed", problem: problemOf(error) }),
    );
    return () => leaving.abort();
  }, [served.serverUrl, served.answer, maxFileBytes]);
  return [search, () => setMaxFileBytes(WISHED_BYTES)];
}
