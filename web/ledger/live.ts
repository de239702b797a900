/**
 * State of the ledger that all pages show, kept fresh: the sequencer's feed tells that something happened, a request tells
 * what.
 */

import { type Feed, openFeed } from "@openledger/client/sequencer/feed";
import { getStatus, listBatches, readInfo } from "@openledger/client/sequencer/ledger-reads";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import type {
  LedgerBatch,
  SequencerInfo,
  SequencerStatus,
} from "@openledger/client/sequencer/sequencer-schemas";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Problem, problemOf } from "../words/problem.tsx";
import { coalesced } from "./coalesced.ts";

/** live: news come by themselves; polling: the page asks; lost: nobody answers. */
export type Link = "connecting" | "live" | "polling" | "lost";

/** Batches that the first page may show. */
const BATCHES_SHOWN = 8;
/** Interval at which ages on the pages are renewed. */
const TICK_MS = 1_000;
/** Interval of looks while the feed is connected: they only guard against a lost message. */
const GUARD_MS = 5_000;
/** Interval of looks without the feed. */
const POLL_MS = 2_000;
/** A burst of messages causes one look. */
const SETTLE_MS = 150;
/** Age from which a block is old: far more than two clocks differ by. */
const OLD_BLOCK_MS = 300_000;
/** Age of the last block from which L1 stalls: several blocks, one every 12 seconds, do not come late by chance. */
export const L1_STALL_MS = 90_000;

export class Live {
  readonly #access: SequencerAccess;
  readonly #infoCell = signal<SequencerInfo | null>(null);
  readonly #statusCell = signal<SequencerStatus | null>(null);
  readonly #batchesCell = signal<readonly LedgerBatch[]>([]);
  readonly #linkCell = signal<Link>("connecting");
  readonly #problemCell = signal<Problem | null>(null);
  readonly #l1Cell = signal<{ readonly blockNumber: number; readonly sinceMs: number } | null>(null);
  readonly #clockCell: Signal<number> = signal(Date.now());
  readonly #listeners = new Set<() => void>();
  #feed: Feed | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #lookedAtMs = 0;

  constructor(access: SequencerAccess) {
    this.#access = access;
  }

  get info(): ReadonlySignal<SequencerInfo | null> {
    return this.#infoCell;
  }
  get status(): ReadonlySignal<SequencerStatus | null> {
    return this.#statusCell;
  }
  /** Newest first. */
  get batches(): ReadonlySignal<readonly LedgerBatch[]> {
    return this.#batchesCell;
  }
  get link(): ReadonlySignal<Link> {
    return this.#linkCell;
  }
  /** The newest Ethereum block that the server knows, and since when. */
  get l1(): ReadonlySignal<{ readonly blockNumber: number; readonly sinceMs: number } | null> {
    return this.#l1Cell;
  }
  /** Why the link is lost. */
  get problem(): ReadonlySignal<Problem | null> {
    return this.#problemCell;
  }
  /** The time, once a second: whatever shows an age reads it. */
  get nowMs(): ReadonlySignal<number> {
    return this.#clockCell;
  }

  /** Called after each look, at news and otherwise every few seconds. @returns the function that ends it */
  onLook(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Acts now, and again after each look until it has succeeded once. @returns the function that ends it */
  untilDone(act: () => Promise<void>): () => void {
    let isActing = false;
    const attempt = () => {
      if (isActing) return;
      isActing = true;
      act().then(stop, () => {
        isActing = false;
      });
    };
    const stop = this.onLook(attempt);
    attempt();
    return stop;
  }

  start(): void {
    this.#look();
    void this.#connect();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#ticker);
    clearTimeout(this.#settling);
    this.#feed?.close();
  }

  /** Something happened, here or there: look soon. */
  ring(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#look(), SETTLE_MS);
  }

  #tick(): void {
    this.#clockCell.value = Date.now();
    const isFed = this.#feed?.isOpen === true;
    // Anyone who does not answer a question has no feed, either.
    if (!isFed && this.#linkCell.value !== "lost") void this.#connect();
    if (this.#clockCell.value - this.#lookedAtMs >= (isFed ? GUARD_MS : POLL_MS)) this.#look();
  }

  /** Uses a block's own time only if it is long ago: clocks differ. */
  #noteL1({ blockNumber, timestamp }: SequencerStatus["l1"]): void {
    if (blockNumber === 0 || blockNumber === this.#l1Cell.value?.blockNumber) return;
    const minedAtMs = 1_000 * timestamp;
    const isOld = this.#l1Cell.value === null && Date.now() - minedAtMs > OLD_BLOCK_MS;
    this.#l1Cell.value = { blockNumber, sinceMs: isOld ? minedAtMs : Date.now() };
  }

  #connectedAtMs = 0;
  async #connect(): Promise<void> {
    if (Date.now() - this.#connectedAtMs < GUARD_MS) return;
    this.#connectedAtMs = Date.now();
    this.#feed?.close();
    this.#feed = await openFeed(this.#access, ["operations", "batches"], () => this.ring());
  }

  readonly #look = coalesced(async () => {
    // No guard is needed during a look.
    this.#lookedAtMs = Number.POSITIVE_INFINITY;
    try {
      const [info, status, batches] = await Promise.all([
        this.#infoCell.value ?? readInfo(this.#access),
        getStatus(this.#access),
        listBatches(this.#access, BATCHES_SHOWN),
      ]);
      this.#infoCell.value = info;
      this.#statusCell.value = status;
      this.#noteL1(status.l1);
      this.#batchesCell.value = batches;
      this.#linkCell.value = this.#feed?.isOpen === true ? "live" : "polling";
      this.#problemCell.value = null;
    } catch (error) {
      this.#linkCell.value = "lost";
      this.#problemCell.value = problemOf(error);
    }
    this.#lookedAtMs = Date.now();
    for (const listener of this.#listeners) listener();
  });
}
