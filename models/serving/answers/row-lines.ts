/**
 * Reads single rows of a published model's file of rows by their places, without reading the whole file; answer-models.ts shows
 * the rows of an estimate with it.
 */
import { open, readFile } from "node:fs/promises";
import { decodeLine } from "@openledger/attribution/model/published-rows";

const NEWLINE = 10;

/** Rows of a published model, a line each, read from its file by their places. */
export class RowLines {
  readonly #path: string;
  /** Offsets of the lines' beginnings, and of the end of the last one. */
  #offsets: Promise<readonly number[]> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** @returns the row's bytes; null behind the last */
  async read(position: number): Promise<Uint8Array | null> {
    this.#offsets ??= offsetsOf(this.#path);
    const offsets = await this.#offsets;
    const [from, end] = [offsets[position], offsets[position + 1]];
    if (from === undefined || end === undefined) return null;
    const bytes = new Uint8Array(end - 1 - from);
    const file = await open(this.#path);
    try {
      await file.read(bytes, 0, bytes.length, from);
    } finally {
      await file.close();
    }
    return decodeLine(bytes)?.content ?? null;
  }
}

async function offsetsOf(path: string): Promise<number[]> {
  const bytes = await readFile(path);
  const offsets = [0];
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1))
    offsets.push(end + 1);
  return offsets;
}
