/** Tests of sentence encoders, against vectors that numpy computed in float64 from the papers' formulas (testing/encoders/make-sentence.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { FileSource } from "../files/byte-source.ts";
import { folderSource } from "../files/folder-source.ts";
import { memoryFile } from "../files/memory-source.ts";
import type { KernelChoice } from "../kernels/create-kernels.ts";
import { nativeKernelSets } from "../kernels/native-kernels.ts";
import { exactErf } from "../tensors/exact-erf.ts";
import { atUnitLength, openSentenceEncoder } from "./sentence-encoder.ts";

const FOLDER = fileURLToPath(new URL("../../testing/encoders/", import.meta.url));
interface Case {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly isCut: boolean;
  readonly [vector: string]: unknown;
}
const { bert, qwen3 } = JSON.parse(readFileSync(`${FOLDER}sentence-encoders.json`, "utf8")) as Record<
  "bert" | "qwen3",
  readonly Case[]
>;
const choices = ["wasm", ...nativeKernelSets()] as KernelChoice[];
const [kernels] = choices as [KernelChoice];

/** An encoder's files, some of them changed: null takes one out. */
function changed(name: string, files: Readonly<Record<string, object | string | null>>): FileSource {
  const source = folderSource(FOLDER + name);
  return {
    name,
    async open(file) {
      const own = files[file];
      if (own === undefined) return source.open(file);
      return own === null
        ? null
        : memoryFile(file, Buffer.from(typeof own === "string" ? own : JSON.stringify(own)));
    },
  };
}
const jsonOf = (file: string) => JSON.parse(readFileSync(FOLDER + file, "utf8"));

/** Expects components within float32's error of two layers. */
function expectNear(found: ArrayLike<number>, expected: unknown, text: string): void {
  const wanted = expected as readonly number[];
  expect(found.length, text).toBe(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(found[i]! - value), `${text} ${i}`).toBeLessThan(3e-6 * Math.max(1, Math.abs(value)));
}

describe.each(choices)("sentence encoders by %s", (choice) => {
  it("have Qwen3's vectors: the last token's state behind the end that the tokenizer puts there", async () => {
    const encoder = await openSentenceEncoder(folderSource(`${FOLDER}qwen3`), { kernels: choice });
    expect(encoder.dimensions).toBe(32);
    for (const { first16, isCut, last, question, text, tokens } of qwen3!) {
      expect(encoder.tokensOf(text), text).toEqual(tokens);
      const vector = encoder.encode(text);
      expectNear(vector.components, last, text);
      expect([vector.isCut, vector.tokenCount], text).toEqual([isCut, tokens.length]);
      expectNear(atUnitLength(vector.components.slice(0, 16)), first16, text);
      expectNear(encoder.encodeQuestion(text).components, question, text);
    }
  });

  it("have BERT's vectors, of the mean and of the first token, and its basic tokenizer's words", async () => {
    const mean = await openSentenceEncoder(folderSource(`${FOLDER}bert`), { kernels: choice });
    const pooling = jsonOf("bert/1_Pooling/config.json");
    const ofFirst = { ...pooling, pooling_mode_mean_tokens: false, pooling_mode_cls_token: true };
    const plain = changed("bert", {
      "1_Pooling/config.json": ofFirst,
      "modules.json": jsonOf("bert/modules.json").slice(0, 2),
    });
    const first = await openSentenceEncoder(plain, { kernels: choice });
    for (const { isCut, text, tokens, ...vectors } of bert!) {
      expect(mean.tokensOf(text), text).toEqual(tokens);
      expectNear(mean.encode(text).components, vectors.mean, text);
      expectNear(first.encode(text).components, vectors.first, text);
      expect(mean.encode(text).isCut, text).toBe(isCut);
    }
  });
});

it("has the same bits by all kernels", async () => {
  for (const [name, cases] of [["bert", bert] as const, ["qwen3", qwen3] as const]) {
    const found = [];
    for (const choice of choices) {
      const encoder = await openSentenceEncoder(folderSource(FOLDER + name), { kernels: choice });
      found.push(cases!.map(({ text }) => [...encoder.encode(text).components]));
    }
    for (const other of found) expect(other).toEqual(found[0]);
  }
});

it("refuses by name what would give other vectors", async () => {
  const config = jsonOf("bert/config.json");
  const decoder = jsonOf("qwen3/config.json");
  const tokenizer = jsonOf("bert/tokenizer.json");
  const settings = jsonOf("bert/tokenizer_config.json");
  const pooling = jsonOf("bert/1_Pooling/config.json");
  const modules = jsonOf("bert/modules.json");
  const unigram = { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0]], byte_fallback: false };
  const refused: [string, Record<string, object | string | null>, string, RegExp][] = [
    [
      "bert",
      { "config.json": { ...config, model_type: "xlm-roberta" } },
      "MOD_CONFIG_UNSUPPORTED",
      /xlm-roberta/,
    ],
    ["bert", { "config.json": { ...config, hidden_act: "relu" } }, "MOD_CONFIG_UNSUPPORTED", /hidden_act/],
    ["bert", { "config.json": { ...config, is_decoder: true } }, "MOD_CONFIG_UNSUPPORTED", /is_decoder/],
    [
      "bert",
      { "config.json": { ...config, position_embedding_type: "relative_key" } },
      "MOD_CONFIG_UNSUPPORTED",
      /position_embedding_type/,
    ],
    ["bert", { "config.json": { ...config, twist: 2 } }, "MOD_CONFIG_UNSUPPORTED", /twist/],
    ["bert", { "config.json": { ...config, num_hidden_layers: 3 } }, "MOD_FILE_INVALID", /encoder.layer.2/],
    ["bert", { "config.json": { ...config, num_hidden_layers: 1 } }, "MOD_FILE_INVALID", /no part of BERT/],
    ["bert", { "modules.json": null }, "MOD_SOURCE_UNREADABLE", /modules.json/],
    [
      "bert",
      {
        "modules.json": [
          ...modules.slice(0, 2),
          { ...modules[2], type: "sentence_transformers.models.Dense" },
        ],
      },
      "MOD_CONFIG_UNSUPPORTED",
      /Dense/,
    ],
    [
      "bert",
      { "1_Pooling/config.json": { ...pooling, pooling_mode_max_tokens: true } },
      "MOD_CONFIG_UNSUPPORTED",
      /pooling_mode_mean_tokens \+ pooling_mode_max_tokens/,
    ],
    [
      "bert",
      {
        "1_Pooling/config.json": {
          ...pooling,
          pooling_mode_mean_tokens: false,
          pooling_mode_max_tokens: true,
        },
      },
      "MOD_CONFIG_UNSUPPORTED",
      /pooling_mode_max_tokens/,
    ],
    [
      "bert",
      { "1_Pooling/config.json": { ...pooling, word_embedding_dimension: 64 } },
      "MOD_FILE_INVALID",
      /32/,
    ],
    ["bert", { "1_Pooling/config.json": { ...pooling, extra: 1 } }, "MOD_CONFIG_UNSUPPORTED", /extra/],
    [
      "bert",
      { "tokenizer.json": { ...tokenizer, normalizer: { ...tokenizer.normalizer, lowercase: false } } },
      "MOD_CONFIG_UNSUPPORTED",
      /do_lower_case/,
    ],
    [
      "qwen3",
      { "sentence_bert_config.json": { do_lower_case: true } },
      "MOD_CONFIG_UNSUPPORTED",
      /do_lower_case/,
    ],
    ["bert", { "tokenizer.json": { ...tokenizer, model: unigram } }, "MOD_FILE_INVALID", /Unigram/],
    [
      "bert",
      { "tokenizer_config.json": { ...settings, do_lower_case: false } },
      "MOD_FILE_INVALID",
      /do_lower_case/,
    ],
    ["bert", { "tokenizer.json": null }, "MOD_FILE_INVALID", /tokenizer.json/],
    ["qwen3", { "config.json": { ...decoder, model_type: "llama" } }, "MOD_CONFIG_UNSUPPORTED", /llama/],
    [
      "qwen3",
      { "config.json": { ...decoder, auto_map: { AutoModel: "modeling.Bidirectional" } } },
      "MOD_CONFIG_UNSUPPORTED",
      /auto_map/,
    ],
    ["qwen3", { "config.json": null }, "MOD_SOURCE_UNREADABLE", /config.json/],
  ];
  for (const [name, files, code, message] of refused)
    await expect(
      openSentenceEncoder(changed(name, files), { kernels }),
      JSON.stringify(files).slice(0, 100),
    ).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  const encoder = await openSentenceEncoder(folderSource(`${FOLDER}bert`), { kernels });
  expect(() => encoder.encode("a".repeat(65_537))).toThrow(/65536/);
});

it("computes the error function within 2 · 10^-15", () => {
  // By Python's math.erf.
  const known = [
    [0, 0.0],
    [0.003, 0.0033851273459014532],
    [0.1, 0.1124629160182849],
    [0.496, 0.5169777266572149],
    [0.5, 0.5204998778130465],
    [0.504, 0.5240079685413517],
    [0.9, 0.7969082124228322],
    [1, 0.8427007929497149],
    [1.3, 0.9340079449406524],
    [2, 0.9953222650189527],
    [2.7, 0.9998656672600594],
    [3.5, 0.9999992569016276],
    [4.9, 0.999999999995781],
    [5.999, 1.0],
    [7, 1.0],
  ] as const;
  for (const [x, value] of known) {
    expect(Math.abs(exactErf(x) - value), `${x}`).toBeLessThan(2e-15);
    expect(exactErf(-x) + 0).toBe(-exactErf(x) + 0);
  }
  expect(exactErf(Number.NaN)).toBeNaN();
});
