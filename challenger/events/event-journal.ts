/** What was read of L1, in one file: a restart reads new blocks alone. */

import { appendFile } from "node:fs/promises";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { EventCursor, EventFact, KeptEvents } from "./event-log.ts";

/** Blocks between two lines where nothing has happened: a restart reads them again. */
const BLOCKS_A_LINE = 64;
/** Then the file is written as one line: most of them say only how far was read. */
const MOST_LINES = 1_024;

type Line<Fact> = { readonly cursor: EventCursor; readonly facts: readonly Fact[] };

/** The first line says what it is of; each further one how far was read, and what was found since. Each has a checksum. */
export class EventJournal<Fact extends EventFact> implements KeptEvents<Fact> {
  readonly #path: string;
  readonly #head: string;
  readonly #onDamage: (why: string) => void;
  #lastBlock = Number.NEGATIVE_INFINITY;
  #lineCount = 0;

  /** @param of contracts and scope: the journal of another is not taken @param onDamage told of a file that is not taken */
  constructor(path: string, of: string, onDamage: (why: string) => void = () => {}) {
    this.#path = path;
    this.#head = checkedJson.encode({ events: of });
    this.#onDamage = onDamage;
  }

  /** null for none, and for one of something else or with a damaged line: then it begins anew. A line that a kill has cut is left out. */
  async open(): Promise<{ cursor: EventCursor; facts: Fact[] } | null> {
    const text = readIfPresent(this.#path) ?? "";
    const lines = text.slice(0, Math.max(0, text.lastIndexOf("\n"))).split("\n");
    let kept: Line<Fact>[] | null = null;
    try {
      if (lines[0] === this.#head)
        kept = lines.slice(1).map((line) => checkedJson.decode(line) as Line<Fact>);
    } catch {}
    if (kept === null) {
      if (text !== "")
        this.#onDamage(`${this.#path} is damaged, or of something else: L1 is read from its beginning`);
      await this.clear();
      return null;
    }
    const cursor = kept.at(-1)?.cursor;
    if (cursor === undefined) {
      await this.clear();
      return null;
    }
    const facts = kept.flatMap((one) => one.facts);
    // What is appended next would go on in a line that was cut.
    await this.#tried(() => this.#rewrite(cursor, facts));
    return { cursor, facts };
  }

  /** Attack: a full disk, of which somebody's clock runs on in a game. What is not kept is read again by the next process. */
  async append(cursor: EventCursor, facts: readonly Fact[], all: readonly Fact[]): Promise<void> {
    if (facts.length === 0 && cursor.block - this.#lastBlock < BLOCKS_A_LINE) return;
    await this.#tried(async () => {
      if (this.#lineCount >= MOST_LINES) return this.#rewrite(cursor, all);
      await appendFile(this.#path, `${checkedJson.encode({ cursor, facts } satisfies Line<Fact>)}\n`);
      this.#lastBlock = cursor.block;
      this.#lineCount++;
    });
  }

  async clear(): Promise<void> {
    await this.#tried(async () => {
      await writeFileWhole(this.#path, `${this.#head}\n`);
      this.#lastBlock = Number.NEGATIVE_INFINITY;
      this.#lineCount = 1;
    });
  }

  async #tried(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#onDamage(`${this.#path} cannot be written: ${(error as Error).message}`);
      // A part of a line may be there, or what was to be cleared: the next line is the whole file.
      this.#lineCount = MOST_LINES;
      this.#lastBlock = Number.NEGATIVE_INFINITY;
    }
  }

  async #rewrite(cursor: EventCursor, facts: readonly Fact[]): Promise<void> {
    const line = checkedJson.encode({ cursor, facts } satisfies Line<Fact>);
    await writeFileWhole(this.#path, `${this.#head}\n${line}\n`);
    this.#lastBlock = cursor.block;
    this.#lineCount = 2;
  }
}
