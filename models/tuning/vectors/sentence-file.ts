/**
 * A published sentence encoder as one file, which a recipe names by SHA-256 as it names word vectors: places, servers, gateways and pages
 * hand it out in the same ways. `openledger models vectors --add` makes it, question-encoder.ts reads it.
 *
 * Bytes: the mark `opensen1`, the header's length as uint32, little-endian, the header as JSON (form and files), the files one after
 * another, as they were published.
 */
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { z } from "zod";
import {
  openSentenceEncoder,
  readEncoderPlan,
  type SentenceEncoder,
} from "../../engine/encoders/sentence-encoder.ts";
import { readSentenceForm, sentenceFormSchema } from "../../engine/encoders/sentence-form.ts";
import { type ByteSource, type FileSource, readWhole, unreadable } from "../../engine/files/byte-source.ts";
import { readConfig } from "../../engine/files/config-fields.ts";
import { MAX_CONFIG_BYTES } from "../../engine/files/load-model.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import { SINGLE_FILE } from "../../engine/files/open-shards.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import { modelError } from "../../model-errors.ts";
import { baseFileNames } from "../recipe/base-files.ts";
import { MAX_ENCODER_BYTES } from "../retrieval/row-index.ts";

const MARK = new TextEncoder().encode("opensen1");
const PREFIX_BYTES = 12;
const MAX_HEADER_BYTES = 2 ** 20;
const MAX_FILES = 1_000;
/** Files that no encoder is computed by. */
const OTHERS: readonly string[] = ["model.gguf", "chat_template.jinja"];

const headerSchema = z.strictObject({
  form: sentenceFormSchema,
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/),
        sizeBytes: z.int().min(1).max(MAX_ENCODER_BYTES),
      }),
    )
    .min(2)
    .max(MAX_FILES),
});

/**
 * Makes the file of a published encoder, once its config, form and sizes were checked: the same bytes of the same files.
 * @throws RollupError MOD_SOURCE_UNREADABLE, MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE
 */
export async function packSentenceEncoder(source: FileSource): Promise<Uint8Array> {
  const form = await readSentenceForm(source, await readEncoderPlan(source));
  const opened: { readonly name: string; readonly file: ByteSource }[] = [];
  try {
    for (const name of new Set(await baseFileNames(source))) {
      const file = OTHERS.includes(name) ? null : await source.open(name);
      if (file !== null) opened.push({ name, file });
    }
    if (!opened.some(({ name }) => name.endsWith(".safetensors")))
      throw unreadable(`${source.name}/${SINGLE_FILE}`, "there is no such file");
    const files = opened.map(({ file, name }) => ({ name, sizeBytes: file.byteLength }));
    const header = new TextEncoder().encode(JSON.stringify({ form, files }));
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, PREFIX_BYTES + header.length);
    if (sizeBytes > MAX_ENCODER_BYTES)
      throw modelError(
        "MOD_TOO_LARGE",
        `the encoder has ${sizeBytes} bytes, at most ${MAX_ENCODER_BYTES} are read`,
        { data: { sizeBytes, maxBytes: MAX_ENCODER_BYTES } },
      );
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(MARK);
    new DataView(bytes.buffer).setUint32(MARK.length, header.length, true);
    bytes.set(header, PREFIX_BYTES);
    let at = PREFIX_BYTES + header.length;
    for (const { file } of opened) {
      bytes.set(await file.read(0, file.byteLength), at);
      at += file.byteLength;
    }
    return bytes;
  } finally {
    for (const { file } of opened) await file.close();
  }
}

/** Returns whether a folder has a static encoder: of Model2Vec, or without a config. @throws as `packSentenceEncoder` */
export async function isStaticEncoder(source: FileSource): Promise<boolean> {
  const config = await readWhole(source, "config.json", MAX_CONFIG_BYTES);
  if (config === null) return true;
  const { model_type: type = "model2vec" } = (readConfig(config) ?? {}) as { readonly model_type?: unknown };
  return type === "model2vec";
}

/**
 * Opens an encoder by its file. Its vectors are as long as they come: questions are compared by angles, and a length is a root.
 * @throws RollupError MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE
 */
export async function openSentenceFile(bytes: Uint8Array, kernels: KernelChoice): Promise<SentenceEncoder> {
  const { files, form } = unpacked(bytes);
  const source = memorySource("the sentence encoder", files);
  return openSentenceEncoder(source, { kernels, form: { ...form, isNormalised: false } });
}

function unpacked(bytes: Uint8Array) {
  if (bytes.length < PREFIX_BYTES || MARK.some((byte, at) => bytes[at] !== byte))
    throw invalid("it does not begin with the mark opensen1");
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MARK.length, true);
  let at = PREFIX_BYTES + headerLength;
  if (headerLength > MAX_HEADER_BYTES || at > bytes.length)
    throw invalid(`its header has ${headerLength} bytes`);
  let header: z.output<typeof headerSchema>;
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, at));
    header = headerSchema.parse(parseStrictJson(json));
  } catch (cause) {
    throw invalid((cause as Error).message.slice(0, 200), cause);
  }
  const files = new Map<string, Uint8Array>();
  for (const { name, sizeBytes } of header.files) {
    if (files.has(name)) throw invalid(`it has ${name} twice`);
    files.set(name, bytes.subarray(at, at + sizeBytes));
    at += sizeBytes;
  }
  if (at !== bytes.length) throw invalid(`it has ${bytes.length} bytes, and its files end at ${at}`);
  return { files, form: header.form };
}

const invalid = (reason: string, cause?: unknown) =>
  modelError("MOD_FILE_INVALID", `the sentence encoder's file is refused: ${reason}`, {
    data: { reason },
    cause,
  });
