/** Tests of sentence encoders as one file: the same bytes of the same files, and what is refused. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import type { FileSource } from "../../engine/files/byte-source.ts";
import { folderSource } from "../../engine/files/folder-source.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import { testKernels } from "../../testing/test-kernels.ts";
import { isStaticEncoder, openSentenceFile, packSentenceEncoder } from "./sentence-file.ts";

const ENCODERS = fileURLToPath(new URL("../../testing/encoders/", import.meta.url));
const fixtures = JSON.parse(readFileSync(`${ENCODERS}sentence-encoders.json`, "utf8")) as {
  readonly bert: readonly { readonly text: string; readonly mean: readonly number[] }[];
  readonly qwen3: readonly { readonly text: string; readonly question: readonly number[] }[];
};
const code = (name: string) => expect.objectContaining({ code: name });

const cosine = (a: ArrayLike<number>, b: readonly number[]) => {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Array.from(x).reduce((sum, value, k) => sum + value * y[k]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

it("is read to the vectors of the published folder, up to their length", async () => {
  const bert = await openSentenceFile(
    await packSentenceEncoder(folderSource(`${ENCODERS}bert`)),
    testKernels,
  );
  for (const { mean, text } of fixtures.bert)
    expect(cosine(bert.encodeQuestion(text).components, mean), text).toBeGreaterThan(1 - 1e-9);
  const packed = await packSentenceEncoder(folderSource(`${ENCODERS}qwen3`));
  expect(await packSentenceEncoder(folderSource(`${ENCODERS}qwen3`))).toEqual(packed);
  const qwen3 = await openSentenceFile(packed, testKernels);
  for (const { question, text } of fixtures.qwen3)
    expect(cosine(qwen3.encodeQuestion(text).components, question), text).toBeGreaterThan(1 - 1e-9);
});

it("is made of no folder without weights or without a form, and of none that is too large", async () => {
  const source = folderSource(`${ENCODERS}bert`);
  const without = (name: string): FileSource => ({
    name: "tiny",
    open: async (file) => (file === name ? null : source.open(file)),
  });
  for (const name of ["model.safetensors", "modules.json", "config.json"])
    await expect(packSentenceEncoder(without(name)), name).rejects.toThrow(code("MOD_SOURCE_UNREADABLE"));
  const large: FileSource = {
    name: "large",
    async open(file) {
      const own = await source.open(file);
      // Nothing of it is read.
      return file === "model.safetensors" ? { ...own!, byteLength: 2 ** 31 } : own;
    },
  };
  await expect(packSentenceEncoder(large)).rejects.toThrow(code("MOD_TOO_LARGE"));
});

it("is refused where its header or its files do not fit", async () => {
  const bytes = await packSentenceEncoder(folderSource(`${ENCODERS}bert`));
  const length = new DataView(bytes.buffer).getUint32(8, true);
  const header = JSON.parse(Buffer.from(bytes.subarray(12, 12 + length)).toString());
  const files = bytes.subarray(12 + length);
  const withHeader = (changed: object | string, body = files) => {
    const json = Buffer.from(typeof changed === "string" ? changed : JSON.stringify(changed));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(json.length);
    return new Uint8Array(Buffer.concat([Buffer.from("opensen1"), size, json, body]));
  };
  await expect(openSentenceFile(withHeader(header), testKernels)).resolves.toMatchObject({ dimensions: 32 });
  const [first] = header.files;
  for (const damaged of [
    new Uint8Array(4),
    bytes.map((byte, k) => (k === 0 ? byte ^ 1 : byte)),
    bytes.map((byte, k) => (k === 11 ? 255 : byte)),
    bytes.subarray(0, -1),
    withHeader(header, Buffer.concat([files, Buffer.alloc(1)])),
    withHeader("{"),
    withHeader({ ...header, more: 1 }),
    withHeader({ ...header, form: { ...header.form, pooling: "max" } }),
    withHeader({ ...header, form: { ...header.form, maxTokens: 2_000 } }),
    withHeader({ ...header, files: [{ ...first, name: "../config.json" }, ...header.files.slice(1)] }),
    withHeader({ ...header, files: [first, { ...first, sizeBytes: files.length - first.sizeBytes }] }),
  ])
    await expect(openSentenceFile(damaged, testKernels)).rejects.toThrow(code("MOD_FILE_INVALID"));
});

it("is told from a static encoder by its config", async () => {
  const config = (value: object) =>
    memorySource("one", new Map([["config.json", Buffer.from(JSON.stringify(value))]]));
  expect(await isStaticEncoder(memorySource("none", new Map()))).toBe(true);
  expect(await isStaticEncoder(config({ model_type: "model2vec" }))).toBe(true);
  expect(await isStaticEncoder(config({ architectures: ["StaticModel"] }))).toBe(true);
  expect(await isStaticEncoder(config({ model_type: "bert" }))).toBe(false);
  expect(await isStaticEncoder(config({ model_type: "xlm-roberta" }))).toBe(false);
});
