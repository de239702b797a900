import type { Hex } from "viem";

/** Bytes of text of a request to the sequencer: half of what it takes of most. One thing alone may have more. */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** Of an entry's JSON besides its data: C, the proof, names. */
const ENTRY_BYTES = 1_000;

/** What entries with this posted data take of a request. */
export const requestBytes = (data: readonly Hex[]): number =>
  data.reduce((sum, { length }) => sum + length + ENTRY_BYTES, 0);

/** Things in their order, cut into requests. */
export function inRequests<T>(things: readonly T[], bytesOf: (thing: T) => number, maxCount: number): T[][] {
  const requests: T[][] = [];
  let bytes = 0;
  for (const thing of things) {
    const last = requests.at(-1);
    bytes += bytesOf(thing);
    if (last !== undefined && last.length < maxCount && bytes <= MAX_REQUEST_BYTES) {
      last.push(thing);
      continue;
    }
    requests.push([thing]);
    bytes = bytesOf(thing);
  }
  return requests;
}
