/**
 * circom's witness program as columns. Most of it are constants of the field, which it shares with the R1CS
 * file and with other circuits (see packCircuit), the wires' signals, and code that differs by the addresses
 * in it: those are stored as differences from the one before.
 */
import { ColumnReader, ColumnWriter } from "./byte-columns.ts";
import type { FieldConstants } from "./field-constants.ts";

const CODE = 10;
const DATA = 11;
const HEAD_BYTES = 8;
/** Bytes of a constant's record: its value if that is short, flags, its Montgomery form. */
const RECORD_BYTES = 40;
const LONG_MONTGOMERY = 0xc0000000;

/** Encoding of a data segment. */
const Kind = { raw: 0, records: 1, ascending: 2 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** Packs a file into columns; unpackWasm reads them in this order. Adds missing constants to `constants`. */
export function packWasm(file: Buffer, constants: FieldConstants): Uint8Array[] {
  const [head, raw, operations, numbers, references, calls, records, flags, ascending] = makeWriters();
  raw.raw(file.subarray(0, HEAD_BYTES));
  const table = findTable(file, constants);
  head.unsigned(table.start);
  head.unsigned(table.skipped);
  head.unsigned(table.ids.length);
  const addresses = new AddressWriter(numbers, references, table, constants);
  const source = new Cursor(file, HEAD_BYTES);
  let last = 0;
  while (source.at < file.length) {
    const id = source.byte();
    const byteCount = source.unsigned();
    const end = source.at + byteCount;
    head.unsigned(id);
    head.unsigned(byteCount);
    if (id === CODE) {
      const functionCount = source.unsigned();
      head.unsigned(functionCount);
      for (let i = 0; i < functionCount; i++) {
        const bodyBytes = source.unsigned();
        head.unsigned(bodyBytes);
        walkBody(source, source.at + bodyBytes, {
          byte: () => {
            const byte = source.byte();
            operations.byte(byte);
            return byte;
          },
          skip: (count) => operations.raw(source.take(count)),
          number: (previous) => {
            const value = source.signed();
            return addresses.write(value, previous);
          },
          call: () => calls.unsigned(source.unsigned()),
        });
      }
    } else if (id === DATA) {
      const segmentCount = source.unsigned();
      head.unsigned(segmentCount);
      for (let i = 0; i < segmentCount; i++) {
        const start = source.at;
        source.byte();
        source.byte();
        source.signed();
        source.byte();
        const dataBytes = source.unsigned();
        head.unsigned(source.at - start);
        raw.raw(file.subarray(start, source.at));
        const data = source.take(dataBytes);
        const kind = kindOf(data);
        head.unsigned(kind);
        head.unsigned(dataBytes);
        if (kind === Kind.records) last = packRecords(data, last, records, flags, constants);
        else if (kind === Kind.ascending) packAscending(data, ascending);
        else raw.raw(data);
      }
    } else raw.raw(source.take(byteCount));
    if (source.at !== end) throw new Error(`section ${id} does not end where it says`);
  }
  return [head, raw, operations, numbers, references, calls, records, flags, ascending].map((column) =>
    column.take(),
  );
}

type Nine<T> = [T, T, T, T, T, T, T, T, T];
const makeWriters = () => Array.from({ length: 9 }, () => new ColumnWriter()) as Nine<ColumnWriter>;

/** The file, byte for byte. */
export function unpackWasm(
  columns: readonly Uint8Array[],
  byteCount: number,
  constants: FieldConstants,
): Buffer {
  const [head, raw, operations, numbers, references, calls, records, flags, ascending] = columns.map(
    (bytes) => new ColumnReader(bytes),
  ) as Nine<ColumnReader>;
  const file = Buffer.allocUnsafe(byteCount);
  const out = new Sink(file);
  out.raw(raw.raw(HEAD_BYTES));
  const table = readTable(head, new ColumnReader(columns[6]!));
  const addresses = new AddressReader(numbers, references, table, constants);
  let last = 0;
  while (!head.isAtEnd) {
    const id = head.unsigned();
    const sectionBytes = head.unsigned();
    out.byte(id);
    out.unsigned(sectionBytes);
    if (id === CODE) {
      const functionCount = head.unsigned();
      out.unsigned(functionCount);
      for (let i = 0; i < functionCount; i++) {
        const bodyBytes = head.unsigned();
        out.unsigned(bodyBytes);
        walkBody(out, out.at + bodyBytes, {
          byte: () => {
            const byte = operations.byte();
            out.byte(byte);
            return byte;
          },
          skip: (count) => out.raw(operations.raw(count)),
          number: (previous) => {
            const { next, value } = addresses.read(previous);
            out.signed(value);
            return next;
          },
          call: () => out.unsigned(calls.unsigned()),
        });
      }
    } else if (id === DATA) {
      const segmentCount = head.unsigned();
      out.unsigned(segmentCount);
      for (let i = 0; i < segmentCount; i++) {
        out.raw(raw.raw(head.unsigned()));
        const kind = head.unsigned() as Kind;
        const dataBytes = head.unsigned();
        const data = out.reserve(dataBytes);
        if (kind === Kind.records) last = unpackRecords(data, last, records, flags, constants);
        else if (kind === Kind.ascending) unpackAscending(data, ascending);
        else data.set(raw.raw(dataBytes));
      }
    } else out.raw(raw.raw(sectionBytes));
  }
  return file;
}

function kindOf(data: Buffer): Kind {
  const isRecords = data.length >= RECORD_BYTES && data.length % RECORD_BYTES === 0;
  if (
    isRecords &&
    every(data, RECORD_BYTES, (at) => (data.readUInt32LE(at + 4) & 0x3fffffff) === 0 && data[at + 7] !== 0)
  )
    return Kind.records;
  if (data.length < 64 || data.length % 4 !== 0) return Kind.raw;
  return every(data, 4, (at) => at === 0 || data.readUInt32LE(at) > data.readUInt32LE(at - 4))
    ? Kind.ascending
    : Kind.raw;
}

function every(data: Buffer, step: number, holds: (at: number) => boolean): boolean {
  for (let at = 0; at < data.length; at += step) if (!holds(at)) return false;
  return true;
}

/** @param from the id that is expected first @returns the one expected after them */
function packRecords(
  data: Buffer,
  from: number,
  ids: ColumnWriter,
  heads: ColumnWriter,
  constants: FieldConstants,
): number {
  let next = from;
  for (let at = 0; at < data.length; at += RECORD_BYTES) {
    const flags = data.readUInt32LE(at + 4);
    const isLong = flags === LONG_MONTGOMERY && data.readUInt32LE(at) === 0;
    heads.byte(isLong ? 1 : 0);
    if (!isLong) heads.raw(data.subarray(at, at + 8));
    const id = constants.idOfMontgomery(data.subarray(at + 8, at + RECORD_BYTES));
    ids.signed(id - next);
    next = id + 1;
  }
  return next;
}

function unpackRecords(
  data: Buffer,
  from: number,
  ids: ColumnReader,
  heads: ColumnReader,
  constants: FieldConstants,
): number {
  let id = from;
  for (let at = 0; at < data.length; at += RECORD_BYTES) {
    if (heads.unsigned() === 1) {
      data.writeUInt32LE(0, at);
      data.writeUInt32LE(LONG_MONTGOMERY, at + 4);
    } else data.set(heads.raw(8), at);
    id += ids.signed();
    constants.writeMontgomery(id, data, at + 8);
    id++;
  }
  return id;
}

function readTable(head: ColumnReader, column: ColumnReader): ConstantTable {
  const start = head.unsigned();
  const skipped = head.unsigned();
  const count = head.unsigned();
  let next = 0;
  const ids = Array.from({ length: skipped + count }, () => {
    const id = next + column.signed();
    next = id + 1;
    return id;
  });
  return { start, skipped, ids: ids.slice(skipped) };
}

function packAscending(data: Buffer, out: ColumnWriter): void {
  for (let at = 0, next = 0; at < data.length; at += 4) {
    const value = data.readUInt32LE(at);
    out.unsigned(value - next);
    next = value + 1;
  }
}

function unpackAscending(data: Buffer, ascending: ColumnReader): void {
  for (let at = 0, next = 0; at < data.length; at += 4) {
    next += ascending.unsigned();
    data.writeUInt32LE(next, at);
    next++;
  }
}

interface Step {
  byte(): number;
  skip(count: number): void;
  number(previous: number): number;
  call(): void;
}

/** Walks a function's locals and instructions, of WebAssembly 1.0. */
function walkBody(position: { readonly at: number }, end: number, step: Step): void {
  const unsigned = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = step.byte();
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return value;
    }
  };
  for (let groups = unsigned(); groups > 0; groups--) {
    unsigned();
    step.byte();
  }
  let previous = 0;
  while (position.at < end) {
    const operation = step.byte();
    if (operation === 0x41) previous = step.number(previous);
    else if (operation === 0x10) step.call();
    else if (
      (operation >= 0x20 && operation <= 0x24) ||
      operation === 0x0c ||
      operation === 0x0d ||
      operation === 0x42
    )
      unsigned();
    else if (operation === 0x11 || (operation >= 0x28 && operation <= 0x3e)) {
      unsigned();
      unsigned();
    } else if ((operation >= 0x02 && operation <= 0x04) || operation === 0x3f || operation === 0x40)
      step.byte();
    else if (operation === 0x0e) for (let targets = unsigned(); targets >= 0; targets--) unsigned();
    else if (operation === 0x43) step.skip(4);
    else if (operation === 0x44) step.skip(8);
  }
}

/** The constants in a program's memory: constant i, which has the id ids[i], begins at start + 40 i. */
interface ConstantTable {
  readonly start: number;
  /** Constants in segments before. */
  readonly skipped: number;
  readonly ids: readonly number[];
}

/** Positions of constants by id; the last position of a repeated one. */
const positionsOf = ({ ids }: ConstantTable) => new Map(ids.map((id, position) => [id, position]));

class AddressWriter {
  readonly #numbers: ColumnWriter;
  readonly #references: ColumnWriter;
  readonly #table: ConstantTable;
  readonly #positions: ReadonlyMap<number, number>;
  readonly #constants: FieldConstants;
  #expected = 0;

  constructor(
    numbers: ColumnWriter,
    references: ColumnWriter,
    table: ConstantTable,
    constants: FieldConstants,
  ) {
    this.#numbers = numbers;
    this.#references = references;
    this.#table = table;
    this.#positions = positionsOf(table);
    this.#constants = constants;
  }

  /** @returns the base of the next number's difference */
  write(value: number, previous: number): number {
    const { ids, start } = this.#table;
    const position = (value - start) / RECORD_BYTES;
    const id = ids[position];
    if (id === undefined || this.#positions.get(id) !== position) {
      const moved = value - previous;
      this.#numbers.unsigned(1 + (moved < 0 ? -2 * moved - 1 : 2 * moved));
      return value;
    }
    this.#numbers.unsigned(0);
    this.#references.signed(id - this.#expected);
    this.#expected = this.#constants.expectedAfter(id);
    return previous;
  }
}

class AddressReader {
  readonly #numbers: ColumnReader;
  readonly #references: ColumnReader;
  readonly #start: number;
  readonly #positions: ReadonlyMap<number, number>;
  readonly #constants: FieldConstants;
  #expected = 0;

  constructor(
    numbers: ColumnReader,
    references: ColumnReader,
    table: ConstantTable,
    constants: FieldConstants,
  ) {
    this.#numbers = numbers;
    this.#references = references;
    this.#start = table.start;
    this.#positions = positionsOf(table);
    this.#constants = constants;
  }

  /** @returns the number, and the base of the next number's difference */
  read(previous: number): { value: number; next: number } {
    const code = this.#numbers.unsigned();
    if (code > 0) {
      const value = previous + (code % 2 === 1 ? (code - 1) / 2 : -code / 2);
      return { value, next: value };
    }
    const id = this.#expected + this.#references.signed();
    this.#expected = this.#constants.expectedAfter(id);
    return { value: this.#start + RECORD_BYTES * this.#positions.get(id)!, next: previous };
  }
}

/** The largest segment of constants. */
function findTable(file: Buffer, constants: FieldConstants): ConstantTable {
  let found = { start: 0, skipped: 0, data: file.subarray(0, 0) };
  let recordCount = 0;
  const source = new Cursor(file, HEAD_BYTES);
  while (source.at < file.length) {
    const id = source.byte();
    const end = source.unsigned() + source.at;
    for (let i = id === DATA ? source.unsigned() : 0; i > 0; i--) {
      source.byte();
      source.byte();
      const start = source.signed();
      source.byte();
      const data = source.take(source.unsigned());
      if (kindOf(data) !== Kind.records) continue;
      if (data.length > found.data.length) found = { start, skipped: recordCount, data };
      recordCount += data.length / RECORD_BYTES;
    }
    source.at = end;
  }
  const { data, skipped, start } = found;
  const ids = Array.from({ length: data.length / RECORD_BYTES }, (_, i) =>
    constants.idOfMontgomery(data.subarray(RECORD_BYTES * i + 8, RECORD_BYTES * (i + 1))),
  );
  return { start, skipped, ids };
}

class Cursor {
  at: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.#bytes[this.at++]!;
  }

  take(count: number): Buffer {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return value;
    }
  }

  signed(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return (byte & 64) === 0 ? value : value - scale * 128;
    }
  }
}

class Sink {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(byte: number): void {
    this.#bytes[this.at++] = byte;
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  reserve(count: number): Buffer {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  unsigned(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest & 127);
  }
}
