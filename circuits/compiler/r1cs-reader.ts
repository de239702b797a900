/**
 * Streaming reader of circom's binary R1CS format
 * (https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md). Files reach gigabytes, more than one
 * Buffer may hold, so the constraints pass through a window.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";

/** The file's first section. Counts of wires include the constant 1. */
export interface R1csHeader {
  /** Bytes of a field element: 32 for BN254. */
  fieldBytes: number;
  prime: bigint;
  wireCount: number;
  publicOutputCount: number;
  publicInputCount: number;
  privateInputCount: number;
  constraintCount: number;
}

/** One linear combination inside the window: `termCount` terms of 4 + fieldBytes bytes from `offset` on. */
export interface R1csTerms {
  termCount: number;
  offset: number;
}

/** Visitor of one constraint. The window is reused, so a visitor must copy what it needs later. */
type ConstraintVisitor = (window: Buffer, a: R1csTerms, b: R1csTerms, c: R1csTerms, index: number) => void;

/** First size of the window, 8 MiB; it grows for a longer constraint. */
const windowBytes = 8 << 20;
/** Section numbers of the format. */
const headerSection = 1;
const constraintSection = 2;

/**
 * Reads the header, then calls `visit` for each constraint in the order of the file.
 * @throws RollupError CIR_R1CS_MALFORMED
 */
export function readR1cs(path: string, visit?: ConstraintVisitor): R1csHeader {
  const fd = openSync(path, "r");
  try {
    const sections = readSections(fd, path);
    const headerAt = sections.get(headerSection);
    const constraintsAt = sections.get(constraintSection);
    if (headerAt === undefined || constraintsAt === undefined) throw malformed(path, "a section is missing");
    const header = readHeader(readExactly(fd, headerAt.position, headerAt.byteCount, path));
    if (visit !== undefined) visitConstraints(fd, path, header, constraintsAt.position, visit);
    return header;
  } finally {
    closeSync(fd);
  }
}

/** Finds a file's section of constraints, for other readers. @throws RollupError CIR_R1CS_MALFORMED */
export function findConstraints(path: string): { readonly position: number; readonly byteCount: number } {
  const fd = openSync(path, "r");
  try {
    const found = readSections(fd, path).get(constraintSection);
    if (found === undefined) throw malformed(path, "a section is missing");
    return found;
  } finally {
    closeSync(fd);
  }
}

/** Constraints of a file that fits into memory, in the file's order. */
interface R1csRows {
  header: R1csHeader;
  bytes: Buffer;
}

/** Reads the header and all constraints at once. @throws RollupError CIR_R1CS_MALFORMED */
export function readR1csRows(path: string): R1csRows {
  const fd = openSync(path, "r");
  try {
    const sections = readSections(fd, path);
    const headerAt = sections.get(headerSection);
    const rowsAt = sections.get(constraintSection);
    if (headerAt === undefined || rowsAt === undefined) throw malformed(path, "a section is missing");
    return {
      header: readHeader(readExactly(fd, headerAt.position, headerAt.byteCount, path)),
      bytes: readExactly(fd, rowsAt.position, rowsAt.byteCount, path),
    };
  } finally {
    closeSync(fd);
  }
}

/** Reads a little-endian unsigned integer of `byteCount` bytes, a multiple of 8. */
export function readFieldElement(bytes: Buffer, offset: number, byteCount: number): bigint {
  let value = 0n;
  for (let at = offset + byteCount - 8; at >= offset; at -= 8)
    value = (value << 64n) | bytes.readBigUInt64LE(at);
  return value;
}

function readSections(fd: number, path: string): Map<number, { position: number; byteCount: number }> {
  const fileBytes = fstatSync(fd).size;
  const start = readExactly(fd, 0, 12, path);
  if (start.toString("latin1", 0, 4) !== "r1cs") throw malformed(path, "the magic number is not r1cs");
  const sections = new Map<number, { position: number; byteCount: number }>();
  let position = 12;
  for (let i = start.readUInt32LE(8); i > 0; i--) {
    const head = readExactly(fd, position, 12, path);
    const byteCount = Number(head.readBigUInt64LE(4));
    sections.set(head.readUInt32LE(0), { position: position + 12, byteCount });
    position += 12 + byteCount;
    if (position > fileBytes) throw malformed(path, "a section reaches past the end of the file");
  }
  return sections;
}

function readHeader(bytes: Buffer): R1csHeader {
  const fieldBytes = bytes.readUInt32LE(0);
  const at = 4 + fieldBytes;
  return {
    fieldBytes,
    prime: readFieldElement(bytes, 4, fieldBytes),
    wireCount: bytes.readUInt32LE(at),
    publicOutputCount: bytes.readUInt32LE(at + 4),
    publicInputCount: bytes.readUInt32LE(at + 8),
    privateInputCount: bytes.readUInt32LE(at + 12),
    constraintCount: bytes.readUInt32LE(at + 24),
  };
}

function visitConstraints(
  fd: number,
  path: string,
  header: R1csHeader,
  start: number,
  visit: ConstraintVisitor,
): void {
  const termBytes = 4 + header.fieldBytes;
  let window = Buffer.alloc(windowBytes);
  let position = start; // where the window begins in the file
  let filled = readSync(fd, window, 0, window.length, position);

  for (let index = 0; index < header.constraintCount; ) {
    let at = 0;
    // Whole constraints only: a cut one is read again with the next window.
    while (index < header.constraintCount) {
      let end = at;
      const parts: R1csTerms[] = [];
      for (let part = 0; part < 3 && end + 4 <= filled; part++) {
        const termCount = window.readUInt32LE(end);
        parts.push({ termCount, offset: end + 4 });
        end += 4 + termCount * termBytes;
      }
      if (parts.length < 3 || end > filled) break;
      visit(window, parts[0]!, parts[1]!, parts[2]!, index);
      at = end;
      index++;
    }
    if (index === header.constraintCount) return;
    if (at === 0) {
      if (filled < window.length) throw malformed(path, `constraint ${index} is cut off`);
      window = Buffer.alloc(window.length * 2); // one constraint longer than the window
    }
    position += at;
    filled = readSync(fd, window, 0, window.length, position);
  }
}

function readExactly(fd: number, position: number, byteCount: number, path: string): Buffer {
  const bytes = Buffer.alloc(byteCount);
  if (readSync(fd, bytes, 0, byteCount, position) !== byteCount)
    throw malformed(path, "the file is too short");
  return bytes;
}

function malformed(path: string, reason: string): RollupError {
  return circuitError("CIR_R1CS_MALFORMED", `${path} is not a readable R1CS file: ${reason}`, {
    data: { path, reason },
  });
}
