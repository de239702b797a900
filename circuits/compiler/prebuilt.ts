/**
 * Compiled circuits that the repository holds, so that a fresh clone need not compile them: one file for each,
 * named by the circuit and its content hash. Nobody has to trust them: `openledger verify` compiles, and so
 * does `npx tsx scripts/prebuild.ts --check`, which compares every byte. compile.ts unpacks them.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import { ColumnReader, ColumnWriter } from "./byte-columns.ts";
import { FieldConstants, readElements, type SharedConstants } from "./field-constants.ts";
import { packR1cs, unpackR1cs } from "./pack-r1cs.ts";
import { packSym, unpackSym } from "./pack-sym.ts";
import { packWasm, unpackWasm } from "./pack-wasm.ts";

export const prebuiltFolder = fileURLToPath(new URL("../prebuilt", import.meta.url));
const SHARED_FILE = "shared.constants";
const LENGTH_BYTES = 4;
const R1CS_COLUMNS = 6;
const WASM_COLUMNS = 9;

/** A file of the compiler's output. */
interface FileMark {
  readonly byteCount: number;
  readonly sha256: string;
}

/** Header of a prebuilt file: JSON at its beginning. */
export interface PrebuiltHeader {
  readonly name: string;
  readonly contentHash: string;
  readonly mainSource: string;
  readonly constraintCounts: { readonly nonLinear: number; readonly linear: number };
  readonly wireCount: number;
  readonly publicCount: number;
  readonly r1cs: FileMark;
  readonly wasm: FileMark;
  /** Symbol file, only for circuits whose symbols are needed. */
  readonly sym?: FileMark;
  /** sha256 of the shared constants that the file was packed with. */
  readonly sharedSha256: string;
  readonly bodyBytes: number;
}

/** Entry folders of the cache and prebuilt files have the same names. */
export const entryName = (name: string, contentHash: string) => `${name}-${contentHash.slice(0, 24)}`;

export const prebuiltPath = (name: string, contentHash: string, folder = prebuiltFolder) =>
  join(folder, `${entryName(name, contentHash)}.circuit`);

/** @returns null if there is no such file @throws RollupError CIR_PREBUILT_DAMAGED */
export function readPrebuiltHeader(path: string): PrebuiltHeader | null {
  if (!existsSync(path)) return null;
  try {
    return splitFile(readFileSync(path)).header;
  } catch (cause) {
    throw damaged(path, "its header cannot be read", cause);
  }
}

/**
 * The compiler's files of an entry as one. @throws Error if unpacking would not give the same bytes
 * @param sym null for a circuit whose symbols nobody needs
 */
export function packCircuit(
  about: Pick<
    PrebuiltHeader,
    "name" | "contentHash" | "mainSource" | "constraintCounts" | "wireCount" | "publicCount"
  >,
  files: { readonly r1cs: Buffer; readonly wasm: Buffer; readonly sym: Buffer | null },
  folder = prebuiltFolder,
): Buffer {
  const shared = readShared(folder);
  const field = new FieldConstants(shared);
  const columns = [...packWasm(files.wasm, field), ...packR1cs(files.r1cs, field)];
  const body = compress(joinColumns([field.own, ...columns]));
  const symbols = files.sym === null ? Buffer.alloc(0) : compress(joinColumns(packSym(files.sym)));
  const header: PrebuiltHeader = {
    ...about,
    r1cs: markOf(files.r1cs),
    wasm: markOf(files.wasm),
    ...(files.sym === null ? {} : { sym: markOf(files.sym) }),
    sharedSha256: shared.sha256,
    bodyBytes: body.length,
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  const packed = Buffer.concat([length, text, body, symbols]);
  // A file that cannot be unpacked is noticed here, not in a clone.
  unpackFiles(packed, about.name, files.sym !== null, folder);
  return packed;
}

/**
 * Writes an entry's files, as the compiler would have, into `buildDir`.
 * @returns false where there is no prebuilt file, or it lacks the symbols that are asked for
 * @throws RollupError CIR_PREBUILT_DAMAGED
 */
export async function unpackPrebuilt(
  circuit: { readonly name: string; readonly contentHash: string; readonly keepSym: boolean },
  buildDir: string,
  folder = prebuiltFolder,
): Promise<boolean> {
  const path = prebuiltPath(circuit.name, circuit.contentHash, folder);
  const header = readPrebuiltHeader(path);
  if (header === null || (circuit.keepSym && header.sym === undefined)) return false;
  if (header.contentHash !== circuit.contentHash) throw damaged(path, "it is of another circuit");
  const { r1cs, sym, wasm } = unpackFiles(await readFile(path), path, circuit.keepSym, folder);
  const { constraintCounts, contentHash, mainSource, name, publicCount, wireCount } = header;
  const meta = { name, contentHash, constraintCounts, wireCount, publicCount };
  await Promise.all([
    writeFile(join(buildDir, "circuit.circom"), mainSource),
    writeFile(join(buildDir, "circuit.r1cs"), r1cs),
    writeFile(join(buildDir, "circuit.wasm"), wasm),
    ...(sym === null ? [] : [writeFile(join(buildDir, "circuit.sym"), sym)]),
    writeFile(join(buildDir, "meta.json"), `${JSON.stringify(meta, null, 2)}\n`),
  ]);
  return true;
}

/**
 * Unpacks all files and compares their bytes with the header's hashes. @throws RollupError
 * CIR_PREBUILT_DAMAGED
 */
function unpackFiles(packed: Buffer, path: string, withSym: boolean, folder: string) {
  const expect = (what: string, bytes: Buffer, mark: FileMark) => {
    if (sha256(bytes) !== mark.sha256) throw damaged(path, `its ${what} has another hash`);
    return bytes;
  };
  const shared = readShared(folder);
  try {
    const { body, header, symbols } = splitFile(packed);
    if (header.sharedSha256 !== shared.sha256)
      throw damaged(path, `${SHARED_FILE} is not what it was packed with`);
    const [own, ...columns] = splitColumns(decompress(body));
    const field = new FieldConstants(shared, own);
    const wasmColumns = columns.slice(0, WASM_COLUMNS);
    const r1csColumns = columns.slice(WASM_COLUMNS, WASM_COLUMNS + R1CS_COLUMNS);
    return {
      wasm: expect("wasm", unpackWasm(wasmColumns, header.wasm.byteCount, field), header.wasm),
      r1cs: expect("r1cs", unpackR1cs(r1csColumns, header.r1cs.byteCount, field), header.r1cs),
      sym:
        withSym && header.sym !== undefined
          ? expect("sym", unpackSym(splitColumns(decompress(symbols))), header.sym)
          : null,
    };
  } catch (cause) {
    if (cause instanceof RollupError) throw cause;
    throw damaged(path, "it cannot be unpacked", cause);
  }
}

function splitFile(packed: Buffer): { header: PrebuiltHeader; body: Buffer; symbols: Buffer } {
  const headerEnd = LENGTH_BYTES + packed.readUInt32LE(0);
  const header = JSON.parse(packed.toString("utf8", LENGTH_BYTES, headerEnd)) as PrebuiltHeader;
  const bodyEnd = headerEnd + header.bodyBytes;
  return { header, body: packed.subarray(headerEnd, bodyEnd), symbols: packed.subarray(bodyEnd) };
}

function joinColumns(columns: readonly Uint8Array[]): Buffer {
  const lengths = new ColumnWriter();
  lengths.unsigned(columns.length);
  for (const column of columns) lengths.unsigned(column.length);
  return Buffer.concat([lengths.take(), ...columns]);
}

function splitColumns(bytes: Buffer): Uint8Array[] {
  const reader = new ColumnReader(bytes);
  const lengths = Array.from({ length: reader.unsigned() }, () => reader.unsigned());
  return lengths.map((length) => reader.raw(length));
}

/**
 * Field constants that many circuits hold: a fixed dictionary of the format, as Brotli has one of words. A circuit's
 * own constants are in its own file. Two columns: values of 32 bytes, and after each the id that most often follows
 * it.
 */
const sharedOf = new Map<string, SharedConstants & { readonly sha256: string }>();

function readShared(folder: string): SharedConstants & { readonly sha256: string } {
  const known = sharedOf.get(folder);
  if (known !== undefined) return known;
  const path = join(folder, SHARED_FILE);
  try {
    const file = readFileSync(path);
    const [values, fullNodes] = splitColumns(decompress(file));
    const column = new ColumnReader(fullNodes!);
    const shared = {
      values: readElements(values!),
      fullNodes: Array.from({ length: values!.length / 32 }, (_, id) => id + 1 + column.signed()),
      montgomery: [],
      sha256: sha256(file),
    };
    sharedOf.set(folder, shared);
    return shared;
  } catch (cause) {
    throw damaged(path, "it cannot be read", cause);
  }
}

const markOf = (bytes: Buffer): FileMark => ({ byteCount: bytes.length, sha256: sha256(bytes) });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function compress(bytes: Uint8Array): Buffer {
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

const decompress = (bytes: Uint8Array) => brotliDecompressSync(bytes);

function damaged(path: string, reason: string, cause?: unknown): RollupError {
  return circuitError(
    "CIR_PREBUILT_DAMAGED",
    `${path} is damaged: ${reason}. Restore it with git checkout, or delete it: the circuit is compiled then.`,
    { data: { path, reason }, cause },
  );
}
