/** What a watcher has read of L1, in one file: a restart reads new blocks alone. */

import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Address, Hash, Hex } from "viem";

export interface GameCursor {
  readonly block: number;
  /** As it was before the events up to it were read: another one later says that they may be of a chain that is gone. */
  readonly hash: Hash;
}

/** Numbers that JSON has: a journal keeps them. */
export type GameFact = { readonly block: number } & (
  | { readonly what: "model"; readonly rollup: Address; readonly modelId: number }
  | {
      readonly what: "claim";
      readonly id: number;
      readonly rollup: Address;
      readonly modelId: number;
      readonly isRow: boolean;
      readonly owner: Address;
      readonly endsAt: number;
      /** Of a query what the ledger has, of a row its model commitment and its place. */
      readonly key: Hex;
      /** Where L1 takes a block back, another claim may have the same number. */
      readonly blockHash: Hash;
    }
  | { readonly what: "game"; readonly id: number; readonly claimId: number; readonly challenger: Address }
);

/** Blocks between two lines where nothing has happened: a restart reads them again. */
const BLOCKS_A_LINE = 64;

type Line = { readonly cursor: GameCursor; readonly facts: readonly GameFact[] };

/** The first line says what it is of; each further one how far was read, and what was found since the line before. */
export class GameJournal {
  readonly #path: string;
  readonly #head: string;
  #lastBlock = Number.NEGATIVE_INFINITY;

  /** @param of contract and scope: the journal of another is not taken */
  constructor(path: string, of: string) {
    this.#path = path;
    this.#head = JSON.stringify({ games: of });
  }

  /** null for none, or one of something else: then it begins anew. A last line that a kill has cut is left out. */
  async open(): Promise<{ cursor: GameCursor; facts: GameFact[] } | null> {
    const text = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const lines = text.slice(0, Math.max(0, text.lastIndexOf("\n"))).split("\n");
    if (lines[0] !== this.#head) {
      await this.clear();
      return null;
    }
    const kept = lines.slice(1).map((line) => JSON.parse(line) as Line);
    // What is appended next would go on in a line that was cut.
    if (!text.endsWith("\n")) await writeFile(this.#path, `${lines.join("\n")}\n`);
    const cursor = kept.at(-1)?.cursor;
    if (cursor === undefined) return null;
    this.#lastBlock = cursor.block;
    // Two watchers of one workspace write the same facts, and not equally far.
    const facts = new Map(kept.flatMap((one) => one.facts).map((fact) => [JSON.stringify(fact), fact]));
    return { cursor, facts: [...facts.values()].filter(({ block }) => block <= cursor.block) };
  }

  async append(cursor: GameCursor, facts: readonly GameFact[]): Promise<void> {
    if (facts.length === 0 && cursor.block - this.#lastBlock < BLOCKS_A_LINE) return;
    await appendFile(this.#path, `${JSON.stringify({ cursor, facts } satisfies Line)}\n`);
    this.#lastBlock = cursor.block;
  }

  async clear(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(this.#path, `${this.#head}\n`);
    this.#lastBlock = Number.NEGATIVE_INFINITY;
  }
}
