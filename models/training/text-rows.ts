import type { TokenRow } from "../architecture/loss-gradient.ts";

/** Rows of `length` tokens, one after another; what is left of the tokens at the end is one row more if it has two. */
export function textRows(tokens: readonly number[], length: number): TokenRow[] {
  const rows: TokenRow[] = [];
  for (let at = 0; at + 1 < tokens.length; at += length) {
    const end = Math.min(at + length, tokens.length - 1);
    rows.push({ tokens: tokens.slice(at, end), targets: tokens.slice(at + 1, end + 1) });
  }
  return rows;
}

/** A prompt and its answer: only the answer's tokens count. */
export function answerRow(prompt: readonly number[], answer: readonly number[]): TokenRow {
  const all = [...prompt, ...answer];
  return {
    tokens: all.slice(0, -1),
    targets: all.slice(1).map((token, t) => (t + 1 < prompt.length ? -1 : token)),
  };
}
