/**
 * Files of sorted keys and values that never change: what left a store for good, and is still asked for. Pairs are in compressed
 * blocks, blocks in a tree of blocks that hold each one's first key: a look-up reads one block of each storey. Each
 * block stands with its CRC-32 where it is named, so a bit that flips is found by whoever reads it.
 */
import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { crc32, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";
import { PART, syncFolder } from "./durable-file.ts";
import { StoreDamage } from "./store-fault.ts";

const deflate = promisify(deflateRaw) as (bytes: Buffer, options: object) => Promise<Buffer>;
const inflate = promisify(inflateRaw) as (bytes: Buffer, options: object) => Promise<Buffer>;

/** Behind the last block: where the root is, how many storeys stand on the pairs, how many pairs there are, and these marks. */
const FOOTER_BYTES = 40;
const MAGIC = Buffer.from("OLTABLE1", "latin1");
/** Offset, stored length, unpacked length, CRC-32. */
const HANDLE_BYTES = 20;
/** Length of the key, and of the value. */
const PAIR_HEADER_BYTES = 6;
/** Keys in a block of the tree: about 64 bytes each. */
const CHILDREN = 128;
/** Reading and unpacking up to so much takes less time than handing it to another thread. */
const READ_HERE_BYTES = 16_384;
/** Bytes that are written together. */
const WRITTEN_AT_ONCE = 2 ** 18;
const PACKING = { level: 1 };
/** Blocks that are compressed by Node's threads while the next ones are filled. */
const BLOCKS_AHEAD = 4;

export type Pair = readonly [key: string, value: Buffer];

export interface KeyRange {
  readonly gte?: string | undefined;
  readonly gt?: string | undefined;
  readonly lt?: string | undefined;
}

/** What tells one file from every other. */
export interface TableIdentity {
  readonly byteCount: number;
  readonly pairCount: number;
  readonly sha256: string;
}

export class SortedTableWriter {
  readonly #path: string;
  readonly #part: string;
  readonly #file: FileHandle;
  readonly #blockBytes: number;
  readonly #hash = createHash("sha256");
  /** By storey: 0 has the pairs. */
  readonly #waiting: { key: string; bytes: Buffer[]; size: number; count: number }[] = [];
  readonly #packing: Promise<{ storey: number; key: string; size: number; packed: Buffer }>[] = [];
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #byteCount = 0;
  #pairCount = 0;
  #lastKey: string | null = null;

  /** @param blockBytes of a block, unpacked: small ones for what is looked up one by one */
  static async create(path: string, blockBytes: number): Promise<SortedTableWriter> {
    const part = `${path}${PART}`;
    await rm(part, { force: true });
    return new SortedTableWriter(path, part, await open(part, "wx"), blockBytes);
  }

  private constructor(path: string, part: string, file: FileHandle, blockBytes: number) {
    this.#path = path;
    this.#part = part;
    this.#file = file;
    this.#blockBytes = blockBytes;
  }

  /** Pairs in the order of their keys. @returns what has to be awaited before the next one */
  async add(pairs: readonly Pair[]): Promise<void> {
    for (const [key, value] of pairs) {
      if (this.#lastKey !== null && key <= this.#lastKey)
        throw new RangeError(`${key} does not follow ${this.#lastKey}`);
      this.#lastKey = key;
      this.#pairCount += 1;
      this.#put(0, key, value);
      while (this.#packing.length > BLOCKS_AHEAD) await this.#writeNext();
    }
  }

  #put(storey: number, key: string, value: Buffer): void {
    this.#waiting[storey] ??= { key, bytes: [], size: 0, count: 0 };
    const block = this.#waiting[storey];
    if (block.count === 0) block.key = key;
    const header = Buffer.allocUnsafe(PAIR_HEADER_BYTES + key.length);
    header.writeUInt16LE(key.length, 0);
    header.writeUInt32LE(value.length, 2);
    header.write(key, PAIR_HEADER_BYTES, "latin1");
    block.bytes.push(header, value);
    block.size += header.length + value.length;
    block.count += 1;
    if (storey === 0 ? block.size >= this.#blockBytes : block.count === CHILDREN) this.#pack(storey);
  }

  #pack(storey: number): void {
    const { bytes, key, size } = this.#waiting[storey]!;
    this.#waiting[storey] = { key: "", bytes: [], size: 0, count: 0 };
    const all = Buffer.concat(bytes, size);
    const packed = size <= READ_HERE_BYTES ? deflateRawSync(all, PACKING) : deflate(all, PACKING);
    const packing = Promise.resolve(packed).then((packed) => ({ storey, key, size, packed }));
    // A failure is thrown where the block is written.
    packing.catch(() => {});
    this.#packing.push(packing);
  }

  async #writeNext(): Promise<Buffer> {
    const { key, packed, size, storey } = await this.#packing.shift()!;
    const handle = Buffer.alloc(HANDLE_BYTES);
    handle.writeUIntLE(this.#byteCount, 0, 6);
    handle.writeUInt32LE(packed.length, 8);
    handle.writeUInt32LE(size, 12);
    handle.writeUInt32LE(crc32(packed), 16);
    await this.#append(packed);
    this.#put(storey + 1, key, handle);
    return handle;
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#hash.update(bytes);
    this.#byteCount += bytes.length;
    this.#unwritten.push(bytes);
    this.#unwrittenBytes += bytes.length;
    if (this.#unwrittenBytes >= WRITTEN_AT_ONCE) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#unwritten, this.#unwrittenBytes);
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    await this.#file.appendFile(bytes);
  }

  /** Durable under its name when it resolves. */
  async finish(): Promise<TableIdentity> {
    let root: Buffer = Buffer.alloc(HANDLE_BYTES);
    let storey = 0;
    for (; ; storey++) {
      if ((this.#waiting[storey]?.count ?? 0) > 0) this.#pack(storey);
      while (this.#packing.length > 0) root = await this.#writeNext();
      const above = this.#waiting[storey + 1];
      const isRoot = above === undefined || (above.count === 1 && this.#waiting[storey + 2] === undefined);
      if (isRoot) break;
    }
    const footer = Buffer.alloc(FOOTER_BYTES);
    root.copy(footer, 0);
    footer.writeUInt32LE(storey, HANDLE_BYTES);
    footer.writeUIntLE(this.#pairCount, HANDLE_BYTES + 4, 6);
    MAGIC.copy(footer, FOOTER_BYTES - MAGIC.length);
    await this.#append(footer);
    await this.#flush();
    await this.#file.datasync();
    await this.#file.close();
    await rename(this.#part, this.#path);
    await syncFolder(dirname(this.#path));
    return { byteCount: this.#byteCount, pairCount: this.#pairCount, sha256: this.#hash.digest("hex") };
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#packing);
    await this.#file.close().catch(() => {});
    await rm(this.#part, { force: true });
  }
}

export class SortedTable {
  readonly #name: string;
  readonly #file: FileHandle;
  readonly #root: Buffer;
  readonly #storeys: number;
  #rootPairs: Promise<Pair[]> | null = null;

  /** @throws StoreDamage; what Node's file calls throw, ENOENT among it */
  static async open(path: string, { byteCount, pairCount }: TableIdentity): Promise<SortedTable> {
    const name = basename(path);
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size !== byteCount) throw new StoreDamage(name, `has ${size} bytes, and ${byteCount} were written`);
      const footer = await readAt(file, name, size - FOOTER_BYTES, FOOTER_BYTES);
      const isWhole =
        footer.subarray(-MAGIC.length).equals(MAGIC) && footer.readUIntLE(HANDLE_BYTES + 4, 6) === pairCount;
      if (!isWhole) throw new StoreDamage(name, "does not end as it was written");
      return new SortedTable(name, file, footer.subarray(0, HANDLE_BYTES), footer.readUInt32LE(HANDLE_BYTES));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(name: string, file: FileHandle, root: Buffer, storeys: number) {
    this.#name = name;
    this.#file = file;
    this.#root = root;
    this.#storeys = storeys;
  }

  /** @throws StoreDamage */
  async get(key: string): Promise<Buffer | undefined> {
    for await (const pairs of this.read({ gte: key, lt: `${key}\0` })) return pairs[0]![1];
    return undefined;
  }

  /** What a range holds, some pairs at a time. @throws StoreDamage */
  read(range: KeyRange = {}, isReverse = false): AsyncGenerator<readonly Pair[]> {
    return this.#walk(this.#root, this.#storeys, range, isReverse);
  }

  async *#walk(
    handle: Buffer,
    storey: number,
    range: KeyRange,
    isReverse: boolean,
  ): AsyncGenerator<readonly Pair[]> {
    const pairs = await (handle === this.#root ? this.#readRoot() : this.#block(handle));
    const { gt, gte, lt } = range;
    if (storey === 0) {
      const found = pairs.filter(
        ([key]) =>
          (gte === undefined || key >= gte) &&
          (gt === undefined || key > gt) &&
          (lt === undefined || key < lt),
      );
      if (found.length > 0) yield isReverse ? found.reverse() : found;
      return;
    }
    const least = gte ?? gt ?? "";
    // A child may hold what is up to the next one's first key.
    const from = Math.max(
      0,
      pairs.findLastIndex(([key]) => key <= least),
    );
    const behind = lt === undefined ? -1 : pairs.findIndex(([key]) => key >= lt);
    const children = pairs.slice(from, behind < 0 ? pairs.length : behind);
    if (isReverse) children.reverse();
    for (const [, child] of children) yield* this.#walk(child, storey - 1, range, isReverse);
  }

  /** Kept: every look-up begins with it. */
  #readRoot(): Promise<Pair[]> {
    this.#rootPairs ??= this.#block(this.#root).catch((error: unknown) => {
      this.#rootPairs = null;
      throw error;
    });
    return this.#rootPairs;
  }

  async #block(handle: Buffer): Promise<Pair[]> {
    const [offset, length] = [handle.readUIntLE(0, 6), handle.readUInt32LE(8)];
    const [size, checksum] = [handle.readUInt32LE(12), handle.readUInt32LE(16)];
    if (size === 0) return [];
    const packed = await readAt(this.#file, this.#name, offset, length);
    if (crc32(packed) !== checksum)
      throw new StoreDamage(this.#name, `is damaged between bytes ${offset} and ${offset + length}`);
    const options = { maxOutputLength: size };
    const bytes = size <= READ_HERE_BYTES ? inflateRawSync(packed, options) : await inflate(packed, options);
    const pairs: Pair[] = [];
    for (let at = 0; at < bytes.length; ) {
      const keyEnd = at + PAIR_HEADER_BYTES + bytes.readUInt16LE(at);
      const end = keyEnd + bytes.readUInt32LE(at + 2);
      pairs.push([bytes.toString("latin1", at + PAIR_HEADER_BYTES, keyEnd), bytes.subarray(keyEnd, end)]);
      at = end;
    }
    return pairs;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function readAt(file: FileHandle, name: string, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(Math.max(length, 0));
  if (offset < 0) throw new StoreDamage(name, "ends too early");
  const bytesRead =
    length <= READ_HERE_BYTES
      ? readSync(file.fd, bytes, 0, length, offset)
      : (await file.read(bytes, 0, length, offset)).bytesRead;
  if (bytesRead !== length) throw new StoreDamage(name, "ends too early");
  return bytes;
}

/** Sources of which each is in order, as one that is; of several pairs with one key the first source's stays. */
export async function* mergeSorted(
  sources: readonly (AsyncIterable<readonly Pair[]> | Iterable<readonly Pair[]>)[],
  isReverse = false,
): AsyncGenerator<Pair> {
  const heads: Head[] = [];
  const isBefore = (x: Head, y: Head) =>
    x.pair[0] === y.pair[0] ? x.rank < y.rank : isReverse ? x.pair[0] > y.pair[0] : x.pair[0] < y.pair[0];
  const opened = sources.map(
    (source) =>
      (Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()) as
        | AsyncIterator<readonly Pair[]>
        | Iterator<readonly Pair[]>,
  );
  try {
    for (const [rank, iterator] of opened.entries()) {
      const head = await nextHead({ rank, iterator, pairs: [], at: 0 });
      if (head !== null) push(heads, head, isBefore);
    }
    let lastKey: string | null = null;
    while (heads[0] !== undefined) {
      const head = heads[0];
      if (head.pair[0] !== lastKey) yield head.pair;
      lastKey = head.pair[0];
      if (head.at < head.pairs.length) head.pair = head.pairs[head.at++]!;
      else if ((await nextHead(head)) === null) {
        const last = heads.pop()!;
        if (last === head) continue;
        heads[0] = last;
      }
      sink(heads, isBefore);
    }
  } finally {
    for (const iterator of opened) await iterator.return?.();
  }
}

interface Source {
  readonly rank: number;
  readonly iterator: AsyncIterator<readonly Pair[]> | Iterator<readonly Pair[]>;
  pairs: readonly Pair[];
  at: number;
}
interface Head extends Source {
  pair: Pair;
}
type Before = (x: Head, y: Head) => boolean;

async function nextHead(source: Source): Promise<Head | null> {
  for (;;) {
    const next = await source.iterator.next();
    if (next.done) return null;
    if (next.value.length > 0)
      return Object.assign(source, { pairs: next.value, pair: next.value[0]!, at: 1 });
  }
}

/** A heap: each head is before both below it. */
function push(heads: Head[], head: Head, isBefore: Before): void {
  heads.push(head);
  for (let at = heads.length - 1; at > 0; ) {
    const above = (at - 1) >> 1;
    if (!isBefore(heads[at]!, heads[above]!)) return;
    [heads[at], heads[above]] = [heads[above]!, heads[at]!];
    at = above;
  }
}

function sink(heads: Head[], isBefore: Before): void {
  for (let at = 0; ; ) {
    let least = at;
    for (const below of [2 * at + 1, 2 * at + 2])
      if (below < heads.length && isBefore(heads[below]!, heads[least]!)) least = below;
    if (least === at) return;
    [heads[at], heads[least]] = [heads[least]!, heads[at]!];
    at = least;
  }
}
