/**
 * Split of long lists into several requests to the sequencer's operator API, by bytes of JSON and by count. The
 * watchers of foreign batches and of pre-verified settlements send through it.
 */
import type { Hex } from "viem";

/**
 * Maximum bytes of text of a request to the sequencer: half of the limit of most routes. One item alone may have more.
 */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** Bytes of an entry's JSON besides its data: C, the proof, names. */
const ENTRY_BYTES = 1_000;

/** Bytes of a request that entries with this posted data take, as hex. */
export const requestBytes = (data: readonly Hex[]): number =>
  data.reduce((sum, { length }) => sum + length + ENTRY_BYTES, 0);

/** Cuts items, in their order, into requests of at most MAX_REQUEST_BYTES and `maxCount` items. */
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
