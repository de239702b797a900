/** Tokens of a posted row of texts: the same rules as contracts/disputes/TextTokens.sol, and what shows a wrong one. */

import { concatBytes } from "@noble/hashes/utils.js";
import {
  findPromptFault,
  type PromptFault,
  type TokenSpelling,
} from "@openledger/models/tokens/token-spelling";
import type { OpenedLeaf, StatementTuple } from "../../statements/model-commitment-calls.ts";
import type { ReadRow } from "../../statements/text-overlap.ts";
import type { TracedTuple } from "../claims/ledger-claims.ts";
import { entryOf, MOST_TOKEN_BYTES, type PromptVocabulary } from "../claims/prompt-vocabulary.ts";

/** A longer row refutes its model commitment: contracts/disputes/texts/TextRows.sol. */
export const MOST_TEXT_ROW_BYTES = 6_144;

/** What a leaf of tokens says. */
export interface RowTokens {
  /** Before the first wanted one: the prompt's; 1 of a row that is one text. */
  readonly promptCount: number;
  /** All, the last wanted one too. */
  readonly tokens: readonly number[];
  /** Bytes that each spells. */
  readonly lengths: readonly number[];
}

/** Of a row's tokens in a leaf; `place` of its first token, where it is one of tokens. */
export type RowTokensFault = { readonly kind: "shape" } | PromptFault;

const HEAD_BYTES = 4;
const TOKEN_BYTES = 6;
/** Of a row: TraceGame.sol. */
const MOST_TOKENS = 4_096;

/** Prompt count 4; of each token 4, and 2 of how many bytes it spells. */
export function rowTokensLeaf({ lengths, promptCount, tokens }: RowTokens): Uint8Array {
  const leaf = new Uint8Array(HEAD_BYTES + TOKEN_BYTES * tokens.length);
  const view = new DataView(leaf.buffer);
  view.setUint32(0, promptCount);
  for (const [i, token] of tokens.entries()) {
    view.setUint32(HEAD_BYTES + TOKEN_BYTES * i, token);
    view.setUint16(HEAD_BYTES + TOKEN_BYTES * i + 4, lengths[i]!);
  }
  return leaf;
}

/** null where the bytes are no such leaf. */
export function readRowTokens(leaf: Uint8Array): RowTokens | null {
  if (leaf.length < HEAD_BYTES || (leaf.length - HEAD_BYTES) % TOKEN_BYTES !== 0) return null;
  const view = new DataView(leaf.buffer, leaf.byteOffset, leaf.byteLength);
  const places = Array.from({ length: (leaf.length - HEAD_BYTES) / TOKEN_BYTES }, (_, i) => i);
  return {
    promptCount: view.getUint32(0),
    tokens: places.map((i) => view.getUint32(HEAD_BYTES + TOKEN_BYTES * i)),
    lengths: places.map((i) => view.getUint16(HEAD_BYTES + TOKEN_BYTES * i + 4)),
  };
}

/**
 * A row's texts, each of which is encoded alone: its text; or its prompt and its answer. null for what is no canonical row,
 * or longer than a challenge can show. Blank texts are rows here.
 */
export function textsOfContent(content: Uint8Array): readonly Uint8Array[] | null {
  if (content.length > MOST_TEXT_ROW_BYTES) return null;
  try {
    const line = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    const row = JSON.parse(line) as Record<string, unknown> | null;
    const fields = typeof row?.text === "string" ? ["text"] : ["prompt", "answer"];
    const texts = fields.map((field) => row![field]);
    const again = JSON.stringify(Object.fromEntries(fields.map((field, i) => [field, texts[i]])));
    if (!texts.every((text) => typeof text === "string" && !HALF_PAIR.test(text)) || again !== line)
      return null;
    return texts.map((text) => new TextEncoder().encode(text as string));
  } catch {
    return null;
  }
}

/** What is compared of a row's texts, as L1 reads them: what it takes for no row is refuted by its tokens. */
export const readTexts: ReadRow = (content) => {
  const [first = new Uint8Array(), second] = textsOfContent(content) ?? [];
  return { label: 0, text: second === undefined ? first : concatBytes(first, NEW_LINE, second) };
};

const NEW_LINE = Uint8Array.of(10);
const HALF_PAIR = /\p{Surrogate}/u;

/** The first thing that is wrong of a row's leaf and that L1 can be shown; null for none. */
export function rowTokensFault(
  spelling: TokenSpelling,
  programCount: number,
  content: Uint8Array,
  leaf: Uint8Array,
): RowTokensFault | null {
  const [given, texts] = [readRowTokens(leaf), textsOfContent(content)];
  if (given === null || texts === null || !isWhole(given, texts, spelling.tokens.length, programCount))
    return { kind: "shape" };
  for (const [i, [from, to]] of rangesOf(given, texts).entries()) {
    const fault = findPromptFault(
      spelling,
      texts[i]!,
      given.lengths.slice(from, to),
      given.tokens.slice(from, to),
    );
    if (fault !== null) return { ...fault, place: from + fault.place };
  }
  return null;
}

function isWhole(
  given: RowTokens,
  texts: readonly Uint8Array[],
  vocabularySize: number,
  programCount: number,
): boolean {
  const { lengths, promptCount, tokens } = given;
  const count = tokens.length;
  return (
    count >= 2 &&
    count <= Math.min(MOST_TOKENS, programCount) &&
    promptCount >= 1 &&
    promptCount < count &&
    (texts.length === 2 || promptCount === 1) &&
    tokens.every((token) => token < vocabularySize) &&
    lengths.every((length) => length > 0 && length <= MOST_TOKEN_BYTES) &&
    rangesOf(given, texts).every(
      ([from, to], i) =>
        lengths.slice(from, to).reduce((sum, length) => sum + length, 0) === texts[i]!.length,
    )
  );
}

/** Of each text its tokens' places. */
const rangesOf = ({ promptCount, tokens }: RowTokens, texts: readonly Uint8Array[]) => {
  const count = tokens.length;
  const ranges = [
    [0, promptCount],
    [promptCount, count],
  ] as const;
  return texts.length === 1 ? [[0, count] as const] : ranges;
};

/** What a challenge of a row's tokens shows. @param content, leaf with their paths in the model commitment's trees */
export interface ShownTokens {
  readonly statement: StatementTuple;
  readonly traced: TracedTuple;
  readonly row: number;
  readonly content: OpenedLeaf;
  readonly leaf: OpenedLeaf;
}

/** The judge's function that shows a wrong place of tokens, and what it is given. */
export function rowTokensCall(
  vocabulary: PromptVocabulary,
  { content, leaf, row, statement, traced }: ShownTokens,
  tokens: readonly number[],
  fault: RowTokensFault,
) {
  const shown = [statement, traced, BigInt(row), content, leaf] as const;
  const entry = (token: number) => entryOf(vocabulary, token);
  switch (fault.kind) {
    case "shape":
      return { functionName: "shape", args: shown } as const;
    case "spelling":
    case "cut": {
      const args = [...shown, BigInt(fault.place), entry(tokens[fault.place]!)] as const;
      return { functionName: "spelling", args } as const;
    }
    case "join": {
      const { joined, left, place, right } = fault;
      const args = [...shown, BigInt(place), entry(joined), left.map(entry), right.map(entry)] as const;
      return { functionName: "join", args } as const;
    }
  }
}
