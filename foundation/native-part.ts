/**
 * Loads what prover/native/build.js has made: addons in C++, each with a record of its sources beside it. An addon of other sources
 * fails somewhere in a call, or computes other bytes, so it is refused.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { processErrors } from "./error-table.ts";

/** Export of each addon. */
export interface NativePart {
  /** Names of the kernels that this processor can run, whether the addon has them or not. */
  processorKernels(): string[];
}

/** Content of build.json. */
interface BuildRecord {
  /** Kernels by name, the fastest first: whether they were built. */
  readonly kernels: Readonly<Record<string, boolean>>;
  /** Path from the record's folder, bytes, time of the last change in milliseconds, start of the content's SHA-256. */
  readonly sources: readonly (readonly [path: string, size: number, mtimeMs: number, hash: string])[];
}

/** Addons by path: each thread checks one once. */
const loaded = new Map<string, NativePart>();

/**
 * Loads an addon by its path. Compares sizes and times of its sources, and reads those alone that have another time: a copy of a
 * checkout stays good.
 *
 * @throws RollupError SRV_NATIVE_STALE if a source has changed since the build, or the build left out this processor's fastest kernels
 * @throws Error as `require` does, if there is no such addon
 */
export function loadNativePart<Addon extends NativePart>(path: string): Addon {
  const known = loaded.get(path);
  if (known !== undefined) return known as Addon;
  const record = existsSync(path) ? readRecord(path) : null;
  const addon = createRequire(import.meta.url)(path) as Addon;
  if (record !== null) requireKernels(path, record, addon);
  loaded.set(path, addon);
  return addon;
}

function readRecord(path: string): BuildRecord {
  let record: BuildRecord;
  try {
    record = JSON.parse(readFileSync(join(dirname(path), "build.json"), "utf8")) as BuildRecord;
  } catch (cause) {
    throw stale(path, "has no record of its sources", {}, cause);
  }
  for (const [source, size, mtimeMs, hash] of record.sources) {
    const file = join(dirname(path), source);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.size === size && stats.mtimeMs === mtimeMs) continue;
    if (
      stats?.size !== size ||
      !createHash("sha256").update(readFileSync(file)).digest("hex").startsWith(hash)
    )
      throw stale(path, `was built before ${file} changed`, { source: file });
  }
  return record;
}

function requireKernels(path: string, { kernels }: BuildRecord, addon: NativePart): void {
  const ofProcessor = addon.processorKernels();
  const fastest = Object.keys(kernels).find((name) => ofProcessor.includes(name));
  if (fastest !== undefined && !kernels[fastest])
    throw stale(path, `was built without ${fastest}, this processor's fastest kernels`, { kernels: fastest });
}

const stale = (path: string, reason: string, data: object, cause?: unknown) =>
  processErrors.raise("SRV_NATIVE_STALE", `${path} ${reason}: run \`node prover/native/build.js\``, {
    data: { path, ...data },
    cause,
  });
