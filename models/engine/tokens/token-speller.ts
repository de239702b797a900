/**
 * Bytes that tokens spell, by the decoder that a tokenizer.json names. No blank is cleaned up: a text is what its tokens spell.
 * Streams of answers and the JSON guide use it.
 */
import type { DecoderFile, TokenizerFile } from "./tokenizer-file.ts";
import { byteCharacters } from "./train-tokenizer.ts";

/** Bytes of the next token of a text; none of a mark. */
export type TokenSpeller = (token: number) => Uint8Array;

export interface TokenSpelling {
  /** Bytes of a token that has others before it, or the name of a mark. */
  bytesOf(token: number): Uint8Array;
  /** Starts a text: some decoders drop blanks at its beginning. */
  speller(): TokenSpeller;
}

/** Spelling of tokens by a decoder, by their names. */
interface Decoding {
  /** Bytes of a token behind other tokens. */
  readonly inside: (name: string) => Uint8Array;
  /** Bytes of a token at the beginning of a text. */
  readonly first: (name: string) => Uint8Array;
  /** A byte that is dropped at the beginning of a text, and how often at most. */
  readonly strip?: { readonly byte: number; readonly count: number } | undefined;
  /** True if added tokens are spelled by their content, not by the decoder. */
  readonly isAddedPlain?: boolean;
}

const NOTHING = new Uint8Array();
const utf8 = new TextEncoder();
const BYTE_NAME = /^<0x([0-9A-Fa-f]{2})>$/;

/** @param marks further names that a text does not show @throws TypeError naming a decoder that is not computed */
export function spellingOf(file: TokenizerFile, marks: readonly string[]): TokenSpelling {
  const { added_tokens: added = [], model } = file;
  if (model.end_of_word_suffix) throw new TypeError("model.end_of_word_suffix is not computed here");
  const decoding = decodingOf(file.decoder ?? null);
  const { inside, isAddedPlain = false } = decoding;
  const names: string[] = [];
  if (isList(model.vocab)) for (const [id, [name]] of model.vocab.entries()) names[id] = name;
  else for (const [name, id] of Object.entries(model.vocab)) names[id] = name;
  const hidden = new Set(added.filter(({ special }) => special === true).map(({ id }) => id));
  const plain = new Map<number, Uint8Array>();
  for (const { content, id, special } of added) {
    names[id] = content;
    if (isAddedPlain || special === true) plain.set(id, utf8.encode(content));
  }
  const further = new Set(marks);
  for (const [id, name] of names.entries()) if (further.has(name)) hidden.add(id);
  const bytesOf = (token: number) => {
    const name = names[token];
    return name === undefined ? NOTHING : (plain.get(token) ?? inside(name));
  };
  return {
    bytesOf,
    speller() {
      let isFirst = true;
      let left = decoding.strip?.count ?? 0;
      return (token) => {
        const name = names[token];
        if (name === undefined || hidden.has(token)) return NOTHING;
        let bytes = isFirst ? (plain.get(token) ?? decoding.first(name)) : bytesOf(token);
        isFirst = false;
        for (; left > 0 && bytes.length > 0; left--) {
          if (bytes[0] !== decoding.strip!.byte) left = 1;
          else bytes = bytes.subarray(1);
        }
        return bytes;
      };
    },
  };
}

const isList = <T>(value: unknown): value is readonly T[] => Array.isArray(value);

function decodingOf(decoder: DecoderFile | null): Decoding {
  // The reference puts a blank between tokens if a file names no decoder.
  if (decoder === null)
    return { first: (name) => utf8.encode(name), inside: (name) => utf8.encode(` ${name}`) };
  switch (decoder.type) {
    case "ByteLevel": {
      const spell = byteLevel();
      return { first: spell, inside: spell, isAddedPlain: true };
    }
    case "Metaspace": {
      const { prepend_scheme: scheme = "always", replacement = "\u2581" } = decoder;
      const inside = (name: string) => utf8.encode(name.replaceAll(replacement, " "));
      const first = (name: string) => utf8.encode(name.replaceAll(replacement, ""));
      return { first: scheme === "never" ? inside : first, inside };
    }
    case "WordPiece": {
      const { cleanup = true, prefix = "##" } = decoder;
      const cleaned = (text: string) => utf8.encode(cleanup ? cleanUp(text) : text);
      const inside = (name: string) =>
        cleaned(name.startsWith(prefix) ? name.slice(prefix.length) : ` ${name}`);
      return { first: cleaned, inside };
    }
    case "Sequence":
      return sequenceOf(decoder.decoders ?? []);
    case "ByteFallback":
    case "Replace":
    case "Fuse":
      return sequenceOf([decoder]);
    default:
      throw new TypeError(`decoder ${decoder.type} is not computed here`);
  }
}

/** Decoders of one token after the other; behind "Fuse" all tokens are one text, whose beginning may be stripped. */
function sequenceOf(decoders: readonly DecoderFile[]): Decoding {
  const [single] = decoders;
  if (decoders.length === 1 && single !== undefined && !PARTS.includes(single.type))
    return decodingOf(single);
  const replaced: (readonly [string, string])[] = [];
  let [hasBytes, isFused] = [false, false];
  let strip: Decoding["strip"];
  for (const { content = "", pattern, start = 0, stop = 0, type } of decoders) {
    if (type === "Fuse") isFused = true;
    else if (type === "ByteFallback" && !isFused) hasBytes = true;
    else if (type === "Replace" && !isFused && !hasBytes && pattern?.String)
      replaced.push([pattern.String, content]);
    else if (type === "Strip" && isFused && stop === 0 && strip === undefined && isAscii(content))
      strip = { byte: content.charCodeAt(0), count: start };
    else throw new TypeError(`decoder ${type} in this place is not computed here`);
  }
  const spell = (name: string) => {
    const text = replaced.reduce((made, [from, to]) => made.replaceAll(from, to), name);
    const byte = hasBytes ? BYTE_NAME.exec(text)?.[1] : undefined;
    return byte === undefined ? utf8.encode(text) : Uint8Array.of(Number.parseInt(byte, 16));
  };
  return { first: spell, inside: spell, strip };
}

const PARTS: readonly string[] = ["ByteFallback", "Replace", "Fuse", "Strip"];
const isAscii = (content: string) => content.length === 1 && content.charCodeAt(0) < 128;

/** A character of a name stands for a byte; a name with other characters is an added token's. */
function byteLevel(): (name: string) => Uint8Array {
  const byteOf = new Map(byteCharacters().map((character, byte) => [character, byte]));
  return (name) => {
    const bytes = Array.from(name, (character) => byteOf.get(character));
    return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : utf8.encode(name);
  };
}

/** Replacements in this order, on each token: what the decoder "WordPiece" itself does. */
const CLEANED = [
  ...[" .", " ?", " !", " ,"].map((from) => [from, from.slice(1)] as const),
  [" ' ", "'"] as const,
  ...[" n't", " 'm", " 's", " 've", " 're"].map((from) => [from, from.slice(1)] as const),
];
const cleanUp = (text: string) => CLEANED.reduce((made, [from, to]) => made.replaceAll(from, to), text);
