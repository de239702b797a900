import { hexToBytes } from "@noble/hashes/utils.js";
import type { Card } from "../card/card.ts";
import { viewRow } from "../rows/row-view.ts";
import { DigestTable } from "./digest-table.ts";
import { NumberColumn } from "./number-column.ts";
import { TextSearch } from "./text-search.ts";

/** Place of a row's bytes, and its contributor. */
interface RowPlace {
  readonly row: number;
  readonly blob: string;
  readonly offset: number;
  readonly length: number;
  /** Place of the commit among those that the host has; `HostedDatanet.commits` has its facts. */
  readonly commit: number;
  readonly index: number;
}

/** Facts of a row's own content, as the table stores them. */
interface RowFacts {
  /** null if the row has no label of its own. */
  readonly label: string | null;
  readonly isWellFormed: boolean;
}

/** The rows of one Datanet, numbered as they came: places and facts in columns, words in an index. No content. */
export class RowTable {
  readonly search = new TextSearch();
  readonly #digests = new DigestTable();
  readonly #commits = new NumberColumn("int32");
  readonly #indices = new NumberColumn("int32");
  readonly #blobs = new NumberColumn("int32");
  readonly #offsets = new NumberColumn("float64");
  readonly #lengths = new NumberColumn("int32");
  /** Place in #labelNames + 1; 0 = no label; negative = malformed. */
  readonly #labels = new NumberColumn("int32");
  readonly #labelNames: string[] = [];
  readonly #blobNames: string[] = [];

  get size(): number {
    return this.#digests.size;
  }

  /** Rows whose words and facts are known: the first ones. */
  get describedCount(): number {
    return this.#labels.size;
  }

  find(digest: string | Uint8Array): number | undefined {
    return this.#digests.find(typeof digest === "string" ? hexToBytes(digest) : digest);
  }

  digest(row: number): string {
    return Buffer.from(this.#digests.digest(row)).toString("hex");
  }

  place(row: number): RowPlace {
    return {
      row,
      blob: this.#blobNames[this.#blobs.at(row)]!,
      offset: this.#offsets.at(row),
      length: this.#lengths.at(row),
      commit: this.#commits.at(row),
      index: this.#indices.at(row),
    };
  }

  /** Facts of a row; empty for one that is not described yet. */
  facts(row: number): RowFacts {
    if (row >= this.describedCount) return { label: null, isWellFormed: true };
    const label = this.#labels.at(row);
    return { label: label > 0 ? this.#labelNames[label - 1]! : null, isWellFormed: label >= 0 };
  }

  commitOf(row: number): number {
    return this.#commits.at(row);
  }

  indexOf(row: number): number {
    return this.#indices.at(row);
  }

  lengthOf(row: number): number {
    return this.#lengths.at(row);
  }

  /** Adds the rows of one blob, one after another. A known row keeps its place. @returns indices in `rows` of the new ones */
  add(
    blob: string,
    rows: readonly { digest: Uint8Array; length: number; commit: number; index: number }[],
  ): number[] {
    const blobNumber = this.#blobNames.push(blob) - 1;
    const fresh: number[] = [];
    let offset = 0;
    for (const [i, { commit, digest, index, length }] of rows.entries()) {
      if (this.#digests.find(digest) === undefined) {
        this.#digests.add(digest);
        this.#commits.push(commit);
        this.#indices.push(index);
        this.#blobs.push(blobNumber);
        this.#offsets.push(offset);
        this.#lengths.push(length);
        fresh.push(i);
      }
      offset += length;
    }
    return fresh;
  }

  /** Takes in the facts of the first row that is not described. */
  describe(card: Pick<Card, "row" | "labels">, content: Uint8Array): void {
    const row = this.describedCount;
    const { isWellFormed, label, text } = viewRow(card, content);
    this.#labels.push(isWellFormed ? this.#labelNumber(label) : -1);
    if (text !== "") this.search.add(row, text);
  }

  /** Moves a row to an earlier commit than the one that it was found in first. */
  move(row: number, commit: number, index: number): void {
    this.#commits.set(row, commit);
    this.#indices.set(row, index);
  }

  #labelNumber(label: string | null): number {
    if (label === null) return 0;
    const at = this.#labelNames.indexOf(label);
    return at >= 0 ? at + 1 : this.#labelNames.push(label);
  }
}
