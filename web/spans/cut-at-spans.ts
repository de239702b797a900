/**
 * Cuts an answer's text at its verbatim spans (parts that occur word for word in a model's rows), so that answer-words.tsx can
 * underline them.
 */
import type { VerbatimSpan } from "@openledger/attribution/spans/verbatim-spans";

/** A part of a text that is in the same spans throughout. */
export interface Piece {
  /** Byte of the text's UTF-8. */
  readonly from: number;
  readonly text: string;
  /** Place of the rarest span that it is in, among those given; null outside of all. */
  readonly span: number | null;
}

/** Cuts a text at the ends of its spans. @param spans the rarest first; may overlap, and end between characters */
export function cutAtSpans(text: string, spans: readonly Pick<VerbatimSpan, "start" | "end">[]): Piece[] {
  const bytes = new TextEncoder().encode(text);
  const cuts = new Set([0, bytes.length, ...spans.flatMap(({ end, start }) => [start, end])]);
  const locations = [...cuts].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (const [i, from] of locations.entries()) {
    const to = locations[i + 1];
    if (to === undefined) break;
    const at = spans.findIndex(({ end, start }) => start <= from && to <= end);
    const span = at < 0 ? null : at;
    const words = new TextDecoder().decode(bytes.subarray(from, to));
    const before = pieces.at(-1);
    // One button for each span, however many others begin within it.
    if (before !== undefined && before.span === span) {
      pieces[pieces.length - 1] = { ...before, text: before.text + words };
    } else pieces.push({ from, text: words, span });
  }
  return pieces;
}
