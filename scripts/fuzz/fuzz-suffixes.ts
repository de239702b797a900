/** Texts for models/spans/native, held against a plain sort. */
import type { FuzzRandom } from "./fuzz-random.ts";

export interface SuffixAddon {
  sort(text: Uint8Array, array: Int32Array): Promise<void>;
}

interface SuffixCounts {
  arrays: number;
  bytes: number;
}

const MAX_BYTES = 600;

/** @throws Error naming the text whose array is not the plain sort's */
export async function fuzzSuffixes(
  addon: SuffixAddon,
  random: FuzzRandom,
  count: number,
): Promise<SuffixCounts> {
  const counts: SuffixCounts = { arrays: 0, bytes: 0 };
  for (; counts.arrays < count; counts.arrays++) {
    const text = randomText(random);
    counts.bytes += text.length;
    const array = new Int32Array(text.length);
    await addon.sort(text, array);
    const plain = Array.from(text.keys()).sort((i, j) => Buffer.compare(text.subarray(i), text.subarray(j)));
    if (!plain.every((from, i) => array[i] === from))
      throw new Error(`the suffix array of ${text.toString("hex")} is not the plain sort's`);
  }
  return counts;
}

/** Few letters, repeated parts and all bytes: what induced sorting treats apart. */
function randomText(random: FuzzRandom): Buffer {
  const length = random.oneIn(10) ? random.below(4) : random.below(MAX_BYTES);
  const letters = random.pick([1, 2, 3, 4, 256]);
  const text = Buffer.from(Array.from({ length }, () => random.below(letters)));
  for (let copies = random.below(4); copies > 0 && length > 1; copies--)
    text.copy(text, random.below(length), random.below(length), random.below(length + 1));
  return text;
}
