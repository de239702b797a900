/** Snappy decompression, for the check of LevelDB's tables (level-table.ts). */
import { LevelBytes } from "./level-bytes.ts";

/** Undoes Snappy, in which LevelDB may store a block (google/snappy, format_description.txt). @throws RangeError */
export function unsnappy(bytes: Buffer): Buffer {
  const input = new LevelBytes(bytes);
  const length = input.number();
  const output: Buffer = Buffer.alloc(length);
  let to = 0;
  while (!input.isAtEnd) {
    const tag = input.take(1)[0]!;
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const count = (short < 60 ? short : input.take(short - 59).readUIntLE(0, short - 59)) + 1;
      const literal = input.take(count);
      if (to + count > length) throw new RangeError("more bytes than were announced");
      output.set(literal, to);
      to += count;
      continue;
    }
    const [count, offset] = copyOf(tag, input);
    if (offset === 0 || offset > to || to + count > length) throw new RangeError("a copy of nothing");
    // It may overlap what it writes: that repeats a pattern.
    for (let end = to + count; to < end; to++) output[to] = output[to - offset]!;
  }
  if (to !== length) throw new RangeError("fewer bytes than were announced");
  return output;
}

function copyOf(tag: number, input: LevelBytes): [count: number, offset: number] {
  if ((tag & 3) === 1) return [((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | input.take(1)[0]!];
  const width = (tag & 3) === 2 ? 2 : 4;
  return [(tag >> 2) + 1, input.take(width).readUIntLE(0, width)];
}
