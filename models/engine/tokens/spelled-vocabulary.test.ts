import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../files/memory-source.ts";
import { readVocabulary } from "./spelled-vocabulary.ts";
import { openTokenizer, type TextTokens } from "./tokenizer.ts";
import { trainTokenizer } from "./train-tokenizer.ts";

const TEXTS = [
  "The state of the union is strong; the union's states won't pay. banana bananas anna's aaaa aaaaaa a aa aaa",
  "They'll say we've paid what they'd owe. Congress congresses progress progressed, 1789 to 1,861 - 'tis so!",
  "L'état, c'est l'état: états, étés, États-Unis. Στο κράτος, το κράτος του κράτους. 国家是国家。 ½ ½ ١٢٣ ١٢٣",
];
const SIZE = 400;
const bytesOf = (text: string) => new TextEncoder().encode(text);

const sourceOf = (file: unknown, config: unknown = {}) =>
  memorySource(
    "memory",
    new Map([
      ["tokenizer.json", bytesOf(JSON.stringify(file))],
      ["tokenizer_config.json", bytesOf(JSON.stringify(config))],
    ]),
  );

// biome-ignore lint/suspicious/noExplicitAny: a file that others read with a schema.
let file: any;
let tokens: TextTokens;
beforeAll(async () => {
  file = JSON.parse(trainTokenizer(TEXTS, { vocabularySize: SIZE, specialTokens: ["<end>"] }));
  tokens = await openTokenizer(sourceOf(file), SIZE);
});

const read = (changed: object, config = {}) =>
  readVocabulary(sourceOf({ ...file, ...changed }, config), tokens, SIZE);

describe("a vocabulary", () => {
  it("has the bytes of every text's tokens, one after another", async () => {
    const { bytes, ends } = (await read({}))!;
    const spelled = (token: number) => bytes.subarray(token === 0 ? 0 : ends[token - 1], ends[token]);
    const random = new SeededRandom("texts");
    const characters = [..."theuniosabcrgdlvwS'''    TN19.,é½١κτο国\u0301\u3000\r\n\n", "état", "κράτος"];
    for (let run = 0; run < 200; run++) {
      const length = 1 + random.nextBelow(40);
      const text = Array.from({ length }, () => characters[random.nextBelow(characters.length)]).join("");
      expect(Buffer.concat(tokens.encode(text).map(spelled)).toString(), text).toBe(text);
    }
  });

  it("has in the order of their bytes all tokens but marks", async () => {
    const { bytes, ends, order } = (await read({}))!;
    const spelled = (token: number) =>
      Buffer.from(bytes.subarray(token === 0 ? 0 : ends[token - 1], ends[token]));
    const end = file.added_tokens[0].id;
    expect(spelled(end).toString()).toBe("<end>");
    expect(order).not.toContain(end);
    expect(order).toHaveLength(Object.keys(file.model.vocab).length - 1);
    for (let i = 1; i < order.length; i++)
      expect(spelled(order[i - 1]!).compare(spelled(order[i]!))).toBeLessThanOrEqual(0);
  });

  it("is null where a text is changed before it is encoded", async () => {
    expect(await read({ normalizer: { type: "NFKC" } })).toBeNull();
    expect(await read({ normalizer: { type: "NFC" } })).not.toBeNull();
    expect(await read({ pre_tokenizer: { ...file.pre_tokenizer, add_prefix_space: true } })).toBeNull();
    expect(await read({ pre_tokenizer: { type: "Metaspace" } })).toBeNull();
    expect(await read({}, { remove_space: true })).toBeNull();
    expect(await read({ added_tokens: [{ ...file.added_tokens[0], rstrip: true }] })).toBeNull();
    // Llama 3 cuts by a pattern of its own. Bytes are kept, unless pieces are removed.
    const cut = (behavior: string) => {
      const split = { type: "Split", pattern: { Regex: "\\p{N}" }, behavior, invert: false };
      const last = { ...file.pre_tokenizer, use_regex: false };
      return read({ pre_tokenizer: { type: "Sequence", pretokenizers: [split, last] } });
    };
    expect(await cut("Isolated")).not.toBeNull();
    expect(await cut("Removed")).toBeNull();
  });

  it("is the 256 bytes where a base has no tokenizer", async () => {
    const source = memorySource("memory", new Map());
    const found = (await readVocabulary(source, await openTokenizer(source, 256), 256))!;
    expect([...found.bytes]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
  });
});
