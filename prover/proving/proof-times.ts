/**
 * Remembers how long past proofs took on this machine, on disk, so that the first estimate after a restart is right, too. Times
 * are milliseconds.
 */

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";

/** Proofs that take equally long: the same circuit, by its content, proven by the same back end. */
interface ProofKind {
  readonly contentHash: string;
  readonly backend: string;
}

/** Number of past proofs in an estimate. A guess. */
const REMEMBERED_COUNT = 9;
const fileSchema = z.object({ tookMs: z.array(z.number().nonnegative()).max(REMEMBERED_COUNT) });

/**
 * Durations, one small file for each circuit and back end. They are for estimates that people see, never for decisions:
 * a file that cannot be read or written is as good as none.
 */
export class ProofTimes {
  readonly #folder: string;

  /** @param folder default: .cache/proof-times in the repository */
  constructor(folder = resolve(repositoryRoot, ".cache/proof-times")) {
    this.#folder = folder;
  }

  /** Median of the last proofs' times, witness included, in milliseconds; null if none is known. */
  async expectedMs(kind: ProofKind): Promise<number | null> {
    const sorted = (await this.#read(kind)).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }

  /** Resolves when it is on disk, or cannot be. */
  async note(kind: ProofKind, tookMs: number): Promise<void> {
    const all = [...(await this.#read(kind)), Math.round(tookMs)].slice(-REMEMBERED_COUNT);
    const text = `${JSON.stringify({ tookMs: all })}\n`;
    try {
      await writeFileWhole(this.#path(kind), text, { isDurable: false });
    } catch {
      // An estimate must not make anything else fail.
    }
  }

  async #read(kind: ProofKind): Promise<number[]> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#path(kind), "utf8"))).tookMs;
    } catch {
      return [];
    }
  }

  #path({ backend, contentHash }: ProofKind): string {
    return join(this.#folder, `${contentHash.replace(/[^0-9a-zA-Z]/g, "").slice(0, 24)}-${backend}.json`);
  }
}
