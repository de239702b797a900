/**
 * Weights of a published model in safetensors, in one file or in shards with their index, and how a tensor gets into an arena. load-model.ts
 * opens decoders by it, models/engine/encoders/ encoders.
 */
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { modelError } from "../../model-errors.ts";
import type { Place } from "../kernels/kernels.ts";
import { type ByteSource, type FileSource, readWhole, unreadable } from "./byte-source.ts";
import { floatBytes } from "./float-formats.ts";
import { readFloats, readTensorEntries, type TensorEntry } from "./safetensors.ts";
import type { TensorTarget } from "./tensor-targets.ts";
import type { WeightEntry } from "./weight-entry.ts";

/** Bound on a stranger's index: published ones of shards have some hundred kB. */
const MAX_INDEX_BYTES = 16 * 2 ** 20;
const MAX_SHARDS = 1_000;
/** Numbers that are read at a time. */
export const CHUNK = 2 ** 20;

export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";
export const GGUF_FILE = "model.gguf";
const FLOAT_TYPES = Object.keys(floatBytes);

export interface Weights {
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /** Types of the tensors that are no numbers which are read, by name. */
  readonly others: ReadonlyMap<string, string>;
  /** Types that are read. */
  readonly types: readonly string[];
}

/**
 * Opens model.safetensors, or the shards that the index names.
 *
 * @param opened files that the caller closes
 * @throws RollupError MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE, MOD_TOO_LARGE
 */
export async function openShards(source: FileSource, opened: ByteSource[]): Promise<Weights> {
  const others = new Map<string, string>();
  const onOther = (name: string, type: string) => void others.set(name, type);
  const single = await source.open(SINGLE_FILE);
  if (single !== null) {
    opened.push(single);
    return { entries: weightEntries(await readTensorEntries(single, onOther)), others, types: FLOAT_TYPES };
  }
  const index = await readWhole(source, INDEX_FILE, MAX_INDEX_BYTES);
  if (index === null)
    throw unreadable(source.name, `there is neither ${SINGLE_FILE} nor ${INDEX_FILE} nor ${GGUF_FILE}`);
  const entries = new Map<string, TensorEntry>();
  for (const file of shardNames(index)) {
    const shard = await source.open(file);
    if (shard === null) throw unreadable(`${source.name}/${file}`, "there is no such file");
    opened.push(shard);
    for (const [name, entry] of await readTensorEntries(shard, onOther)) {
      if (entries.has(name)) throw invalidIndex(`two shards have ${name}`);
      entries.set(name, entry);
    }
  }
  return { entries: weightEntries(entries), others, types: FLOAT_TYPES };
}

const weightEntries = (entries: ReadonlyMap<string, TensorEntry>): Map<string, WeightEntry> =>
  new Map(
    Array.from(entries, ([key, entry]) => {
      const { name, shape } = entry;
      return [key, { name, shape, read: (first, count) => readFloats(entry, first, count) }];
    }),
  );

/** Names of files in the same folder: an index cannot lead anywhere else. */
function shardNames(index: Uint8Array): string[] {
  let map: unknown;
  try {
    ({ weight_map: map } = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(index)) as never);
  } catch (cause) {
    throw invalidIndex("it is no JSON", cause);
  }
  if (typeof map !== "object" || map === null) throw invalidIndex("it has no weight_map");
  const names = [...new Set<unknown>(Object.values(map))];
  if (names.length === 0 || names.length > MAX_SHARDS) throw invalidIndex(`it names ${names.length} shards`);
  return names.map((name) => {
    if (typeof name !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\.safetensors$/.test(name))
      throw invalidIndex("a shard's name is not that of a file in the folder");
    return name;
  });
}

function invalidIndex(reason: string, cause?: unknown) {
  return modelError("MOD_FILE_INVALID", `${INDEX_FILE}: ${reason}`, {
    data: { name: INDEX_FILE, reason },
    cause,
  });
}

/** Reads a tensor's numbers into the arena, at its target's offset from `start`. */
export async function copyTensor(
  entry: WeightEntry,
  target: TensorTarget,
  arena: Float32Array,
  start: Place,
): Promise<void> {
  const columns = target.shape.at(-1)!;
  const rows = target.shape.length === 1 ? 1 : target.shape[0]!;
  const rowsAtOnce = Math.max(1, Math.floor(CHUNK / columns));
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const values = await entry.read(first * columns, count * columns);
    const at = start + target.at + first * target.rowStride;
    if (target.columnStride === 1) {
      for (let row = 0; row < count; row++)
        arena.set(values.subarray(row * columns, (row + 1) * columns), at + row * target.rowStride);
      continue;
    }
    for (let column = 0; column < columns; column++) {
      const to = at + column * target.columnStride;
      for (let row = 0; row < count; row++) arena[to + row] = values[row * columns + column]!;
    }
  }
}
