import { describe, expect, it } from "vitest";
import type { FileSource } from "../files/byte-source.ts";
import { openTokenizer } from "./tokenizer.ts";

/** A byte-level tokenizer in miniature: some bytes, three merges, one special token. */
const vocabulary = ["h", "e", "l", "o", "Ġ", "w", "r", "d", "he", "ll", "hell", "<end>"];
const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    {
      id: 11,
      content: "<end>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  model: {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries(vocabulary.slice(0, 11).map((token, id) => [token, id])),
    merges: ["h e", "l l", "he ll"],
  },
};

const sourceOf = (files: Record<string, string>): FileSource => ({
  name: "memory",
  open: async (name) => {
    const text = files[name];
    if (text === undefined) return null;
    const bytes = new TextEncoder().encode(text);
    const read = async (at: number, length: number) => bytes.slice(at, at + length);
    return { name, byteLength: bytes.length, read, close: async () => undefined };
  },
});

describe("a tokenizer", () => {
  it("goes to tokens and back", async () => {
    const tokens = await openTokenizer(sourceOf({ "tokenizer.json": JSON.stringify(tokenizer) }), 12);
    expect(tokens.encode("hello world")).toEqual([10, 3, 4, 5, 3, 6, 2, 7]);
    expect(tokens.decode(tokens.encode("hello world"))).toBe("hello world");
    expect(tokens.decode([10, 3, 11])).toBe("hello");
  });

  it("knows how many bytes a token stands for at most", async () => {
    const longest = async (changed: object) =>
      (await openTokenizer(sourceOf({ "tokenizer.json": JSON.stringify({ ...tokenizer, ...changed }) }), 12))
        .longestBytes;
    expect(await longest({})).toBe("<end>".length);
    // A name has one character for each byte: Ġ is a space.
    const spaces = { ...tokenizer.model, vocab: { ...tokenizer.model.vocab, ĠĠĠĠĠĠĠ: 11 } };
    expect(await longest({ added_tokens: [], model: spaces })).toBe(7);
    expect(await longest({ normalizer: { type: "NFKC" } })).toBe(4 * "<end>".length);
    expect((await openTokenizer(sourceOf({}), 256)).longestBytes).toBe(1);
  });

  it("is bytes where there is no file and 256 tokens", async () => {
    const tokens = await openTokenizer(sourceOf({}), 256);
    expect(tokens.encode("aé")).toEqual([97, 195, 169]);
    expect(tokens.decode(tokens.encode("Zürich 🐋"))).toBe("Zürich 🐋");
  });

  it("is refused where it is absent, malformed or of another model", async () => {
    const refused = { code: "MOD_FILE_INVALID" };
    await expect(openTokenizer(sourceOf({}), 300)).rejects.toMatchObject(refused);
    for (const text of ["", "{", "[]", "null", "7", "{}", '{"model":{"type":"other"}}'])
      await expect(openTokenizer(sourceOf({ "tokenizer.json": text }), 12), text).rejects.toMatchObject(
        refused,
      );
    const files = { "tokenizer.json": JSON.stringify(tokenizer) };
    const small = await openTokenizer(sourceOf(files), 8);
    expect(() => small.encode("hello")).toThrow(expect.objectContaining(refused));
  });
});
