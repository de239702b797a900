import { ColumnReader } from "./byte-columns.ts";

/**
 * Halves the time of circom's witness programs. They hold a value as 32 bits while it fits, and where such a value meets a long
 * one they convert it in its place, constants of the program too: after one `x & 1`, every `i++` adds a long 1, and loops convert
 * their counters to and from Montgomery's form at each turn. Here a value that was short stays so.
 */

/**
 * circom's conversion of the operand at local variable x: the long form of its 32 bits, 8 bytes after them, and the mark of a
 * long value between the two. Code that goes on with a local variable reads the long form, whatever the mark says. The one
 * conversion that ends a function is another: it marks the position that values are passed through.
 */
const conversionOf = (x: number, call: number) => [
  ...[0x20, x, 0x41, 8, 0x6a],
  ...[0x20, x, 0x34, 2, 0, 0x10, call],
  ...[0x20, x, 0x41, 0x80, 0x80, 0x80, 0x80, LONG, 0x36, 2, 4],
  ...[0x0b, 0x20],
];
/** Last byte of -2^31, the mark of long values; with 0 in its place the constant is 0, the mark of short ones. */
const LONG = 0x78;
const LENGTH = conversionOf(0, 0).length;
const LONG_AT = LENGTH - 6;
export const CODE_SECTION = 10;

/** Returns a copy of a circom program that leaves short values short, and the number of positions where it does so. */
export function keepShort(program: Uint8Array): {
  readonly program: Uint8Array;
  readonly placeCount: number;
} {
  const kept = Uint8Array.from(program);
  const [, start, end] = codeOf(program);
  let placeCount = 0;
  for (let at = kept.indexOf(LONG, start); at >= 0 && at < end; at = kept.indexOf(LONG, at + 1)) {
    const first = at - LONG_AT;
    const conversion = conversionOf(kept[first + 1]!, kept[first + 11]!);
    if (!conversion.every((byte, i) => kept[first + i] === byte)) continue;
    kept[at] = 0;
    placeCount++;
  }
  return { program: kept, placeCount };
}

/** The section of all functions' code: where its header begins, its contents, and where it ends. At the end where there is none. */
export function codeOf(program: Uint8Array): readonly [at: number, start: number, end: number] {
  for (let at = 8; at < program.length; ) {
    const header = new ColumnReader(program.subarray(at));
    const id = header.byte();
    const byteCount = header.unsigned();
    const start = at + header.at;
    if (id === CODE_SECTION) return [at, start, start + byteCount];
    at = start + byteCount;
  }
  return [program.length, program.length, program.length];
}
