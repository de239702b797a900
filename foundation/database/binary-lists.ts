/**
 * Lists of values in PostgreSQL's binary form, for statements with thousands of them: the driver writes a list as text, and takes
 * several times as long. Name the type in the statement, as `$1::int[]`.
 */

type Writer<T> = {
  readonly oid: number;
  size(value: T): number;
  write(value: T, to: Buffer, at: number): void;
};

/** Numbers of dimensions, a mark of NULLs, type, length, first place. */
const HEADER_BYTES = 20;
const EMPTY_BYTES = 12;

function listOf<T>({ oid, size, write }: Writer<T>): (values: readonly (T | null)[]) => Buffer {
  return (values) => {
    const sizes = values.map((value) => (value === null ? 0 : size(value)));
    const bytes = sizes.reduce((sum, one) => sum + 4 + one, values.length === 0 ? EMPTY_BYTES : HEADER_BYTES);
    const list = Buffer.alloc(bytes);
    list.writeInt32BE(oid, 8);
    if (values.length === 0) return list;
    list.writeInt32BE(1, 0);
    list.writeInt32BE(values.includes(null) ? 1 : 0, 4);
    list.writeInt32BE(values.length, 12);
    list.writeInt32BE(1, 16);
    let at = HEADER_BYTES;
    for (const [i, value] of values.entries()) {
      list.writeInt32BE(value === null ? -1 : sizes[i]!, at);
      if (value !== null) write(value, list, at + 4);
      at += 4 + sizes[i]!;
    }
    return list;
  };
}

export const booleans = listOf<boolean>({
  oid: 16,
  size: () => 1,
  write: (value, to, at) => to.writeUInt8(value ? 1 : 0, at),
});

export const byteStrings = listOf<Uint8Array>({
  oid: 17,
  size: ({ length }) => length,
  write: (value, to, at) => to.set(value, at),
});

/** `bigint[]` of safe integers. */
export const bigints = listOf<number>({
  oid: 20,
  size: () => 8,
  write: (value, to, at) => to.writeBigInt64BE(BigInt(value), at),
});

/** `int[]`. */
export const integers = listOf<number>({
  oid: 23,
  size: () => 4,
  write: (value, to, at) => to.writeInt32BE(value, at),
});

export const texts = listOf<string>({
  oid: 25,
  size: (value) => Buffer.byteLength(value),
  write: (value, to, at) => to.write(value, at),
});
