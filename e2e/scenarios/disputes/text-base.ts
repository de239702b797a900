/** The base of the drill's language models: bytes, and the longest chains of rules whose refutation has room in a transaction. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TextRow } from "@openledger/attribution/rows/text-rows";
import { TEXTS as CASE_TEXTS } from "@openledger/challenger/games/testing/text-case";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig } from "@openledger/models/testing/text-rows";
import { byteCharacters } from "@openledger/models/tokens/train-tokenizer";

/** At most 24 KiB of entries are shown: two chains, and what joins them. */
const CHAIN = 22;
const BYTES = 256;
/** "^|", which the tokenizer joins before all others. */
const JOINED = BYTES;
/** "~^", "~~^", …: each with the one before it at its right end; "|}", "|}}", …: at its left end. */
const left = (k: number) => `${"~".repeat(k)}^`;
const right = (k: number) => `|${"}".repeat(k)}`;
const places = Array.from({ length: CHAIN }, (_, i) => i + 1);
/** Enough that a claim of tokens of 256 bytes is as large as L1 takes. */
export const MOST_TOKENS = 440;
/** Runs of "a", each twice the one before: the last has as many bytes as a token may. */
const RUNS = 8;
export const LONGEST_RUN = { token: JOINED + 2 * CHAIN + RUNS, bytes: 2 ** RUNS } as const;
const VOCABULARY = LONGEST_RUN.token + 1;

/** Two tokens side by side that the tokenizer would have joined before either was whole. */
export const APART = {
  text: left(CHAIN) + right(CHAIN),
  tokens: [JOINED + CHAIN, JOINED + 2 * CHAIN],
  lengths: [CHAIN + 1, CHAIN + 1],
} as const;

/** Near-duplicates as in the tests. The last has the text of the rules. */
export const TEXTS: readonly TextRow[] = CASE_TEXTS.with(-1, { text: APART.text })
  .with(1, { text: "The treasury must pay, and the navy asks for help" })
  .with(4, { prompt: "Who pays?", answer: "The treasury pays." });

export async function writeTextBase(folder: string): Promise<void> {
  const own = { num_hidden_layers: 1, vocab_size: VOCABULARY, max_position_embeddings: MOST_TOKENS };
  const config = { ...byteConfig, ...own };
  await writeMadeModel(folder, makeModel(config, "text"));
  const rules = [
    { name: "^|", merge: "^ |" },
    ...places.map((k) => ({ name: left(k), merge: `~ ${left(k - 1)}` })),
    ...places.map((k) => ({ name: right(k), merge: `${right(k - 1)} }` })),
    ...Array.from({ length: RUNS }, (_, k) => "a".repeat(2 ** k)).map((half) => ({
      name: half + half,
      merge: `${half} ${half}`,
    })),
  ];
  const vocab = Object.fromEntries([
    ...byteCharacters().map((character, byte) => [character, byte] as const),
    ...rules.map(({ name }, k) => [name, JOINED + k] as const),
  ]);
  const tokenizer = {
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: false },
    decoder: { type: "ByteLevel" },
    ...{ normalizer: null, post_processor: null, added_tokens: [] },
    model: { type: "BPE", vocab, merges: rules.map(({ merge }) => merge) },
  };
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
}
