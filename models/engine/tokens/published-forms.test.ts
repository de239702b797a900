/** Tokenizers in the forms that published bases have, in miniature: what they spell, how they begin, and what ends them. */
import { describe, expect, it } from "vitest";
import { chatForm } from "../../serving/openai/chat-prompt.ts";
import { TokenText } from "../../serving/openai/token-text.ts";
import { memorySource } from "../files/memory-source.ts";
import { chatText } from "./chat-text.ts";
import { readBeginTokens, readEndTokens } from "./text-marks.ts";
import { begun, openTokenizer, type TextTokens } from "./tokenizer.ts";

const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const mark = (id: number, content: string) => ({
  id,
  content,
  special: true,
  normalized: false,
  single_word: false,
  lstrip: false,
  rstrip: false,
});
const files = (input: Readonly<Record<string, object | string>>) => {
  const bytes = Object.entries(input).map(([name, file]): [string, Uint8Array] => [
    name,
    Buffer.from(typeof file === "string" ? file : JSON.stringify(file)),
  ]);
  return memorySource("base", new Map(bytes));
};

/** Byte-level BPE, as GPT-2, Llama 3 and Qwen have it: a token for each character of `letters`, then marks. */
function bpe(letters: string, marks: readonly string[], changed: object = {}) {
  const vocab = Object.fromEntries(Array.from(letters, (letter, id) => [letter, id]));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    added_tokens: marks.map((content, i) => mark(letters.length + i, content)),
    model: { type: "BPE", dropout: null, unk_token: null, byte_fallback: false, vocab, merges: [] },
    ...changed,
  };
}

/** SentencePiece, as Llama 2, Mistral and Gemma have it. */
const pieces = ["<unk>", "<s>", "</s>", "<0x0A>", "<0xC3>", "<0xA9>", "▁", "▁the", "n", "'", "t", "▁▁▁"];
const sentencePiece = (decoder: object) => ({
  ...bpe("", []),
  pre_tokenizer: null,
  added_tokens: [mark(0, "<unk>"), mark(1, "<s>"), mark(2, "</s>")],
  decoder,
  model: {
    type: "BPE",
    unk_token: "<unk>",
    byte_fallback: true,
    merges: [],
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
  },
});
const replace = { type: "Replace", pattern: { String: "▁" }, content: " " };
const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
const mistral = { type: "Sequence", decoders: [replace, { type: "ByteFallback" }, { type: "Fuse" }, strip] };
const gemma = { type: "Sequence", decoders: [replace, { type: "ByteFallback" }, { type: "Fuse" }] };

const streamed = (tokens: TextTokens, ids: readonly number[], stops: readonly string[] = []) => {
  const text = new TokenText(tokens, stops);
  const parts = ids.map((id) => text.push(id));
  return { text: parts.join("") + text.end(), isStopped: text.isStopped };
};

describe("decoding", () => {
  const letters = "Ġ.'?!,/abcdefghijklmnopqrstuvwxyz=()";
  const text = "name = 'maria' , f( ' ' ) ! ls ./a ../b ; it 's n't";
  const whole = text.replaceAll(";", "=");

  it.each([
    ["without a configuration", {}],
    ["as GPT-2 is published", { "tokenizer_config.json": { model_max_length: 1_024 } }],
    ["as Llama 3 is published", { "tokenizer_config.json": { clean_up_tokenization_spaces: true } }],
  ])("of byte-level tokens keeps every blank: %s", async (_, config) => {
    const source = files({ "tokenizer.json": bpe(letters, []), ...config });
    const tokens = await openTokenizer(source, letters.length);
    const ids = tokens.encode(whole);
    expect(tokens.decode(ids)).toBe(whole);
    expect(streamed(tokens, ids).text).toBe(whole);
    // A blank and the stop behind it are two tokens.
    expect(streamed(tokens, tokens.encode("a . b c"), [" ."])).toEqual({ text: "a", isStopped: true });
    expect(streamed(tokens, tokens.encode("a . b c"), ["."])).toEqual({ text: "a ", isStopped: true });
  });

  it("of pieces follows the decoder that the file names", async () => {
    const open = (decoder: object) =>
      openTokenizer(files({ "tokenizer.json": sentencePiece(decoder) }), pieces.length);
    // ▁the é n ' t newline, and a mark within.
    const ids = [1, 7, 4, 5, 2, 6, 8, 9, 10, 3, 7];
    for (const [decoder, expected] of [
      [mistral, "theé n't\n the"],
      [gemma, " theé n't\n the"],
      [{ type: "Metaspace", replacement: "▁", prepend_scheme: "always" }, "the<0xC3><0xA9> n't<0x0A> the"],
      [{ type: "Metaspace", replacement: "▁", prepend_scheme: "never" }, " the<0xC3><0xA9> n't<0x0A> the"],
    ] as const) {
      const tokens = await open(decoder);
      expect(tokens.decode(ids)).toBe(expected);
      expect(streamed(tokens, ids).text).toBe(expected);
    }
    // The reference drops one blank by Strip, and all of the first piece by Metaspace.
    expect((await open(mistral)).decode([11, 7])).toBe("   the");
    expect((await open({ type: "Metaspace", replacement: "▁" })).decode([11, 7])).toBe(" the");
    // A byte alone is no character, and takes nothing of what stands beside it.
    expect((await open(mistral)).decode([8, 4, 8])).toBe("n\ufffdn");
  });

  it("names a token by its bytes, blanks included", async () => {
    const tokens = await openTokenizer(files({ "tokenizer.json": sentencePiece(mistral) }), pieces.length);
    expect([7, 4, 2].map((id) => Buffer.from(tokens.bytesOf(id)).toString("hex"))).toEqual([
      Buffer.from(" the").toString("hex"),
      "c3",
      Buffer.from("</s>").toString("hex"),
    ]);
  });

  it("of a decoder that is not computed is refused by its name", async () => {
    for (const type of ["CTC", "BPEDecoder", "Other"])
      await expect(
        openTokenizer(files({ "tokenizer.json": sentencePiece({ type }) }), pieces.length),
      ).rejects.toMatchObject({ code: "MOD_FILE_INVALID", data: { reason: expect.stringContaining(type) } });
  });
});

describe("the beginning of a text", () => {
  const template = (parts: object[]) => ({
    type: "TemplateProcessing",
    single: parts,
    pair: parts,
    special_tokens: { "<begin>": { id: "<begin>", ids: [2], tokens: ["<begin>"] } },
  });
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const begin = { SpecialToken: { id: "<begin>", type_id: 0 } };
  const llama3 = { type: "Sequence", processors: [byteLevel, template([begin, sequence])] };
  const base = (post_processor: object | null) =>
    files({ "tokenizer.json": bpe("ab", ["<begin>"], { post_processor }) });

  it("is what the post-processor puts there, once", async () => {
    const tokens = await openTokenizer(base(llama3), 3);
    expect(tokens.begin).toEqual([2]);
    expect(begun(tokens, tokens.encode("ab"))).toEqual([2, 0, 1]);
    expect(begun(tokens, tokens.encode("<begin>ab"))).toEqual([2, 0, 1]);
    expect(await readBeginTokens(base(llama3))).toEqual([2]);
    for (const none of [null, byteLevel]) {
      expect((await openTokenizer(base(none), 3)).begin).toEqual([]);
      expect(await readBeginTokens(base(none))).toEqual([]);
    }
    expect(await readBeginTokens(files({}))).toEqual([]);
  });

  it("is refused with tokens behind a text, by an unknown post-processor, and outside the vocabulary", async () => {
    for (const wrong of [template([begin, sequence, begin]), { type: "BertProcessing" }, { type: "Other" }])
      await expect(openTokenizer(base(wrong), 3)).rejects.toMatchObject({ code: "MOD_FILE_INVALID" });
    await expect(openTokenizer(base(llama3), 2)).rejects.toMatchObject({ code: "MOD_FILE_INVALID" });
  });

  it("stands before a chat where the base's template writes it, once", async () => {
    const own = bpe("ab", ["<begin>", "<|im_end|>"], { post_processor: llama3 });
    const opened = (more: Record<string, object | string>) =>
      openTokenizer(files({ "tokenizer.json": own, ...more }), 4);
    const template = "{{ bos_token }}{% for message in messages %}{{ message.content }}{% endfor %}";
    const named = { bos_token: { content: "<begin>" }, chat_template: template };
    const rendered = async (more: Record<string, object | string>) => {
      const tokens = await opened(more);
      const text = chatText(tokens.chat(), { messages: [{ role: "user", content: "ab" }] }, "2026-11-29");
      const encoded = tokens.encode(text);
      return chatForm(tokens).hasBegin ? begun(tokens, encoded) : encoded;
    };
    expect(await rendered({ "tokenizer_config.json": named })).toEqual([2, 0, 1]);
    expect(await rendered({ "tokenizer_config.json": { ...named, bos_token: "<begin>" } })).toEqual([
      2, 0, 1,
    ]);
    expect(await rendered({ "chat_template.jinja": "<begin>{{ messages[0].content }}" })).toEqual([2, 0, 1]);
    // A template says itself whether a text begins with it; without one the tokenizer does.
    expect(await rendered({ "chat_template.jinja": "{{ messages[0].content }}" })).toEqual([0, 1]);
    expect(await rendered({})).toEqual([2, 0, 1]);
    const listed = [
      { name: "tool_use", template: "x" },
      { name: "default", template },
    ];
    const fromList = { "tokenizer_config.json": { ...named, chat_template: listed } };
    expect(await rendered(fromList)).toEqual([2, 0, 1]);
    expect((await opened({ "chat_template.jinja": "{% for %}" })).encode("ab")).toEqual([0, 1]);
  });
});

describe("the ends of a text", () => {
  it("are those of config.json, generation_config.json and tokenizer_config.json together", async () => {
    const ends = (input: Record<string, object>) =>
      readEndTokens(files({ "tokenizer.json": bpe("ab", ["<end>", "<|im_end|>"]), ...input }));
    expect(await ends({ "config.json": {} })).toEqual([]);
    expect(await ends({ "config.json": { eos_token_id: 2 } })).toEqual([2]);
    // The forms of Qwen2.5 Instruct, and of Llama 3 Instruct with its three tokens.
    expect(
      await ends({ "config.json": { eos_token_id: 2 }, "generation_config.json": { eos_token_id: [3, 2] } }),
    ).toEqual([2, 3]);
    expect(
      await ends({
        "config.json": { eos_token_id: 2 },
        "tokenizer_config.json": { eos_token: "<|im_end|>" },
      }),
    ).toEqual([2, 3]);
    expect(
      await ends({ "config.json": {}, "tokenizer_config.json": { eos_token: { content: "<|im_end|>" } } }),
    ).toEqual([3]);
    await expect(ends({ "generation_config.json": [] as object })).resolves.toEqual([]);
  });

  it("are refused where they name no token, and found among the pieces of a Unigram model", async () => {
    const ends = (input: Record<string, object>, own: object = bpe("ab", ["<end>"])) =>
      readEndTokens(files({ "tokenizer.json": own, ...input }));
    for (const wrong of [
      { "tokenizer_config.json": { eos_token: "<|im_end|>" } },
      { "generation_config.json": { eos_token_id: ["2"] } },
      { "config.json": { eos_token_id: 1.5 } },
    ])
      await expect(ends(wrong), JSON.stringify(wrong)).rejects.toMatchObject({ code: "MOD_FILE_INVALID" });
    const unigram = {
      ...bpe("", []),
      model: {
        type: "Unigram",
        unk_id: 0,
        vocab: [
          ["<unk>", 0],
          ["</s>", -1],
        ],
      },
    };
    expect(await ends({ "tokenizer_config.json": { eos_token: "</s>" } }, unigram)).toEqual([1]);
  });

  it("of a chat include the mark that the template puts behind a turn, though no text shows it", async () => {
    const own = bpe("ab", ["<end>", "<|im_start|>", "<|im_end|>"]);
    const chatml =
      "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}";
    const tokens = await openTokenizer(files({ "tokenizer.json": own, "chat_template.jinja": chatml }), 5);
    expect(chatForm(tokens).endTokens).toEqual([4]);
    expect(tokens.decode([0, 4, 1])).toBe("ab");
    const without = await openTokenizer(files({ "tokenizer.json": own }), 5);
    expect(chatForm(without).endTokens).toEqual([]);
  });
});

describe("a tokenizer of a stranger", () => {
  it("is refused where a pattern could hold its reader for ever, and read with published ones", async () => {
    const split = (Regex: string) => ({
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false },
        { ...byteLevel, use_regex: false },
      ],
    });
    const open = (Regex: string) =>
      openTokenizer(files({ "tokenizer.json": bpe("ab", [], { pre_tokenizer: split(Regex) }) }), 2);
    for (const pattern of ["(a+)+$", "(?:a|a)*b", "(a){2,}", "a*a*a*a*a*b"])
      await expect(open(pattern), pattern).rejects.toMatchObject({ code: "MOD_FILE_INVALID" });
    for (const pattern of [
      // Llama 3, Qwen2, DeepSeek, o200k: their forms, shortened.
      "(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|\\s+",
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{M}]*[\\p{Ll}\\p{M}]+(?i:'s|'t)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
    ])
      expect((await open(pattern)).encode("ab")).toEqual([0, 1]);
  });

  it("is refused with ids that no model has", async () => {
    const far = { ...bpe("ab", []), added_tokens: [mark(2 ** 31, "<far>")] };
    await expect(openTokenizer(files({ "tokenizer.json": far }), 2)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
    });
  });
});

describe("a setting that the library reads otherwise than the reference, or not at all", () => {
  const open = (changed: object, config: object = {}) =>
    openTokenizer(
      files({ "tokenizer.json": bpe("ab", ["<begin>"], changed), "tokenizer_config.json": config }),
      3,
    );
  const split = (behavior: string, invert = false) => ({
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: "a" }, behavior, invert },
      { ...byteLevel, use_regex: false },
    ],
  });
  const model = (changed: object) => ({ model: { ...bpe("ab", []).model, ...changed } });
  const flagged = (flags: object) => ({ added_tokens: [{ ...mark(2, "<begin>"), ...flags }] });

  it.each<[string, object]>([
    ["Split", { pre_tokenizer: split("MergedWithPrevious") }],
    ["Split", { pre_tokenizer: split("Contiguous") }],
    ["Split", { pre_tokenizer: split("Isolated", true) }],
    ["Punctuation", { pre_tokenizer: { type: "Punctuation", behavior: "Isolated" } }],
    ["Whitespace", { pre_tokenizer: { type: "Whitespace" } }],
    ["dropout", model({ dropout: 0.1 })],
    ["continuing_subword_prefix", model({ continuing_subword_prefix: "##" })],
    ["single_word", flagged({ single_word: true })],
  ])("is refused by its name: %s", async (name, changed) => {
    await expect(open(changed)).rejects.toMatchObject({
      code: "MOD_FILE_INVALID",
      message: expect.stringContaining(name),
    });
  });

  it("is read where both read it alike", async () => {
    for (const changed of [
      { pre_tokenizer: split("Isolated") },
      { pre_tokenizer: { ...split("Removed") } },
      {
        pre_tokenizer: {
          type: "Sequence",
          pretokenizers: [{ type: "Punctuation", behavior: "Contiguous" }, byteLevel],
        },
      },
      model({ dropout: 0, continuing_subword_prefix: "" }),
    ])
      await expect(open(changed)).resolves.toBeDefined();
  });

  it("of tokenizer_config.json is refused where it says otherwise than tokenizer.json", async () => {
    const begin = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<begin>" } }, { Sequence: { id: "A" } }],
      special_tokens: { "<begin>": { ids: [2] } },
    };
    const named = (content: string, flags: object = {}) => ({
      added_tokens_decoder: { 2: { content, special: true, ...flags } },
    });
    for (const [name, changed, config] of [
      ["add_bos_token", {}, { add_bos_token: true }],
      ["add_bos_token", { post_processor: begin }, { add_bos_token: false }],
      ["add_eos_token", {}, { add_eos_token: true }],
      ["add_prefix_space", {}, { add_prefix_space: true }],
      ["added_tokens_decoder", {}, named("<turn>")],
      ["added_tokens_decoder", {}, named("<begin>", { rstrip: true })],
    ] as const)
      await expect(open(changed, config), JSON.stringify(config)).rejects.toMatchObject({
        code: "MOD_FILE_INVALID",
        message: expect.stringContaining(name),
      });
    const same = { add_bos_token: true, add_eos_token: false, add_prefix_space: false, ...named("<begin>") };
    expect((await open({ post_processor: begin }, same)).begin).toEqual([2]);
  });
});
