import { sha256 } from "@noble/hashes/sha2.js";
import { type Card, mayVouch } from "../card/card.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeAt } from "./row-search.ts";

/** Time for which a row is reserved for the labeller who got it, so that it gets no label too many. */
const RESERVED_MS = 120_000;
/** One in this many rows of a labeller is a gold row, as long as there are gold rows they have not had. */
const GOLD_EVERY = 8;

export interface LabelRequest {
  /** Maximum rows. */
  readonly limit: number;
  /** Rows that the leaf has labelled, and will send: they stay reserved, and are not given again. */
  readonly unsent: ReadonlySet<number>;
  /** Rows that the leaf does not want now. */
  readonly skipped: ReadonlySet<number>;
}

export interface LabelPick {
  readonly rows: readonly number[];
  /** Rows that the leaf could label, were they not with others just now; null for none. */
  readonly held: {
    readonly rowCount: number;
    readonly leafIds: readonly number[];
    /** Time at which the first of them is free at the latest. */
    readonly untilMs: number;
  } | null;
}

/**
 * Chooses a labeller's next rows: first those that others have begun, so that rows get their labels together; then new
 * ones, from another place for each labeller. Nobody gets a row twice, nor one that as many labellers as it needs work
 * on already.
 */
export class LabelQueue {
  readonly #datanet: HostedDatanet;
  readonly #nowMs: () => number;
  /** Reservations: row → leaf → end in Unix milliseconds. */
  readonly #reserved = new Map<number, Map<number, number>>();

  constructor(datanet: HostedDatanet, nowMs: () => number) {
    this.#datanet = datanet;
    this.#nowMs = nowMs;
  }

  /**
   * Row numbers: they are reserved for the leaf for two minutes, and what was reserved for it before is free again, unless it
   * is unsent. Contributors get none of their own rows where the card does not say so.
   */
  next(card: Card, leafId: number, { limit, skipped, unsent }: LabelRequest): LabelPick {
    const { recordState, rows, touched } = this.#datanet;
    const nowMs = this.#nowMs();
    this.#release(leafId, unsent);
    let heldCount = 0;
    let freeAtMs = Number.POSITIVE_INFINITY;
    const heldBy = new Set<number>();
    const isPassed = (row: number) => unsent.has(row) || skipped.has(row);
    const isOwn = (row: number) => !mayVouch(card, leafId, this.#datanet.contributorOf(rows.digest(row)));
    const wants = (row: number, digest: string | undefined) => {
      const labels = digest === undefined ? null : recordState.row(digest).labels;
      if (labels?.has(leafId) === true || outcomeAt(this.#datanet, card, row).state !== "waiting")
        return false;
      if (isPassed(row) || isOwn(row)) return false;
      const holders = this.#holders(row, nowMs);
      if ((labels?.size ?? 0) + holders.size < card.labelling.annotatorsPerRow) return true;
      heldCount += 1;
      for (const holder of holders.keys()) heldBy.add(holder);
      freeAtMs = Math.min(freeAtMs, ...holders.values());
      return false;
    };
    const picked: number[] = [];
    const gold: number[] = [];
    for (const [row, digest] of touched) {
      const records = recordState.row(digest);
      if (records.gold !== null) {
        if (!records.labels.has(leafId) && !isPassed(row) && !isOwn(row)) gold.push(row);
      } else if (picked.length < limit && wants(row, digest)) picked.push(row);
    }
    const start = rows.size === 0 ? 0 : startOf(leafId) % rows.size;
    for (let i = 0; i < rows.size && picked.length < limit; i++) {
      const row = (start + i) % rows.size;
      if (!touched.has(row) && wants(row, undefined)) picked.push(row);
    }
    const doneCount = (recordState.labelCounts.get(leafId) ?? 0) + unsent.size;
    for (let at = GOLD_EVERY - 1 - (doneCount % GOLD_EVERY); at <= picked.length; at += GOLD_EVERY)
      if (gold.length > 0) picked.splice(at, 0, gold.shift()!);
    if (picked.length === 0) picked.push(...gold);
    picked.splice(limit);
    for (const row of picked) {
      const holders = this.#reserved.get(row) ?? new Map<number, number>();
      this.#reserved.set(row, holders.set(leafId, nowMs + RESERVED_MS));
    }
    const held = { rowCount: heldCount, leafIds: [...heldBy], untilMs: freeAtMs };
    return { rows: picked, held: heldCount === 0 ? null : held };
  }

  #release(leafId: number, unsent: ReadonlySet<number>): void {
    for (const [row, holders] of this.#reserved)
      if (!unsent.has(row) && holders.delete(leafId) && holders.size === 0) this.#reserved.delete(row);
  }

  /** Returns the end of each labeller's reservation of a row. */
  #holders(row: number, nowMs: number): ReadonlyMap<number, number> {
    const holders = this.#reserved.get(row);
    if (holders === undefined) return new Map();
    const digest = this.#datanet.touched.get(row);
    const labels = digest === undefined ? null : this.#datanet.recordState.row(digest).labels;
    for (const [holder, untilMs] of holders)
      if (untilMs <= nowMs || labels?.has(holder) === true) holders.delete(holder);
    if (holders.size === 0) this.#reserved.delete(row);
    return holders;
  }
}

function startOf(leafId: number): number {
  const [a, b, c, d] = sha256(new TextEncoder().encode(`queue ${leafId}`)) as unknown as number[];
  return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
}
