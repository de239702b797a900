/**
 * The safetensors format: eight bytes with the header's length, the header as JSON, the tensors' bytes. Models and
 * adapters are read and written by it. Everything is checked before anything is allocated by it, since such files come
 * from strangers.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { modelError } from "../../model-errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { decodeFloats, type FloatType, floatBytes, toHalves } from "./float-formats.ts";

/** A header of 10,000 tensors takes one MiB. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
/** Dimensions of a tensor; weights have one or two. */
const MAX_DIMENSIONS = 8;
/** Characters of a tensor's name. */
const MAX_NAME_LENGTH = 512;
/** Other types are passed over: masks and counters that some files carry. Of types that are not listed no size is known. */
const otherBytes: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  C64: 8,
};

export interface TensorEntry {
  readonly name: string;
  readonly type: FloatType;
  readonly shape: readonly number[];
  /** Offset in the file, in bytes. */
  readonly at: number;
  readonly source: ByteSource;
}

/**
 * The floats of a file by their names.
 *
 * @param onOther told the name and type of each tensor that is passed over
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
 */
export async function readTensorEntries(
  source: ByteSource,
  onOther: (name: string, type: string) => void = () => {},
): Promise<Map<string, TensorEntry>> {
  if (source.byteLength < 10) throw invalid(source, "it is too short for a header");
  const start = await source.read(0, 8);
  const headerLength = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (headerLength > BigInt(MAX_HEADER_BYTES)) throw invalid(source, `its header has ${headerLength} bytes`);
  const dataAt = 8 + Number(headerLength);
  if (dataAt > source.byteLength) throw invalid(source, "it ends within the header");
  const header = parseHeader(source, await source.read(8, Number(headerLength)));
  const dataLength = source.byteLength - dataAt;
  const spans: { from: number; to: number; name: string }[] = [];
  const entries = new Map<string, TensorEntry>();
  for (const [name, described] of Object.entries(header)) {
    if (name === "__metadata__") {
      requireTexts(source, described);
      continue;
    }
    const { dtype, from, shape, to } = checkEntry(source, name, described, dataLength);
    spans.push({ from, to, name });
    if (Object.hasOwn(floatBytes, dtype))
      entries.set(name, { name, type: dtype as FloatType, shape, at: dataAt + from, source });
    else onOther(name, dtype);
  }
  spans.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const { from, name, to } of spans) {
    if (from !== end) throw invalid(source, `${name} begins at ${from}, the one before it ends at ${end}`);
    end = to;
  }
  if (end !== dataLength) throw invalid(source, `its tensors end at ${end}, its data at ${dataLength}`);
  return entries;
}

function parseHeader(source: ByteSource, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid(source, `its header is no JSON: ${(cause as Error).message.slice(0, 100)}`, cause);
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw invalid(source, "its header is no object");
  return header as Record<string, unknown>;
}

interface CheckedEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(source: ByteSource, name: string, described: unknown, dataLength: number): CheckedEntry {
  const { data_offsets: offsets, dtype, shape } = (described ?? {}) as Record<string, unknown>;
  if (name.length > MAX_NAME_LENGTH) throw invalid(source, "a tensor's name is too long");
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw invalid(source, `${name} has no two offsets`);
  const [from, to] = offsets as [number, number];
  if (from > to || to > dataLength) throw invalid(source, `${name} is outside the data`);
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS || !shape.every(isSize))
    throw invalid(source, `${name} has no shape`);
  const sizes: Readonly<Record<string, number>> = { ...floatBytes, ...otherBytes };
  if (typeof dtype !== "string" || !/^[A-Z][A-Z0-9_]{0,15}$/.test(dtype))
    throw invalid(source, `${name} has no type`);
  const checked = { dtype, shape: shape as number[], from, to };
  if (!Object.hasOwn(sizes, dtype)) return checked;
  // bigint: a product of large sizes is not exact as a number.
  const byteLength = (shape as number[]).reduce(
    (product, size) => product * BigInt(size),
    BigInt(sizes[dtype]!),
  );
  if (byteLength !== BigInt(to - from))
    throw invalid(source, `${name} has ${to - from} bytes, its shape ${byteLength}`);
  return checked;
}

function requireTexts(source: ByteSource, metadata: unknown): void {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    throw invalid(source, "its __metadata__ is no object");
  const wrong = Object.entries(metadata).find(([, value]) => typeof value !== "string");
  if (wrong !== undefined) throw invalid(source, `${wrong[0]} of its __metadata__ is no text`);
}

function invalid(source: ByteSource, reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `${source.name} is no safetensors file: ${reason}`, {
    data: { name: source.name, reason },
    cause,
  });
}

/** `count` numbers of a tensor from number `first` on. @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE */
export async function readFloats(
  { at, name, source, type }: TensorEntry,
  first: number,
  count: number,
): Promise<Float32Array> {
  const size = floatBytes[type];
  return decodeFloats(await source.read(at + first * size, count * size), type, name, first);
}

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A whole file of 32-bit floats, or of 16-bit ones; tensors in the order of their names. */
export const encodeTensors = (...file: Parameters<typeof tensorParts>): Uint8Array =>
  concatBytes(...tensorParts(...file));

/** The same file in parts, a tensor each: for files above an array's 4 GiB. */
export function* tensorParts(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = { format: "pt" },
  type: "F32" | "F16" = "F32",
): Generator<Uint8Array> {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: metadata };
  const size = floatBytes[type];
  let end = 0;
  for (const { name, shape, values } of sorted) {
    header[name] = { dtype: type, shape, data_offsets: [end, end + size * values.length] };
    end += size * values.length;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  yield length;
  yield json;
  for (const { values } of sorted) {
    const out = new Uint8Array(size * values.length);
    const view = new DataView(out.buffer);
    if (type === "F16") for (const [i, half] of toHalves(values).entries()) view.setUint16(2 * i, half, true);
    else for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
    yield out;
  }
}
