/**
 * Writer of a composed circuit's R1CS file (iden3's binary format): the parts' constraint rows, copied with
 * renamed wires. compose.ts calls it; layout and wires come from compose-layout.ts.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { FIELD_ORDER } from "../protocol.ts";
import { type CompositionLayout, compositionError, type PartShape } from "./compose-layout.ts";
import { type R1csHeader, readFieldElement, readR1cs, readR1csRows } from "./r1cs-reader.ts";

/** `done` and `total` count copies. */
type ComposeProgress = (done: number, total: number) => void;

/** A part's rows without its equalities, indexed for the renaming of wires. */
interface PartRows {
  readonly header: R1csHeader;
  readonly rowCount: number;
  /** The rows as in the file: counts of terms, wires and coefficients, all multiples of four bytes long. */
  readonly words: Uint32Array;
  /** Indices of `words` that hold a wire; `wires` has the wire at each. */
  readonly places: Uint32Array;
  readonly wires: Uint32Array;
}

/**
 * Writes the whole's R1CS file: the rows of every copy with its wires renamed, in order. One copy at a time is in
 * memory, so the size is the disk's matter. Inputs are not told apart from inner wires: there are 0 private inputs.
 *
 * @param path of the file to be
 * @throws RollupError CIR_R1CS_MALFORMED
 */
export function writeComposedR1cs(
  path: string,
  layout: CompositionLayout,
  partFiles: readonly (Pick<PartShape, "equalities"> & { readonly r1csPath: string })[],
  onProgress: ComposeProgress = () => {},
): void {
  const parts = partFiles.map(indexRows);
  const sumOver = (measure: (part: PartRows) => number) =>
    layout.copies.reduce((sum, { part }) => sum + measure(parts[part]!), 0);
  const fd = openSync(path, "w");
  try {
    const write = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    };
    write(
      encodeFileHead(
        layout,
        parts[0]!.header,
        sumOver((part) => part.rowCount),
      ),
    );
    write(
      sectionHead(
        2,
        sumOver((part) => 4 * part.words.length),
      ),
    );
    for (const [i, copy] of layout.copies.entries()) {
      const { header, words, places, wires } = parts[copy.part]!;
      const renamed = wireMap(copy, header.wireCount);
      const out = words.slice();
      for (let k = 0; k < places.length; k++) out[places[k]!] = renamed[wires[k]!]!;
      write(new Uint8Array(out.buffer));
      onProgress(i + 1, layout.copies.length);
    }
    write(sectionHead(3, 8 * layout.wireCount));
    writeIdentity(layout.wireCount, write);
  } finally {
    closeSync(fd);
  }
}

/** Maps each wire of a part to the whole's wire in one copy. */
export function wireMap(copy: CompositionLayout["copies"][number], partWireCount: number): Uint32Array {
  const map = new Uint32Array(partWireCount);
  for (const [i, wire] of copy.ports.entries()) map[1 + i] = wire;
  const firstOwn = 1 + copy.ports.length;
  for (let wire = firstOwn; wire < partWireCount; wire++) map[wire] = copy.firstWire + wire - firstOwn;
  return map;
}

/**
 * Finds a part's rows that only state that two of its first `portCount` wires after the constant are equal.
 */
export function findEqualities(r1csPath: string, portCount: number): PartShape["equalities"] {
  const equalities: { row: number; ports: [number, number] }[] = [];
  const { prime } = readR1cs(r1csPath, (window, a, b, c, row) => {
    if ((a.termCount > 0 && b.termCount > 0) || c.termCount !== 2) return;
    const [x, y] = [c.offset, c.offset + 36].map((at) => ({
      wire: window.readUInt32LE(at),
      coefficient: readFieldElement(window, at + 4, 32),
    })) as [{ wire: number; coefficient: bigint }, { wire: number; coefficient: bigint }];
    const isPort = ({ wire }: { wire: number }) => wire >= 1 && wire <= portCount;
    if (isPort(x) && isPort(y) && (x.coefficient + y.coefficient) % FIELD_ORDER === 0n)
      equalities.push({ row, ports: [x.wire - 1, y.wire - 1] });
  });
  if (prime !== FIELD_ORDER) throw compositionError(`${r1csPath} is over another field`);
  return equalities;
}

/** Reads a part's rows, drops its equalities, and finds the positions of wires. */
function indexRows({ r1csPath, equalities }: { r1csPath: string } & Pick<PartShape, "equalities">): PartRows {
  const { header, bytes } = readR1csRows(r1csPath);
  const all = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const termWords = 1 + header.fieldBytes / 4;
  const dropped = new Set(equalities.map(({ row }) => row));
  // Rows that stay, moved up; then where they have wires.
  const words = new Uint32Array(all.length);
  let filled = 0;
  let termCount = 0;
  for (let at = 0, row = 0; at < all.length; row++) {
    const from = at;
    let rowTerms = 0;
    for (let side = 0; side < 3; side++) {
      rowTerms += all[at]!;
      at += 1 + all[at]! * termWords;
    }
    if (dropped.has(row)) continue;
    words.set(all.subarray(from, at), filled);
    filled += at - from;
    termCount += rowTerms;
  }
  const rowWords = words.slice(0, filled);
  const places = new Uint32Array(termCount);
  for (let at = 0, next = 0; at < filled; ) {
    const end = at + 1 + rowWords[at]! * termWords;
    for (at++; at < end; at += termWords) places[next++] = at;
  }
  const wires = places.map((position) => rowWords[position]!);
  return { header, rowCount: header.constraintCount - dropped.size, words: rowWords, places, wires };
}

/** Encodes the file's head and its first section: field, wire and constraint counts. */
function encodeFileHead(layout: CompositionLayout, header: R1csHeader, constraintCount: number): Buffer {
  const { fieldBytes, prime } = header;
  const bytes = Buffer.alloc(12 + 12 + 4 + fieldBytes + 28);
  bytes.write("r1cs", 0, "latin1");
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(3, 8);
  bytes.set(sectionHead(1, bytes.length - 24), 12);
  bytes.writeUInt32LE(fieldBytes, 24);
  for (let i = 0; i < fieldBytes; i++) bytes[28 + i] = Number((prime >> BigInt(8 * i)) & 0xffn);
  const counts = [layout.wireCount, layout.publicOutputCount, layout.publicInputCount, 0];
  let at = 28 + fieldBytes;
  for (const count of counts) at = bytes.writeUInt32LE(count, at);
  at = bytes.writeBigUInt64LE(BigInt(layout.wireCount), at); // labels: one a wire
  bytes.writeUInt32LE(constraintCount, at);
  return bytes;
}

function sectionHead(id: number, byteCount: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(id, 0);
  bytes.writeBigUInt64LE(BigInt(byteCount), 4);
  return bytes;
}

/** Writes the last section: it labels every wire with its own number. */
function writeIdentity(wireCount: number, write: (bytes: Uint8Array) => void): void {
  const step = 1 << 17;
  for (let from = 0; from < wireCount; from += step) {
    const labels = BigUint64Array.from({ length: Math.min(step, wireCount - from) }, (_, i) =>
      BigInt(from + i),
    );
    write(new Uint8Array(labels.buffer));
  }
}
