/**
 * Builds the suffix array of a text for span-index.ts, by induced sorting: Nong, Zhang, Chan, "Two efficient algorithms for
 * linear time suffix array construction" (2011).
 *
 * A suffix is *falling* if it is greater than the one after it (type L), *rising* if it is smaller (type S). A
 * rising suffix behind a falling one is a *valley*. Valleys sorted, all others follow from them in two sweeps: a falling
 * suffix by the one after it, from the left, then a rising one by the one after it, from the right.
 *
 * During a sweep a complement (~p, so negative) marks a suffix that the sweep takes nothing from. The mark is set where
 * a suffix is put down: its letters are in the cache then.
 */
type Letters = Uint8Array | Int32Array;

/**
 * @returns the start of every suffix, in the order of the suffixes as byte strings; one that ends first is smaller
 * @param onShare how much of the work is done, 0 to 1; it keeps the thread until the end
 */
export function suffixArray(text: Uint8Array, onShare: (share: number) => void = () => {}): Int32Array {
  const array = new Int32Array(text.length);
  sortSuffixes(text, array, 256, onShare);
  return array;
}

/** Sorts the suffixes into the front of `array`, whose length is that of the text at least. */
function sortSuffixes(
  text: Letters,
  array: Int32Array,
  letterCount: number,
  onShare: (share: number) => void = () => {},
): void {
  const { length } = text;
  if (length === 0) return;
  if (length === 1) {
    array[0] = 0;
    return;
  }
  const counts = new Int32Array(letterCount);
  const buckets = new Int32Array(letterCount);
  for (let i = 0; i < length; i++) counts[text[i]!]!++;
  const valleyCount = placeValleys(text, array, counts, buckets);
  if (valleyCount > 1) {
    sortValleySubstrings(text, array, counts, buckets);
    onShare(0.3);
    const nameCount = nameValleys(text, array, valleyCount);
    onShare(0.4);
    sortValleys(text, array, valleyCount, nameCount);
    onShare(0.7);
    spreadValleys(text, array, valleyCount, counts, buckets);
  }
  sweepAll(text, array, counts, buckets);
}

function toStarts(counts: Int32Array, buckets: Int32Array): void {
  let sum = 0;
  for (let c = 0; c < counts.length; c++) {
    buckets[c] = sum;
    sum += counts[c]!;
  }
}

function toEnds(counts: Int32Array, buckets: Int32Array): void {
  let sum = 0;
  for (let c = 0; c < counts.length; c++) {
    sum += counts[c]!;
    buckets[c] = sum;
  }
}

/** Calls `visit` for each valley, from the right. */
function eachValley(text: Letters, visit: (position: number) => void): void {
  let isRising = false;
  for (let i = text.length - 2; i >= 0; i--) {
    const step = text[i]! - text[i + 1]!;
    if (step < 0) {
      isRising = true;
    } else if (step > 0) {
      if (isRising) visit(i + 1);
      isRising = false;
    }
  }
}

/** Valleys at the ends of their letters' buckets, in any order; elsewhere 0. @returns how many */
function placeValleys(text: Letters, array: Int32Array, counts: Int32Array, buckets: Int32Array): number {
  array.fill(0, 0, text.length);
  toEnds(counts, buckets);
  let count = 0;
  eachValley(text, (p) => {
    const letter = text[p]!;
    array[--buckets[letter]!] = p;
    count++;
  });
  return count;
}

/**
 * Both sweeps, keeping only what the next step needs: at the end the valleys stand in the order of their substrings
 * (each up to the next valley), as complements, and everything else is 0 or, for position 0, -1.
 */
function sortValleySubstrings(
  text: Letters,
  array: Int32Array,
  counts: Int32Array,
  buckets: Int32Array,
): void {
  const { length } = text;
  toStarts(counts, buckets);
  putFalling(text, array, buckets, length - 1);
  for (let i = 0; i < length; i++) {
    const p = array[i]!;
    if (p > 0) {
      array[i] = 0;
      putFalling(text, array, buckets, p - 1);
    } else if (p < 0) {
      array[i] = ~p;
    }
  }
  toEnds(counts, buckets);
  for (let i = length - 1; i >= 0; i--) {
    const p = array[i]!;
    if (p > 0) {
      array[i] = 0;
      putRising(text, array, buckets, p - 1);
    }
  }
}

/** The same for whole suffixes: at the end the array is sorted. */
function sweepAll(text: Letters, array: Int32Array, counts: Int32Array, buckets: Int32Array): void {
  const { length } = text;
  toStarts(counts, buckets);
  putFalling(text, array, buckets, length - 1);
  for (let i = 0; i < length; i++) {
    const p = array[i]!;
    array[i] = ~p;
    if (p > 0) putFalling(text, array, buckets, p - 1);
  }
  toEnds(counts, buckets);
  for (let i = length - 1; i >= 0; i--) {
    const p = array[i]!;
    if (p > 0) putRising(text, array, buckets, p - 1);
    else array[i] = ~p;
  }
}

function putFalling(text: Letters, array: Int32Array, buckets: Int32Array, p: number): void {
  const letter = text[p]!;
  array[buckets[letter]!++] = p > 0 && text[p - 1]! < letter ? ~p : p;
}

function putRising(text: Letters, array: Int32Array, buckets: Int32Array, p: number): void {
  const letter = text[p]!;
  array[--buckets[letter]!] = p === 0 || text[p - 1]! > letter ? ~p : p;
}

/** Sorted valleys to the front, their names (equal substrings have equal ones) at count + p / 2. @returns names given */
function nameValleys(text: Letters, array: Int32Array, count: number): number {
  const { length } = text;
  let found = 0;
  for (let i = 0; found < count; i++) {
    const p = array[i]!;
    // A rising suffix at 0 is marked too, and is no valley.
    if (p >= -1) continue;
    array[i] = 0;
    array[found++] = ~p;
  }
  array.fill(0, count, length);
  // Lengths first; the last valley's substring reaches the end, which no other does.
  let end = length;
  eachValley(text, (p) => {
    array[count + (p >> 1)] = end - p;
    end = p + 1;
  });
  let name = 0;
  let last = 0;
  let lastSize = -1;
  for (let i = 0; i < count; i++) {
    const p = array[i]!;
    const slot = count + (p >> 1);
    const size = array[slot]!;
    let isSame = size === lastSize && p + size < length && last + size < length;
    for (let k = 0; isSame && k < size; k++) isSame = text[p + k] === text[last + k];
    if (!isSame) name++;
    last = p;
    lastSize = size;
    array[slot] = name;
  }
  return name;
}

/** The valleys' suffixes in order, at the front: the names make a text of at most half the length. */
function sortValleys(text: Letters, array: Int32Array, count: number, nameCount: number): void {
  const names = new Int32Array(count);
  let at = 0;
  for (let i = count; at < count; i++) {
    if (array[i] !== 0) names[at++] = array[i]! - 1;
  }
  if (nameCount === count) {
    for (let i = 0; i < count; i++) array[names[i]!] = i;
  } else {
    sortSuffixes(names, array, nameCount);
  }
  at = count;
  eachValley(text, (p) => {
    names[--at] = p;
  });
  for (let i = 0; i < count; i++) array[i] = names[array[i]!]!;
}

/** Spreads the valleys from the front to the ends of their buckets; elsewhere 0. */
function spreadValleys(
  text: Letters,
  array: Int32Array,
  count: number,
  counts: Int32Array,
  buckets: Int32Array,
): void {
  array.fill(0, count, text.length);
  toEnds(counts, buckets);
  for (let i = count - 1; i >= 0; i--) {
    const p = array[i]!;
    const letter = text[p]!;
    array[i] = 0;
    array[--buckets[letter]!] = p;
  }
}
