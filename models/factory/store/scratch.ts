/**
 * Temporary folders for the factory's computations, in the process's own data folder: what a task reads is fetched into one,
 * what it made goes to the database, and the folder goes. After a kill the next process of the machine deletes what was left.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const SCRATCH = "scratch";

export class Scratch {
  readonly #folder: string;
  readonly #own: string;

  constructor(dataPath: string) {
    this.#folder = join(dataPath, SCRATCH);
    this.#own = join(this.#folder, nameOf(process.pid));
  }

  /** Deletes folders of this machine's processes that have ended; a container's next process may have the same id. */
  async clean(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const left = names.filter((name) => {
      const id = Number(/-(\d+)$/.exec(name)?.[1]);
      return name === nameOf(id) && (id === process.pid || !isAlive(id));
    });
    await Promise.all(left.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
  }

  /** Runs `work` with an empty folder, which goes with its end. */
  async use<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.#own, randomUUID());
    await mkdir(folder, { recursive: true });
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** Containers on one volume have names of their own. */
const nameOf = (processId: number): string => `${hostname().replace(/[^\w.-]/g, "_")}-${processId}`;

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
