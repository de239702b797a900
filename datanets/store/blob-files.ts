/**
 * Files named by the SHA-256 of their content. A file is whole or absent: it is written beside, made durable, and then
 * gets its name. The folder names no rollup: the store beside it does, and decides which files count. A file that
 * nothing refers to after a crash is harmless, and the same bytes get the same name again.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PART, syncFolder, writeFileWhole } from "@openledger/foundation/whole-file";
import { datanetError } from "../datanet-errors.ts";

export const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export class BlobFiles {
  readonly #folder: string;
  readonly #made = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Removes what a crash has left half written. @returns the bytes of all files */
  async open(): Promise<number> {
    await mkdir(this.#folder, { recursive: true });
    let bytes = 0;
    for (const name of await readdir(this.#folder)) {
      const folder = join(this.#folder, name);
      for (const file of await readdir(folder)) {
        if (file.endsWith(PART)) await rm(join(folder, file));
        else bytes += (await stat(join(folder, file))).size;
      }
    }
    return bytes;
  }

  /** Durable when it resolves. @returns the name, and whether the bytes are new */
  async put(bytes: Uint8Array): Promise<{ readonly name: string; readonly isNew: boolean }> {
    const name = sha256Hex(bytes);
    const path = this.#path(name);
    if ((await stat(path).catch(() => null)) !== null) return { name, isNew: false };
    const folder = join(path, "..");
    if (!this.#made.has(folder)) {
      await mkdir(folder, { recursive: true });
      await syncFolder(this.#folder);
      this.#made.add(folder);
    }
    await writeFileWhole(path, bytes);
    return { name, isNew: true };
  }

  /** @throws SRV_STORE_CORRUPT if the file is not there or has other bytes */
  async get(name: string): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#path(name));
    } catch (cause) {
      throw damaged(name, cause);
    }
    if (sha256Hex(bytes) !== name) throw damaged(name);
    return bytes;
  }

  /** A part of a file, unchecked: the caller knows the part's own hash. @throws SRV_STORE_CORRUPT */
  async read(name: string, offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    try {
      const file = await open(this.#path(name), "r");
      try {
        const { bytesRead } = await file.read(bytes, 0, length, offset);
        if (bytesRead !== length) throw damaged(name);
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw damaged(name, cause);
    }
    return bytes;
  }

  /** Names are digests, never a caller's text. */
  #path(name: string): string {
    return join(this.#folder, name.slice(0, 2), name);
  }
}

function damaged(name: string, cause?: unknown) {
  return datanetError("SRV_STORE_CORRUPT", `the file ${name} of the host's rows is missing or damaged`, {
    data: { name },
    cause,
  });
}
