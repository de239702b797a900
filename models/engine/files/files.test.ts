/** Tests of the readers and writers of models' files: safetensors, config.json, adapters. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeConfigs, makeModel, writeMadeModel, writeShardedModel } from "../../testing/made-models.ts";
import { type AdapterSettings, adapterLayout } from "../architecture/adapter-layout.ts";
import { encodeAdapter, readAdapter, readAdapterSettings } from "./adapter-files.ts";
import type { ByteSource, FileSource } from "./byte-source.ts";
import { toHalves } from "./float-formats.ts";
import { folderSource } from "./folder-source.ts";
import { loadModel, openModel } from "./load-model.ts";
import { parseModelConfig } from "./model-config.ts";
import { roundToBlocks } from "./pack-weights.ts";
import { encodeTensors, type NamedTensor, readFloats, readTensorEntries } from "./safetensors.ts";
import { urlSource } from "./url-source.ts";

let folder: string;
let server: Server;
let address: string;
/** Manner in which the server answers: in parts as it should, or wrongly. */
let manner: "parts" | "whole" | "other part" | "too much" | "cut" = "parts";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "openledger-files-"));
  server = createServer((request, answer) => {
    const [, way, rest] = /^\/(on|away|round)(\/.*)$/.exec(request.url!) ?? [];
    if (way !== undefined) {
      const to = { on: rest, away: `http://localhost:1${rest}`, round: request.url }[way]!;
      return void answer.writeHead(302, { location: to }).end();
    }
    void readFile(join(folder, request.url!)).then(
      (bytes) => {
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
        const [start, end] = [Number(from), Number(to)];
        if (manner === "whole") return answer.writeHead(200).end(bytes);
        const shift = manner === "other part" ? 1 : 0;
        answer.writeHead(206, { "content-range": `bytes ${start + shift}-${end + shift}/${bytes.length}` });
        const part = bytes.subarray(start, end + 1);
        if (manner === "too much") answer.write(part);
        return answer.end(manner === "cut" && part.length > 1 ? part.subarray(1) : part);
      },
      () => answer.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

/** The code that a promise is refused with; anything but a RollupError fails the test. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error("it was taken"),
    (refusal: unknown) => refusal,
  );
  if (!isRollupError(error)) throw error;
  return error.code;
}

const bytesSource = (bytes: Uint8Array): ByteSource => ({
  name: "bytes",
  byteLength: bytes.length,
  read: async (at, length) => {
    if (at < 0 || length < 0 || at + length > bytes.length) throw new RangeError("read outside");
    return bytes.slice(at, at + length);
  },
  close: async () => undefined,
});

const tensor = (name: string, values: number[]): NamedTensor => ({
  name,
  shape: [values.length],
  values: Float32Array.from(values),
});

/** A safetensors file with any header. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
}

describe("safetensors", () => {
  it("come back as they were written", async () => {
    const bytes = encodeTensors([
      tensor("b", [1, -2.5, 3e-30]),
      { name: "a", shape: [2, 0], values: new Float32Array() },
    ]);
    const entries = await readTensorEntries(bytesSource(bytes));
    expect([...entries.keys()]).toEqual(["a", "b"]);
    expect(Array.from(await readFloats(entries.get("b")!, 0, 3))).toEqual([1, -2.5, Math.fround(3e-30)]);
    expect(Array.from(await readFloats(entries.get("b")!, 1, 1))).toEqual([-2.5]);
  });

  it("of 16 bits are the same numbers in 32", async () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x0400, 0x8000);
    const brains = Uint16Array.of(0x3f80, 0xc000, 0x0080, 0x7f7f, 0x4049, 0x8000);
    const data = new Uint8Array([...new Uint8Array(halves.buffer), ...new Uint8Array(brains.buffer)]);
    const header = {
      half: { dtype: "F16", shape: [6], data_offsets: [0, 12] },
      brain: { dtype: "BF16", shape: [6], data_offsets: [12, 24] },
    };
    const entries = await readTensorEntries(bytesSource(fileOf(header, data)));
    expect(Array.from(await readFloats(entries.get("half")!, 0, 6))).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      2 ** -14,
      -0,
    ]);
    const [one, two, small, max, pi, zero] = await readFloats(entries.get("brain")!, 0, 6);
    expect([one, two, small, pi, zero]).toEqual([1, -2, 2 ** -126, 3.140625, -0]);
    expect(max).toBeGreaterThan(3.38e38);
  });

  it("are refused where numbers are infinite or none", async () => {
    for (const [dtype, bits] of [
      ["F16", 0x7c00],
      ["F16", 0x7e00],
      ["BF16", 0x7f80],
      ["BF16", 0xffc0],
    ] as const) {
      const data = new Uint8Array(Uint16Array.of(0, bits).buffer);
      const header = { w: { dtype, shape: [2], data_offsets: [0, 4] } };
      const entries = await readTensorEntries(bytesSource(fileOf(header, data)));
      expect(await codeOf(readFloats(entries.get("w")!, 0, 2))).toBe("MOD_FILE_INVALID");
    }
    const entries = await readTensorEntries(bytesSource(encodeTensors([tensor("w", [0, Number.NaN])])));
    await expect(readFloats(entries.get("w")!, 0, 2)).rejects.toMatchObject({
      data: { tensor: "w", index: 1 },
    });
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["a length alone", new Uint8Array(8)],
    ["a huge header", fileOf({}, undefined, 2n ** 63n)],
    ["a header of a gigabyte", fileOf({}, undefined, 2n ** 30n)],
    ["a header beyond the end", fileOf({}, undefined, 100n)],
    ["a header that is no JSON", fileOf("{")],
    ["a header that is no object", fileOf("[]")],
    ["a header that is null", fileOf("null")],
    ["a tensor that is null", fileOf({ w: null })],
    ["no offsets", fileOf({ w: { dtype: "F32", shape: [0] } })],
    [
      "offsets the wrong way round",
      fileOf({ w: { dtype: "F32", shape: [0], data_offsets: [4, 0] } }, new Uint8Array(4)),
    ],
    [
      "offsets below 0",
      fileOf({ w: { dtype: "F32", shape: [1], data_offsets: [-4, 0] } }, new Uint8Array(4)),
    ],
    [
      "offsets beyond the end",
      fileOf({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }, new Uint8Array(4)),
    ],
    [
      "offsets that are no integers",
      fileOf({ w: { dtype: "F32", shape: [1], data_offsets: [0, 4.5] } }, new Uint8Array(4)),
    ],
    [
      "too few bytes for its shape",
      fileOf({ w: { dtype: "F32", shape: [2], data_offsets: [0, 4] } }, new Uint8Array(4)),
    ],
    [
      "a shape whose product is 4 modulo 2^64",
      fileOf({ w: { dtype: "F32", shape: [2 ** 32, 2 ** 32], data_offsets: [0, 4] } }, new Uint8Array(4)),
    ],
    [
      "a shape below 0",
      fileOf({ w: { dtype: "F32", shape: [-1, -1], data_offsets: [0, 4] } }, new Uint8Array(4)),
    ],
    [
      "a type that nobody knows",
      fileOf({ w: { dtype: "__proto__", shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4)),
    ],
    [
      "tensors that overlap",
      fileOf(
        {
          a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
          b: { dtype: "F32", shape: [2], data_offsets: [4, 12] },
        },
        new Uint8Array(12),
      ),
    ],
    [
      "a gap between tensors",
      fileOf(
        {
          a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
          b: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
        },
        new Uint8Array(12),
      ),
    ],
    [
      "bytes behind the last tensor",
      fileOf({ w: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }, new Uint8Array(8)),
    ],
    [
      "dimensions without end",
      fileOf({ w: { dtype: "F32", shape: Array(999).fill(1), data_offsets: [0, 4] } }, new Uint8Array(4)),
    ],
  ])("are refused with %s", async (_, bytes) => {
    expect(await codeOf(readTensorEntries(bytesSource(bytes)))).toBe("MOD_FILE_INVALID");
  });

  it("are read or refused, whatever the bytes, and never fail otherwise", async () => {
    const good = encodeTensors([tensor("a", [1, 2, 3]), tensor("b", [4]), tensor("c", [5, 6])]);
    const codes = ["MOD_FILE_INVALID"];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(good.length),
        async (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            for (const entry of (await readTensorEntries(bytesSource(bytes))).values())
              await readFloats(
                entry,
                0,
                entry.shape.reduce((product, size) => product * size, 1),
              );
          } catch (error) {
            if (!isRollupError(error)) throw error;
            expect(codes).toContain(error.code);
          }
        },
      ),
      { numRuns: runs(500) },
    );
  });
});

const read = async (source: FileSource): Promise<Float32Array> => {
  const opened = await openModel(source);
  try {
    const arena = new Float32Array(opened.layout.floatCount);
    await opened.load(arena, 0);
    return arena;
  } finally {
    await opened.close();
  }
};

describe("a model", () => {
  const made = makeModel(madeConfigs.qwen2);
  const at = (name: string) => join(folder, name);
  beforeAll(async () => {
    await writeMadeModel(at("whole"), made);
    await writeShardedModel(at("shards"), made);
  });

  it("is the same from a folder, from shards and from an address", async () => {
    manner = "parts";
    const local = await read(folderSource(at("whole")));
    expect(local.some((value) => value !== 0)).toBe(true);
    expect(await read(folderSource(at("shards")))).toEqual(local);
    expect(await read(urlSource(`${address}/whole`))).toEqual(local);
    expect(await read(urlSource(`${address}/shards/`))).toEqual(local);
    expect(await read(urlSource(`${address}/on/whole`))).toEqual(local);
  });

  it("is refused where the server does not give parts, or others", async () => {
    for (const wrong of ["whole", "other part", "too much", "cut"] as const) {
      manner = wrong;
      expect(await codeOf(read(urlSource(`${address}/whole`))), wrong).toBe("MOD_SOURCE_UNREADABLE");
    }
    manner = "parts";
    for (const lost of ["nothing", "round/whole"])
      expect(await codeOf(read(urlSource(`${address}/${lost}`))), lost).toBe("MOD_SOURCE_UNREADABLE");
    // Whatever listens there is not asked.
    await expect(read(urlSource(`${address}/away/whole`))).rejects.toThrow(/not https/);
    expect(await codeOf(read(urlSource("http://127.0.0.1:1")))).toBe("MOD_SOURCE_UNREADABLE");
  });

  it("is refused where a file is absent, cut or leads elsewhere", async () => {
    const weights = await readFile(join(at("whole"), "model.safetensors"));
    const config = JSON.stringify(made.config);
    const broken = async (files: Record<string, string | Uint8Array>) => {
      rmSync(at("broken"), { recursive: true, force: true });
      await mkdir(at("broken"));
      for (const [name, content] of Object.entries(files)) await writeFile(join(at("broken"), name), content);
      return codeOf(read(folderSource(at("broken"))));
    };
    expect(await broken({})).toBe("MOD_SOURCE_UNREADABLE");
    expect(await broken({ "config.json": config })).toBe("MOD_SOURCE_UNREADABLE");
    expect(await broken({ "config.json": "{", "model.safetensors": weights })).toBe("MOD_FILE_INVALID");
    const cut = weights.subarray(0, -4);
    expect(await broken({ "config.json": config, "model.safetensors": cut })).toBe("MOD_FILE_INVALID");
    const fewer = encodeTensors(made.tensors.slice(1));
    expect(await broken({ "config.json": config, "model.safetensors": fewer })).toBe("MOD_FILE_INVALID");
    const wider = JSON.stringify({ ...made.config, intermediate_size: 64 });
    expect(await broken({ "config.json": wider, "model.safetensors": weights })).toBe("MOD_FILE_INVALID");
    const index = (names: unknown) => JSON.stringify({ weight_map: names });
    for (const names of [null, {}, { a: "../model.safetensors" }, { a: "/etc/passwd" }, { a: 7 }])
      expect(await broken({ "config.json": config, "model.safetensors.index.json": index(names) })).toBe(
        "MOD_FILE_INVALID",
      );
    const absent = index({ a: "other.safetensors" });
    expect(await broken({ "config.json": config, "model.safetensors.index.json": absent })).toBe(
      "MOD_SOURCE_UNREADABLE",
    );
    const huge = new Uint8Array(2 ** 20 + 1).fill(32);
    expect(await broken({ "config.json": huge })).toBe("MOD_TOO_LARGE");
    const wrong = made.tensors.map((one, i) =>
      i === 3 ? { ...one, values: one.values.map(() => Number.NaN) } : one,
    );
    expect(await broken({ "config.json": config, "model.safetensors": encodeTensors(wrong) })).toBe(
      "MOD_FILE_INVALID",
    );
  });

  it("allocates nothing by what a config says alone", async () => {
    const config = { ...made.config, vocab_size: 2 ** 23, hidden_size: 65_536, num_hidden_layers: 3 };
    rmSync(at("vast"), { recursive: true, force: true });
    await writeMadeModel(at("vast"), { config, tensors: made.tensors });
    const before = process.memoryUsage().rss;
    expect(await codeOf(read(folderSource(at("vast"))))).toBe("MOD_FILE_INVALID");
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe("int8 weights", () => {
  it("are Q8_0's: of 32 numbers the largest is 127 steps, the step is a half; each embedding is near its floats", async () => {
    const values = Float32Array.from({ length: 40 }, (_, i) => (i === 5 ? -127 : i / 2));
    const { integers, scales } = roundToBlocks(values);
    expect([...scales]).toEqual([...toHalves(Float32Array.of(1, 19.5 / 127))]);
    expect([...integers.subarray(0, 8)]).toEqual([0, 1, 1, 2, 2, -127, 3, 4]);
    expect(integers[39]).toBe(127);
    expect(roundToBlocks(new Float32Array(3))).toEqual({
      scales: Uint16Array.of(0),
      integers: new Int8Array(3),
    });
    expect(() => roundToBlocks(Float32Array.of(1e9))).toThrow(/too large/);
  });

  it("are held once where the head is the embedding", async () => {
    const { tensors } = makeModel(madeConfigs.smollm2, "smollm2");
    await writeMadeModel(join(folder, "int8"), { config: madeConfigs.smollm2, tensors });
    const opened = await openModel(folderSource(join(folder, "int8")));
    const { model } = await loadModel(opened, {
      kernels: "wasm",
      maxRows: 8,
      isTraining: false,
      weights: "int8",
    });
    await opened.close();
    const { kernels, layout, parameters, shape, workspace } = model;
    expect(layout.head).toBe(layout.embedding);
    const map = {
      inputs: shape.width,
      outputs: shape.vocabularySize,
      weights: parameters + layout.embedding,
    };
    const floats = tensors.find(({ name }) => name === "model.embed_tokens.weight")!.values;
    for (const token of [0, 17, 69]) {
      kernels.blocks.unpack(map, token, 1, workspace.lastNormed);
      for (let i = 0; i < shape.width; i++) {
        const expected = floats[token * shape.width + i]!;
        // Half a step, and what rounding the step to 11 bits moves 127 of them.
        expect(Math.abs(kernels.arena[workspace.lastNormed + i]! - expected)).toBeLessThan(
          (0.3 / 127) * (0.5 + 127 / 2048),
        );
      }
    }
  });
});

describe("config.json", () => {
  const parse = (config: unknown) => parseModelConfig(new TextEncoder().encode(JSON.stringify(config)));
  const code = (config: unknown): string => {
    try {
      parse(config);
    } catch (error) {
      if (isRollupError(error)) return error.code;
      throw error;
    }
    return "taken";
  };

  it("tells the published architectures", () => {
    expect(parse(madeConfigs.gpt2)).toMatchObject({
      family: "gpt2",
      norm: "layer",
      isTied: true,
      headSize: 16,
    });
    expect(parse(madeConfigs.qwen2)).toMatchObject({ hasQkvBias: true, isTied: true });
    expect(parse(madeConfigs.qwen3)).toMatchObject({ hasHeadNorms: true, hasQkvBias: false, isTied: false });
    expect(
      parse({
        ...madeConfigs.llama,
        rope_scaling: null,
        // As transformers 5 writes it: at one offset.
        rope_theta: null,
        rope_parameters: { rope_theta: 7, rope_type: "default" },
      }),
    ).toMatchObject({ positions: { theta: 7, scaling: null } });
  });

  it("is refused where sizes are out of range", () => {
    for (const field of Object.keys(madeConfigs.qwen3).filter((name) => name !== "model_type")) {
      for (const value of [-1, 0.5, 2 ** 40, "8", {}])
        expect(code({ ...madeConfigs.qwen3, [field]: value }), `${field} ${value}`).toMatch(
          /^MOD_(FILE_INVALID|CONFIG_UNSUPPORTED)$/,
        );
    }
    for (const config of [null, 7, [], "x"]) expect(code(config)).toBe("MOD_CONFIG_UNSUPPORTED");
  });

  it("is refused with options that would change the arithmetic", () => {
    const { llama, gpt2 } = madeConfigs;
    for (const config of [
      { ...llama, model_type: "mamba" },
      { ...llama, hidden_act: "gelu" },
      { ...llama, attention_bias: true },
      { ...llama, mlp_bias: true },
      { ...llama, use_sliding_window: true },
      { ...llama, rope_scaling: { type: "yarn", factor: 4 } },
      { ...llama, hidden_size: 40 },
      { ...llama, num_attention_heads: 3, num_key_value_heads: 2, head_dim: 16 },
      { ...gpt2, activation_function: "relu" },
      { ...gpt2, scale_attn_by_inverse_layer_idx: true },
    ])
      expect(code(config)).toBe("MOD_CONFIG_UNSUPPORTED");
  });

  it("gives a shape or a typed error for anything", () => {
    const value = fc.oneof(fc.jsonValue(), fc.integer({ min: -2, max: 70 }));
    const fields = fc.dictionary(
      fc.constantFrom(...Object.keys({ ...madeConfigs.qwen3, ...madeConfigs.gpt2 })),
      value,
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(madeConfigs)), fields, (config, changed) => {
        expect(code({ ...config, ...changed })).toMatch(/^(taken|MOD_FILE_INVALID|MOD_CONFIG_UNSUPPORTED)$/);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe("an adapter", () => {
  const settings: AdapterSettings = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "up_proj"] };
  const shape = parseModelConfig(new TextEncoder().encode(JSON.stringify(madeConfigs.qwen3)));
  const layout = adapterLayout(shape, settings);
  const memory = (files: Iterable<[string, Uint8Array]>): FileSource => {
    const map = new Map(files);
    return { name: "memory", open: async (name) => (map.has(name) ? bytesSource(map.get(name)!) : null) };
  };
  const arena = Float32Array.from({ length: layout.floatCount + 16 }, (_, i) => Math.fround(Math.sin(i)));
  const files = encodeAdapter(shape, layout, arena, 16, "base");

  it("is written and read as PEFT names it", async () => {
    const source = memory(files);
    const read = await readAdapterSettings(source);
    expect(read).toEqual({ ...settings, targets: [...settings.targets].sort() });
    const again = new Float32Array(layout.floatCount);
    await readAdapter(source, shape, layout, again, 0);
    for (const { a, b, inputs, outputs } of layout.parts) {
      for (const [offset, count] of [
        [a, inputs * 4],
        [b, outputs * 4],
      ] as const)
        expect(again.slice(offset, offset + count)).toEqual(arena.slice(16 + offset, 16 + offset + count));
    }
    const entries = await readTensorEntries(bytesSource(files[1]![1]));
    const name = "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight";
    expect(entries.get(name)?.shape).toEqual([32, 4]);
    expect(entries.get(name.replace("lora_B", "lora_A"))?.shape).toEqual([4, 32]);
  });

  it("is refused where it is not LoRA, or does something else", async () => {
    const config = JSON.parse(new TextDecoder().decode(files[0]![1])) as object;
    const read = (changed: unknown) =>
      codeOf(
        readAdapterSettings(
          memory([["adapter_config.json", new TextEncoder().encode(JSON.stringify(changed))]]),
        ),
      );
    for (const change of [
      { peft_type: "IA3" },
      { r: 0 },
      { r: 1e9 },
      { lora_alpha: "16" },
      { bias: "all" },
      { use_dora: "yes" },
      { modules_to_save: ["lm_head"] },
      { rank_pattern: { q_proj: 0 } },
      { target_modules: "all-linear" },
      { target_modules: [] },
    ])
      expect(await read({ ...config, ...change }), JSON.stringify(change)).toBe("MOD_FILE_INVALID");
    expect(await read(null)).toBe("MOD_FILE_INVALID");
    expect(await codeOf(readAdapterSettings(memory([])))).toBe("MOD_SOURCE_UNREADABLE");
  });

  it("is refused on a base that it was not made for", async () => {
    const other = parseModelConfig(new TextEncoder().encode(JSON.stringify(madeConfigs.llama)));
    const wrong = adapterLayout(other, settings);
    const into = new Float32Array(wrong.floatCount);
    expect(await codeOf(readAdapter(memory(files), other, wrong, into, 0))).toBe("MOD_FILE_INVALID");
    const wider = adapterLayout(shape, { ...settings, targets: ["q_proj"] });
    expect(await codeOf(readAdapter(memory(files), shape, wider, into, 0))).toBe("MOD_FILE_INVALID");
    for (const targets of [["c_attn"], ["nothing"], ["__proto__"], ["constructor"]])
      expect(() => adapterLayout(shape, { ...settings, targets: targets as never })).toThrow(
        expect.objectContaining({
          code: "MOD_FILE_INVALID",
          data: expect.objectContaining({ reason: "adapter-invalid" }),
        }),
      );
  });
});

describe("loading", () => {
  it("refuses more tokens than the model has positions, and more threads than there is room for", async () => {
    const opened = await openModel(folderSource(join(folder, "whole")));
    for (const maxRows of [0, 65, 1.5, Number.NaN])
      expect(await codeOf(loadModel(opened, { kernels: "wasm", maxRows, isTraining: false }))).toBe(
        "MOD_INPUT_INVALID",
      );
    for (const threadCount of [0, 16, 1.5]) {
      const options = { kernels: "wasm", maxRows: 8, isTraining: false, threadCount } as const;
      expect(await codeOf(loadModel(opened, options))).toBe("MOD_INPUT_INVALID");
    }
    await opened.close();
  });
});
