/** Spans as parts of an answer: what host and client both have to know of them. */

/** Shorter ones say little: they are turns of phrase that everybody uses. */
export const MIN_SPAN_CHARACTERS = 24;

export function isBoundary(text: Uint8Array, at: number): boolean {
  return at === text.length || (text[at]! & 0xc0) !== 0x80;
}

export function countCharacters(text: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((text[i]! & 0xc0) !== 0x80) count++;
  return count;
}

/**
 * For each character the shortest part from it on that would be a further span: of 24 characters, and in none of the
 * spans. A list of spans is complete exactly if none of these parts occurs.
 */
export function wholeWindows(
  answer: Uint8Array,
  spans: readonly { readonly start: number; readonly end: number }[],
): { start: number; end: number }[] {
  const boundaries: number[] = [];
  for (let i = 0; i <= answer.length; i++) if (isBoundary(answer, i)) boundaries.push(i);
  const byStart = [...spans].sort((a, b) => a.start - b.start);
  const windows: { start: number; end: number }[] = [];
  let next = 0;
  let covered = 0;
  let place = 0;
  for (const [i, start] of boundaries.entries()) {
    while (next < byStart.length && byStart[next]!.start <= start)
      covered = Math.max(covered, byStart[next++]!.end);
    // `place`: of the first boundary behind what the spans cover.
    while (place < boundaries.length && boundaries[place]! <= covered) place++;
    const end = boundaries[Math.max(i + MIN_SPAN_CHARACTERS, place)];
    if (end === undefined) break;
    windows.push({ start, end });
  }
  return windows;
}
