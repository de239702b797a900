/**
 * R1CS file as columns of small numbers. Rows of copies of one template differ in their wires only, by the same
 * amount almost everywhere. So a row is stored as its pattern (how many terms, which coefficients), and its
 * wires as their differences from those of the last row with that pattern. prebuilt.ts stores it.
 */
import { ColumnReader, ColumnWriter } from "./byte-columns.ts";
import type { FieldConstants } from "./field-constants.ts";

const CONSTRAINTS = 2;
const WIRE_LABELS = 3;
const HEAD_BYTES = 12;

/** Packs a file into columns; unpackR1cs reads them in this order. Adds missing constants to `field`. */
export function packR1cs(file: Buffer, field: FieldConstants): Uint8Array[] {
  const head = new ColumnWriter();
  const patterns = new ColumnWriter();
  const patternIds = new ColumnWriter();
  const wires = new ColumnWriter();
  const labels = new ColumnWriter();
  const constants = new ColumnWriter();
  const columns = { patterns, patternIds, wires, constants };
  head.raw(file.subarray(0, HEAD_BYTES));
  let fieldBytes = 32;
  let rowCount = 0;
  const starts: { type: number; at: number; byteCount: number }[] = [];
  for (let at = HEAD_BYTES, i = file.readUInt32LE(8); i > 0; i--) {
    const type = file.readUInt32LE(at);
    const byteCount = Number(file.readBigUInt64LE(at + 4));
    starts.push({ type, at: at + HEAD_BYTES, byteCount });
    at += HEAD_BYTES + byteCount;
    if (type === 1) {
      fieldBytes = file.readUInt32LE(starts.at(-1)!.at);
      rowCount = file.readUInt32LE(starts.at(-1)!.at + 28 + fieldBytes);
    }
  }
  head.unsigned(fieldBytes);
  head.unsigned(rowCount);
  for (const { type, at, byteCount } of starts) {
    head.unsigned(type);
    head.unsigned(byteCount);
    const section = file.subarray(at, at + byteCount);
    if (type === CONSTRAINTS) packRows(section, rowCount, fieldBytes, field, columns);
    else if (type === WIRE_LABELS) packLabels(section, labels);
    else head.raw(section);
  }
  return [head, patterns, patternIds, wires, labels, constants].map((column) => column.take());
}

function packRows(
  rows: Buffer,
  rowCount: number,
  fieldBytes: number,
  field: FieldConstants,
  out: Record<"patterns" | "patternIds" | "wires" | "constants", ColumnWriter>,
): void {
  const termBytes = 4 + fieldBytes;
  const constantIds = new Map<string, number>();
  let nextConstant = 0;
  const known = new Map<string, { id: number; last: Uint32Array }>();
  let at = 0;
  let previousId = 0;
  for (let row = 0; row < rowCount; row++) {
    const shape: number[] = [];
    const rowWires: number[] = [];
    for (let side = 0; side < 3; side++) {
      const termCount = rows.readUInt32LE(at);
      at += 4;
      shape.push(termCount);
      for (let i = 0; i < termCount; i++, at += termBytes) {
        rowWires.push(rows.readUInt32LE(at));
        const bytes = rows.toString("latin1", at + 4, at + termBytes);
        let constant = constantIds.get(bytes);
        if (constant === undefined) {
          constant = constantIds.size;
          constantIds.set(bytes, constant);
          const id = field.signedIdOf(rows.subarray(at + 4, at + termBytes));
          out.constants.signed(id - nextConstant);
          nextConstant = id + 2;
        }
        shape.push(constant);
      }
    }
    const key = shape.join(",");
    let pattern = known.get(key);
    if (pattern === undefined) {
      pattern = { id: known.size, last: new Uint32Array(rowWires.length) };
      known.set(key, pattern);
      // In the form that a reader takes: a count, then so many constants, three times.
      for (let side = 0, next = 0; side < 3; side++) {
        const termCount = shape[next++]!;
        out.patterns.unsigned(termCount);
        for (let i = 0; i < termCount; i++) out.patterns.unsigned(shape[next++]!);
      }
    }
    // Mostly the row after the one before it.
    out.patternIds.signed(pattern.id - previousId);
    previousId = pattern.id + 1;
    let shift = 0;
    const { last } = pattern;
    for (const [i, wire] of rowWires.entries()) {
      if (last[i] === 0) {
        out.wires.unsigned(wire);
      } else {
        const moved = wire - last[i]!;
        out.wires.signed(moved - shift);
        shift = moved;
      }
      last[i] = wire;
    }
  }
}

function packLabels(section: Buffer, out: ColumnWriter): void {
  for (let at = 0, previous = -1; at < section.length; at += 8) {
    const label = Number(section.readBigUInt64LE(at));
    out.signed(label - previous - 1);
    previous = label;
  }
}

/** The file, byte for byte. @param byteCount of the file */
export function unpackR1cs(columns: readonly Uint8Array[], byteCount: number, field: FieldConstants): Buffer {
  const file = Buffer.allocUnsafe(byteCount);
  const [head, patterns, patternIds, wires, labels] = columns.map((bytes) => new ColumnReader(bytes));
  file.set(head!.raw(HEAD_BYTES), 0);
  const fieldBytes = head!.unsigned();
  const rowCount = head!.unsigned();
  const constants = readConstants(new ColumnReader(columns[5]!), fieldBytes, field);
  let at = HEAD_BYTES;
  for (let i = file.readUInt32LE(8); i > 0; i--) {
    const type = head!.unsigned();
    const sectionBytes = head!.unsigned();
    file.writeUInt32LE(type, at);
    file.writeBigUInt64LE(BigInt(sectionBytes), at + 4);
    at += HEAD_BYTES;
    const section = file.subarray(at, at + sectionBytes);
    if (type === CONSTRAINTS)
      unpackRows(
        section,
        rowCount,
        fieldBytes,
        { patterns: patterns!, patternIds: patternIds!, wires: wires! },
        constants,
      );
    else if (type === WIRE_LABELS) unpackLabels(section, labels!);
    else section.set(head!.raw(sectionBytes));
    at += sectionBytes;
  }
  return file;
}

function readConstants(ids: ColumnReader, fieldBytes: number, field: FieldConstants): Buffer {
  const parts: Buffer[] = [];
  for (let id = 0; !ids.isAtEnd; id += 2) {
    id += ids.signed();
    const bytes = Buffer.alloc(fieldBytes);
    field.writeSigned(id, bytes, 0);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Pattern of rows: a row with wires 0, the positions of its wires, and the last row's wires. */
interface Pattern {
  readonly row: Uint8Array;
  readonly places: Uint32Array;
  readonly last: Uint32Array;
}

function unpackRows(
  out: Buffer,
  rowCount: number,
  fieldBytes: number,
  columns: Record<"patterns" | "patternIds" | "wires", ColumnReader>,
  constants: Uint8Array,
): void {
  const known: Pattern[] = [];
  const { patternIds, patterns, wires } = columns;
  let at = 0;
  let id = 0;
  for (let row = 0; row < rowCount; row++) {
    id += patternIds.signed();
    known[id] ??= readPattern(patterns, constants, fieldBytes);
    const pattern = known[id]!;
    id++;
    out.set(pattern.row, at);
    const { last, places } = pattern;
    let shift = 0;
    for (let i = 0; i < places.length; i++) {
      const before = last[i]!;
      let wire: number;
      if (before === 0) {
        wire = wires.unsigned();
      } else {
        shift += wires.signed();
        wire = before + shift;
      }
      last[i] = wire;
      const position = at + places[i]!;
      out[position] = wire;
      out[position + 1] = wire >>> 8;
      out[position + 2] = wire >>> 16;
      out[position + 3] = wire >>> 24;
    }
    at += pattern.row.length;
  }
}

function readPattern(patterns: ColumnReader, constants: Uint8Array, fieldBytes: number): Pattern {
  const parts: Buffer[] = [];
  const positions: number[] = [];
  let length = 0;
  for (let side = 0; side < 3; side++) {
    const termCount = patterns.unsigned();
    const part = Buffer.alloc(4 + termCount * (4 + fieldBytes));
    part.writeUInt32LE(termCount, 0);
    for (let i = 0, at = 4; i < termCount; i++, at += 4 + fieldBytes) {
      positions.push(length + at);
      const constant = patterns.unsigned() * fieldBytes;
      part.set(constants.subarray(constant, constant + fieldBytes), at + 4);
    }
    parts.push(part);
    length += part.length;
  }
  return {
    row: Buffer.concat(parts),
    places: Uint32Array.from(positions),
    last: new Uint32Array(positions.length),
  };
}

function unpackLabels(out: Buffer, labels: ColumnReader): void {
  for (let at = 0, label = -1; at < out.length; at += 8) {
    label += labels.signed() + 1;
    out.writeUInt32LE(label % 0x1_0000_0000, at);
    out.writeUInt32LE(Math.floor(label / 0x1_0000_0000), at + 4);
  }
}
