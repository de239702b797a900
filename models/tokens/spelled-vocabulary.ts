import type { SpelledVocabulary } from "../batches/json-guide.ts";
import type { FileSource } from "../files/byte-source.ts";
import { readSpelling } from "./token-spelling.ts";
import type { TextTokens } from "./tokenizer.ts";

/**
 * null where tokens do not spell a text byte by byte.
 *
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function readVocabulary(
  source: FileSource,
  tokens: TextTokens,
  vocabularySize: number,
): Promise<SpelledVocabulary | null> {
  const spelling = await readSpelling(source, vocabularySize);
  if (spelling === null) return null;
  const spelled = spelling.tokens.map((token) => Buffer.from(token.bytes));
  const ends = new Uint32Array(new SharedArrayBuffer(4 * vocabularySize));
  for (let end = 0, i = 0; i < vocabularySize; i++) ends[i] = end += spelled[i]!.length;
  const bytes = new Uint8Array(new SharedArrayBuffer(ends.at(-1)!));
  bytes.set(Buffer.concat(spelled));
  // Marks, of which a text shows nothing, spell their names.
  const isText = (token: number) => spelled[token]!.length > 0 && tokens.decode([token]) !== "";
  const sorted = Array.from(spelled.keys())
    .filter(isText)
    .sort((a, b) => spelled[a]!.compare(spelled[b]!));
  const order = new Uint32Array(new SharedArrayBuffer(4 * sorted.length));
  order.set(sorted);
  return { bytes, ends, order };
}
