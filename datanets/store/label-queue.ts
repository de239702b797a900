import { sha256 } from "@noble/hashes/sha2.js";
import type { Card } from "../card/card.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeAt } from "./row-search.ts";

/** How long a row that a labeller was given is kept from being one label too many. */
const RESERVED_MS = 600_000;
/** One in so many rows of a queue is a gold row, as long as the labeller has not had them all. */
const GOLD_EVERY = 8;

/**
 * Which rows a labeller gets next: those that others have begun, so that rows get their labels together; then new ones, from
 * another place for each labeller. Nobody gets a row twice, nor one that is being worked on by as many as it needs.
 */
export class LabelQueue {
  readonly #datanet: HostedDatanet;
  readonly #nowMs: () => number;
  /** Row → leaf → until when. */
  readonly #reserved = new Map<number, Map<number, number>>();

  constructor(datanet: HostedDatanet, nowMs: () => number) {
    this.#datanet = datanet;
    this.#nowMs = nowMs;
  }

  /** Row numbers, at most `limit`. They are kept for the leaf for ten minutes. */
  next(card: Card, leafId: number, limit: number): number[] {
    const { book, rows, touched } = this.#datanet;
    const nowMs = this.#nowMs();
    const wants = (row: number, digest: string | undefined) => {
      const labels = digest === undefined ? null : book.row(digest).labels;
      if (labels?.has(leafId) === true || outcomeAt(this.#datanet, card, row).state !== "waiting")
        return false;
      return (labels?.size ?? 0) + this.#reservedBy(row, leafId, nowMs) < card.labelling.annotatorsPerRow;
    };
    const picked: number[] = [];
    const gold: number[] = [];
    for (const [row, digest] of touched) {
      const said = book.row(digest);
      if (said.gold !== null) {
        if (!said.labels.has(leafId)) gold.push(row);
      } else if (picked.length < limit && wants(row, digest)) picked.push(row);
    }
    const start = rows.size === 0 ? 0 : startOf(leafId) % rows.size;
    for (let i = 0; i < rows.size && picked.length < limit; i++) {
      const row = (start + i) % rows.size;
      if (!touched.has(row) && wants(row, undefined)) picked.push(row);
    }
    for (
      let at = GOLD_EVERY - 1;
      at <= picked.length && gold.length > 0 && picked.length < limit;
      at += GOLD_EVERY
    )
      picked.splice(at, 0, gold.shift()!);
    if (picked.length === 0) picked.push(...gold.slice(0, limit));
    for (const row of picked) {
      const holders = this.#reserved.get(row) ?? new Map<number, number>();
      this.#reserved.set(row, holders.set(leafId, nowMs + RESERVED_MS));
    }
    return picked;
  }

  /** How many others work on a row. */
  #reservedBy(row: number, leafId: number, nowMs: number): number {
    const holders = this.#reserved.get(row);
    if (holders === undefined) return 0;
    const digest = this.#datanet.touched.get(row);
    const labels = digest === undefined ? null : this.#datanet.book.row(digest).labels;
    for (const [holder, untilMs] of holders)
      if (untilMs <= nowMs || labels?.has(holder) === true) holders.delete(holder);
    if (holders.size === 0) this.#reserved.delete(row);
    return holders.size - (holders.has(leafId) ? 1 : 0);
  }
}

function startOf(leafId: number): number {
  const [a, b, c, d] = sha256(new TextEncoder().encode(`queue ${leafId}`)) as unknown as number[];
  return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
}
