/**
 * Trains the tokenizer of the base that ships (derive-base.ts calls it): byte-level BPE, as GPT-2 has it (Radford et
 * al. 2019; Sennrich et al. 2016). It begins with all 256 bytes, and joins the pair that is most frequent within words
 * until the vocabulary is full. Counts are exact and ties are settled, so the same texts give the same file on every
 * machine.
 */

export interface TokenizerRecipe {
  readonly vocabularySize: number;
  /** Tokens that no text contains; they come first. */
  readonly specialTokens: readonly string[];
}

const BYTE_COUNT = 256;
/** The splitting that the pre-tokenizer "ByteLevel" does by itself. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

interface Word {
  readonly count: number;
  symbols: number[];
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Indexes of words that have or had it. */
  readonly words: Set<number>;
}

/**
 * tokenizer.json as @huggingface/tokenizers reads it.
 *
 * @throws RangeError if the vocabulary has no room for the bytes, or the texts do not have enough pairs
 */
export function trainTokenizer(texts: Iterable<string>, recipe: TokenizerRecipe): string {
  const { specialTokens, vocabularySize } = recipe;
  const first = specialTokens.length;
  const mergeCount = vocabularySize - first - BYTE_COUNT;
  if (mergeCount < 0) throw new RangeError(`a vocabulary of ${vocabularySize} has no room for the bytes`);
  const characters = byteCharacters();
  // Bytes in the order of their characters, as others number them.
  const bytes = [...characters.keys()].sort((a, b) => (characters[a]! < characters[b]! ? -1 : 1));
  const names = bytes.map((byte) => characters[byte]!);
  const symbolOf = new Map(bytes.map((byte, symbol) => [byte, symbol]));
  const words = countWords(texts).map(
    ([word, count]): Word => ({
      count,
      symbols: Array.from(new TextEncoder().encode(word), (byte) => symbolOf.get(byte)!),
    }),
  );
  const merges: string[] = [];
  const pairs = new PairTable(words);
  while (merges.length < mergeCount) {
    const best = pairs.max();
    if (best === null) throw new RangeError(`the texts have pairs for ${merges.length} merges only`);
    merges.push(`${names[best.left]} ${names[best.right]}`);
    pairs.join(best, names.length);
    names.push(names[best.left]! + names[best.right]!);
  }
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries([...specialTokens, ...names].map((name, id) => [name, id])),
      merges,
    },
  };
  return `${JSON.stringify(file)}\n`;
}

/** A printable character for each byte: itself where it is one, the others from U+0100 on. */
export function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = BYTE_COUNT;
  return Array.from({ length: BYTE_COUNT }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
}

/** Words and how often they occur, in the order of their first occurrence. */
function countWords(texts: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of text.match(WORDS) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts];
}

/** Counts of each pair of neighbours. */
class PairTable {
  readonly #words: readonly Word[];
  readonly #pairs = new Map<number, Pair>();

  constructor(words: readonly Word[]) {
    this.#words = words;
    for (const index of words.keys()) this.#count(index, 1);
  }

  /** The most frequent; of equal ones that of the smallest numbers. */
  max(): Pair | null {
    let best: Pair | null = null;
    for (const pair of this.#pairs.values()) {
      if (pair.count === 0) continue;
      if (
        best === null ||
        pair.count > best.count ||
        (pair.count === best.count &&
          (pair.left < best.left || (pair.left === best.left && pair.right < best.right)))
      )
        best = pair;
    }
    return best;
  }

  /** Replaces the pair by a symbol of its own, in every word from left to right. */
  join({ left, right, words }: Pair, symbol: number): void {
    for (const index of words) {
      this.#count(index, -1);
      const word = this.#words[index]!;
      const joined: number[] = [];
      for (let i = 0; i < word.symbols.length; i++) {
        const isPair = word.symbols[i] === left && word.symbols[i + 1] === right;
        joined.push(isPair ? symbol : word.symbols[i]!);
        if (isPair) i++;
      }
      word.symbols = joined;
      this.#count(index, 1);
    }
    this.#pairs.delete(keyOf(left, right));
  }

  #count(index: number, sign: 1 | -1): void {
    const { count, symbols } = this.#words[index]!;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const [left, right] = [symbols[i]!, symbols[i + 1]!];
      const key = keyOf(left, right);
      let pair = this.#pairs.get(key);
      if (pair === undefined) {
        pair = { left, right, count: 0, words: new Set() };
        this.#pairs.set(key, pair);
      }
      pair.count += sign * count;
      if (sign > 0) pair.words.add(index);
    }
  }
}

/** Symbols are fewer than 2^20. */
const keyOf = (left: number, right: number): number => left * 2 ** 20 + right;
