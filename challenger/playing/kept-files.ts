/**
 * Copies of the files that games are played with, on the challenger's own disk. Attack: an owner who withdraws a model's files
 * once its claims are posted, and waits until those that have read them start again.
 */
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { readAnswering, writeModelFiles } from "@openledger/attribution/model/model-directory";
import type { ModelFamily } from "@openledger/attribution/model/model-family";
import type { ModelFiles } from "@openledger/attribution/model/model-manifest";
import type { Hex } from "viem";

const MOST = { count: 4_096, bytes: 2 ** 32 };

/** By registered statics, since anyone may register a digest over other files: a folder of files, whose last change is its last use. */
export class KeptFiles {
  readonly folder: string;
  readonly #most: typeof MOST;

  constructor(folder: string, most = MOST) {
    this.folder = folder;
    this.#most = most;
  }

  /** Keeps files of these statics, or of the digest in them, and makes room: the copy that was used longest ago goes first. */
  async keep(statics: Hex, files: ModelFiles): Promise<void> {
    const path = join(this.folder, statics);
    if (await this.#touched(path)) return;
    let bytes = 0;
    for (const file of files.values()) bytes += file.length;
    if (bytes > this.#most.bytes) return;
    await this.#makeRoom(bytes);
    await writeModelFiles(path, files);
  }

  /** null where there is none, or it is damaged. Whoever takes it computes its roots, as of files that are served. */
  async read(statics: Hex, families: readonly ModelFamily[]) {
    const path = join(this.folder, statics);
    if (!(await this.#touched(path))) return null;
    try {
      return await readAnswering(path, families);
    } catch {
      await this.forget(statics);
      return null;
    }
  }

  async forget(statics: string): Promise<void> {
    await rm(join(this.folder, statics), { recursive: true, force: true });
  }

  async #makeRoom(neededBytes: number): Promise<void> {
    const copies = await Promise.all((await this.#names()).map((name) => this.#measured(name)));
    copies.sort((a, b) => a.usedAtMs - b.usedAtMs);
    let bytes = copies.reduce((sum, one) => sum + one.bytes, neededBytes);
    for (const [i, one] of copies.entries()) {
      if (bytes <= this.#most.bytes && copies.length - i < this.#most.count) return;
      await this.forget(one.name);
      bytes -= one.bytes;
    }
  }

  async #measured(name: string) {
    const path = join(this.folder, name);
    const files = await Promise.all((await readdir(path)).map((file) => stat(join(path, file))));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    return { name, bytes, usedAtMs: (await stat(path)).mtimeMs };
  }

  #names(): Promise<string[]> {
    return readdir(this.folder).catch(() => []);
  }

  async #touched(path: string): Promise<boolean> {
    const now = new Date();
    return utimes(path, now, now).then(
      () => true,
      () => false,
    );
  }
}
