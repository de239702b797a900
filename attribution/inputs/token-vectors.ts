/**
 * Vectors of tokens, and the sums of a text that follow from them: a static encoder of Model2Vec's form, which is the mean of a text's token
 * vectors. text-vectors.ts makes digits of the sums. models/tuning/vectors/static-encoder.ts makes such files of published encoders.
 *
 * A published tokenizer goes by a runtime's Unicode tables, and two of them would cut a text differently. So the file has what its
 * tokenizer does to each character: nothing here depends on a runtime, and all sums are integers below 2^53.
 *
 * Bytes of the file, integers little-endian: the mark `opentok1`, the header's length, N and d as uint32, the header as JSON, N weights as
 * uint16 (0: the token does not count), N × d components as int8.
 */
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { z } from "zod";

export const TOKENS_MARK = "opentok1";
const PREFIX_BYTES = 20;
const MAX_TOKENS = 2 ** 20;
export const MAX_TOKEN_WEIGHT = 2 ** 16 - 1;

const point = z.number().int().min(0).max(0x10ffff);
const ranges = z.array(z.tuple([point, point])).max(10_000);
const headerSchema = z.strictObject({
  /** longest: WordPiece's, from the front. likeliest: Unigram's, with the largest sum of scores. */
  segmentation: z.enum(["longest", "likeliest"]),
  /** Text in front of a word, and in front of its later pieces. */
  first: z.string().max(8),
  later: z.string().max(8),
  /** Longer words are unknown as a whole, in characters. */
  maxWordLength: z.number().int().min(1).max(4_096),
  /** Characters that become others, before words are cut. */
  changes: z.array(z.tuple([point, z.string().max(64)])).max(2 ** 18),
  /** Characters between words, and those that are words by themselves: first and last code points, ascending. */
  separators: ranges,
  singles: ranges,
  /** Names of tokens, by id. */
  tokens: z.array(z.string().max(128)).min(1).max(MAX_TOKENS),
  /** Scores of tokens in 2^-20, of segmentation `likeliest`. */
  scores: z
    .array(
      z
        .number()
        .int()
        .min(-(2 ** 40))
        .max(2 ** 40),
    )
    .optional(),
});
/** Facts of a tokenizer, as a file has them. */
export type TokenHeader = z.infer<typeof headerSchema>;

/** Vectors of tokens, each with its weight, and the tokens of texts. */
export interface TokenVectors {
  readonly tokenCount: number;
  readonly dimensions: number;
  /** Ids of a text's known tokens with a weight, in its order. Those of what the tokenizer does not know are left out. */
  tokensOf(text: Uint8Array): number[];
  /** Sum of their vectors, times 127 · 65,535 at most. */
  sumsOf(text: Uint8Array): Float64Array;
}

/** Reads a file. @throws TypeError, SyntaxError, RangeError or ZodError with what is wrong in it */
export function decodeTokenVectors(bytes: Uint8Array): TokenVectors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [headerLength, count, dimensions] = [8, 12, 16].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
  ];
  const weightsAt = PREFIX_BYTES + headerLength;
  const expected = weightsAt + count * (2 + dimensions);
  if (bytes.length !== expected) throw new TypeError(`it has ${bytes.length} bytes, and needs ${expected}`);
  const json = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, weightsAt));
  const header = headerSchema.parse(parseStrictJson(json));
  const { scores, segmentation, tokens } = header;
  if (tokens.length !== count) throw new TypeError(`it has ${tokens.length} names of ${count} tokens`);
  if ((segmentation === "likeliest") !== (scores?.length === count))
    throw new TypeError("it has not a score for each token");
  const weights = Uint16Array.from({ length: count }, (_, i) => view.getUint16(weightsAt + 2 * i, true));
  const components = new Int8Array(bytes.subarray(weightsAt + 2 * count));
  if (components.includes(-128)) throw new TypeError("it has the component −128");
  const idsOf = segmentOf(header);
  const tokensOf = (text: Uint8Array) => idsOf(text).filter((id) => weights[id]! > 0);
  return {
    tokenCount: count,
    dimensions,
    tokensOf,
    sumsOf(text) {
      const sums = new Float64Array(dimensions);
      for (const id of tokensOf(text))
        for (let j = 0; j < dimensions; j++)
          sums[j] = sums[j]! + weights[id]! * components[id * dimensions + j]!;
      return sums;
    },
  };
}

/** Writes a file. The caller reads it, which refuses what is wrong in it. */
export function encodeTokenVectors(
  header: TokenHeader,
  vectors: readonly { readonly weight: number; readonly components: ArrayLike<number> }[],
): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const dimensions = vectors[0]?.components.length ?? 0;
  const weightsAt = PREFIX_BYTES + json.length;
  const componentsAt = weightsAt + 2 * vectors.length;
  const bytes = new Uint8Array(componentsAt + vectors.length * dimensions);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(TOKENS_MARK));
  for (const [i, number] of [json.length, vectors.length, dimensions].entries())
    view.setUint32(8 + 4 * i, number, true);
  bytes.set(json, PREFIX_BYTES);
  for (const [i, { components, weight }] of vectors.entries()) {
    view.setUint16(weightsAt + 2 * i, weight, true);
    for (let j = 0; j < dimensions; j++) view.setInt8(componentsAt + i * dimensions + j, components[j]!);
  }
  return bytes;
}

/** Returns the cutter of texts into ids of tokens. */
function segmentOf(header: TokenHeader): (text: Uint8Array) => number[] {
  const { changes, first, maxWordLength, segmentation, separators, singles, tokens } = header;
  const changed = new Map(changes);
  const ids = new Map(tokens.map((name, id) => [name, id]));
  const cut = segmentation === "longest" ? longestPieces(header, ids) : likeliestPieces(header, ids);
  return (text) => {
    const words: string[][] = [];
    let word: string[] = [];
    const close = () => {
      if (word.length > 0) words.push(word);
      word = [];
    };
    for (const original of new TextDecoder("utf-8", { ignoreBOM: true }).decode(text))
      for (const character of changed.get(original.codePointAt(0)!) ?? original) {
        const at = character.codePointAt(0)!;
        const isSingle = isWithin(singles, at);
        if (isSingle || isWithin(separators, at)) close();
        if (!isWithin(separators, at)) word.push(character);
        if (isSingle) close();
      }
    close();
    return words.flatMap((one) => (one.length > maxWordLength ? [] : cut([...first, ...one])));
  };
}

type Cut = (word: readonly string[]) => number[];

/** WordPiece (Schuster and Nakajima, 2012): the longest token from the front, again and again; a word that ends otherwise is unknown. */
function longestPieces({ later, tokens }: TokenHeader, ids: ReadonlyMap<string, number>): Cut {
  const longest = Math.max(...lengthsOf(tokens));
  return (word) => {
    const found: number[] = [];
    for (let at = 0; at < word.length; ) {
      let end = Math.min(word.length, at + longest);
      const idAt = () => ids.get((at === 0 ? "" : later) + word.slice(at, end).join(""));
      while (end > at && idAt() === undefined) end -= 1;
      if (end === at) return [];
      found.push(idAt()!);
      at = end;
    }
    return found;
  };
}

/** Unigram (Kudo, 2018): the cut with the largest sum of scores, by Viterbi; a character of no token has the least score less ten. */
function likeliestPieces({ scores = [], tokens }: TokenHeader, ids: ReadonlyMap<string, number>): Cut {
  const longest = Math.max(...lengthsOf(tokens));
  const unknown = scores.reduce((least, score) => Math.min(least, score), 0) - 10 * 2 ** 20;
  return (word) => {
    const best: { readonly sum: number; readonly from: number; readonly id: number | null }[] = [];
    for (let end = 1; end <= word.length; end++) {
      let own = { sum: (best[end - 2]?.sum ?? 0) + unknown, from: end - 1, id: null as number | null };
      for (let from = Math.max(0, end - longest); from < end; from++) {
        const id = ids.get(word.slice(from, end).join(""));
        const sum = id === undefined ? Number.NEGATIVE_INFINITY : (best[from - 1]?.sum ?? 0) + scores[id]!;
        if (id !== undefined && sum > own.sum) own = { sum, from, id };
      }
      best.push(own);
    }
    const found: number[] = [];
    for (let end = word.length; end > 0; end = best[end - 1]!.from) {
      const { id } = best[end - 1]!;
      if (id !== null) found.unshift(id);
    }
    return found;
  };
}

/** Longest names alone: a spread of a million numbers is too many arguments. */
const lengthsOf = (tokens: readonly string[]): number[] => [
  ...new Set(tokens.map((name) => [...name].length)),
];

/** True for a number within ascending ranges. */
function isWithin(all: TokenHeader["separators"], value: number): boolean {
  let from = 0;
  let to = all.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (all[middle]![1] < value) from = middle + 1;
    else to = middle;
  }
  return from < all.length && all[from]![0] <= value;
}
