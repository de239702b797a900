/**
 * Rules of length for spans, the parts of an answer that occur word for word in a Datanet's version, shared by the server's
 * search and the client's check.
 */

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
