/** Picture beside every leaf and address of the pages, so that people recognise them. */

/** Squares of a side. */
const SIZE = 5;
/** Number of hues, 15 degrees apart. */
const HUES = 24;

/**
 * A picture of who somebody is, the same everywhere: five by five squares, mirrored. It is made of the ledger's number, which
 * nobody can choose, or of an address; of a name it would be as easily copied as the name.
 */
export function Identicon({ of }: { of: string }) {
  const bits = scramble(of);
  const hue = (scramble(`${of} hue`) % HUES) * (360 / HUES);
  const cells: string[] = [];
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) {
      const column = Math.min(x, SIZE - 1 - x);
      if ((bits >>> (y * 3 + column)) & 1) cells.push(`M${x} ${y}h1v1h-1z`);
    }
  return (
    <svg class="identicon" viewBox="0 0 5 5" aria-hidden="true" focusable="false">
      <rect width="5" height="5" fill={`hsl(${hue} 45% 88%)`} />
      <path d={cells.join("")} fill={`hsl(${hue} 62% 36%)`} />
    </svg>
  );
}

/** FNV-1a with the last mixing of MurmurHash3: no secret, and 32 bits that all depend on the text. */
function scramble(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
