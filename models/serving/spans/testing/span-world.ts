/** Small versions with much repetition, and answers made of their pieces. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { buildSpanIndex, type DocumentInput } from "../span-index.ts";

export const utf8 = (text: string) => new TextEncoder().encode(text);
const ROWS_ROOT = "11".repeat(32);

function documentsOf(texts: readonly string[]): DocumentInput[] {
  return texts.map((text, i) => ({
    text: utf8(text),
    contributorId: 100 + (i % 3),
    validatorId: 200,
    digest: bytesToHex(sha256(utf8(text))),
  }));
}

export const smallIndex = (texts: readonly string[]) =>
  buildSpanIndex(documentsOf(texts), { rowsRoot: ROWS_ROOT, rowText: "plain" });

const piece = fc.string({
  unit: fc.constantFrom("a", "b", "ä", "é", "€", "😀"),
  minLength: 1,
  maxLength: 14,
});

/** Documents, and an answer of slices of them with a little between. */
export const textsAndAnswer = fc
  .array(fc.array(piece, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 })
  .chain((documents) => {
    const texts = documents.map((pieces) => pieces.join(""));
    const slice = fc
      .tuple(fc.nat(texts.length - 1), fc.nat(200), fc.nat(90))
      .map(([d, from, size]) => [...texts[d]!].slice(from % 40, (from % 40) + size).join(""));
    const answer = fc
      .array(fc.oneof(slice, slice, piece), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(""));
    return fc.record({ texts: fc.constant(texts), answer });
  });
