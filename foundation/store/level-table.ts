/**
 * Check of a table file of LevelDB to its last byte, as LevelDB does not look at its checksums when it reads.
 * Each start of a process runs it over its store's new tables, and again over those in use.
 */
import { maskedCrc32c } from "./crc32c.ts";
import { LevelBytes } from "./level-bytes.ts";
import { unsnappy } from "./snappy.ts";
import { StoreDamage } from "./store-fault.ts";

/**
 * Facts about a table in the MANIFEST. Keys are LevelDB's internal ones: with the sequence number of their
 * write.
 */
export interface TableFacts {
  readonly sizeBytes: number;
  readonly smallest: Buffer;
  readonly largest: Buffer;
}

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** Trailer of a block: its compression, and a CRC-32C of both. */
const TRAILER_BYTES = 5;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** Check of a value. Throws if it is not what was written. */
export type CheckValue = (value: Uint8Array) => void;

/** Blocks between two turns of the event loop: a quarter of a megabyte. */
const BLOCKS_AT_ONCE = 64;

/**
 * Every block's checksum is right, blocks fill the file without a gap, and first and last key are those of the
 * MANIFEST: so it is this table, whole.
 * @param options.facts absent of a store in use: a name and its file do not change then
 * @param options.pause awaited now and then
 * @throws StoreDamage
 */
export async function checkTable(
  bytes: Buffer,
  file: string,
  {
    checkValue,
    facts,
    pause,
  }: {
    facts?: TableFacts | undefined;
    checkValue?: CheckValue | undefined;
    pause?: () => Promise<unknown>;
  },
): Promise<void> {
  if (facts !== undefined && bytes.length !== facts.sizeBytes)
    throw new StoreDamage(file, `has ${bytes.length} bytes, and ${facts.sizeBytes} were written`);
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < 0 || !bytes.subarray(-MAGIC.length).equals(MAGIC))
    throw new StoreDamage(file, "does not end as a table does");
  try {
    const handles: Handle[] = [];
    const read = (handle: Handle) => {
      handles.push(handle);
      return blockAt(bytes, file, handle, footerAt);
    };
    const footer = new LevelBytes(bytes, footerAt);
    const meta = read(handleIn(footer));
    const index = entriesOf(read(handleIn(footer))).map(([, value]) => handleIn(new LevelBytes(value)));
    for (const [, value] of entriesOf(meta)) read(handleIn(new LevelBytes(value)));
    for (const [i, handle] of index.entries()) {
      const block = read(handle);
      if (facts !== undefined && i === 0 && !entriesOf(block)[0]![0].equals(facts.smallest))
        throw new StoreDamage(file, "begins with another key");
      if (facts !== undefined && i === index.length - 1 && !entriesOf(block).at(-1)![0].equals(facts.largest))
        throw new StoreDamage(file, "ends with another key");
      if (checkValue !== undefined) checkValues(entriesOf(block), file, checkValue);
      if (pause !== undefined && i % BLOCKS_AT_ONCE === 0) await pause();
    }
    if (index.length === 0) throw new StoreDamage(file, "is empty");
    requireTiled(handles, footerAt, file);
  } catch (cause) {
    if (cause instanceof StoreDamage) throw cause;
    throw new StoreDamage(file, "is not of a table's form", cause);
  }
}

/**
 * Checks the values of entries. A key ends with the number of its write, 7 bytes, behind a byte that is 1 if
 * the key has a value.
 */
function checkValues(entries: readonly [Buffer, Buffer][], file: string, checkValue: CheckValue): void {
  for (const [key, value] of entries) {
    if (key.at(-8) !== 1) continue;
    try {
      checkValue(value);
    } catch (cause) {
      throw new StoreDamage(file, "has a value that is not what was written", cause);
    }
  }
}

function handleIn(from: LevelBytes): Handle {
  return { offset: from.number(), size: from.number() };
}

function blockAt(bytes: Buffer, file: string, { offset, size }: Handle, footerAt: number): () => Buffer {
  const end = offset + size;
  if (end + TRAILER_BYTES > footerAt) throw new StoreDamage(file, "names a block that it does not have");
  if (maskedCrc32c(bytes, offset, end + 1) !== bytes.readUInt32LE(end + 1))
    throw new StoreDamage(file, `is damaged between bytes ${offset} and ${end + TRAILER_BYTES}`);
  const body = bytes.subarray(offset, end);
  // Only blocks whose keys are looked at are unpacked.
  return () => (bytes[end] === 1 ? unsnappy(body) : body);
}

/**
 * Reads the keys and values of a block. A stored key has only the bytes that it does not share with the one
 * before.
 */
function entriesOf(block: () => Buffer): [key: Buffer, value: Buffer][] {
  const bytes = block();
  const restartCount = bytes.readUInt32LE(bytes.length - 4);
  const input = new LevelBytes(bytes.subarray(0, bytes.length - 4 * (restartCount + 1)));
  const entries: [Buffer, Buffer][] = [];
  let key: Buffer = Buffer.alloc(0);
  while (!input.isAtEnd) {
    const shared = input.number();
    const own = input.number();
    const valueLength = input.number();
    key = Buffer.concat([key.subarray(0, shared), input.take(own)]);
    entries.push([key, input.take(valueLength)]);
  }
  return entries;
}

function requireTiled(handles: readonly Handle[], footerAt: number, file: string): void {
  let at = 0;
  for (const { offset, size } of [...handles].sort((a, b) => a.offset - b.offset)) {
    if (offset !== at) throw new StoreDamage(file, `has a gap before byte ${offset}`);
    at = offset + size + TRAILER_BYTES;
  }
  if (at !== footerAt) throw new StoreDamage(file, `has a gap before byte ${footerAt}`);
}
