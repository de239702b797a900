/** Watch actions in viem's style: a callback reports changes, until they have ended or the caller ends the watch. */
import type { LedgerClient } from "../ledger-client.ts";
import { follow, GUARD_POLL_MS, POLL_MS } from "./feed.ts";
import { getBatch, listBatches } from "./ledger-reads.ts";
import type { SequencerAccess } from "./sequencer-request.ts";
import type { LedgerBatch } from "./sequencer-schemas.ts";
import { type WaitProgress, type WaitResult, type WaitStage, type WaitTarget, waitFor } from "./wait-for.ts";

interface WatchParameters {
  /** Called with the error that ended the watch early: the codes of `waitFor`. */
  onError?: (error: unknown) => void;
}

export type WatchOperationParameters = WaitTarget &
  WatchParameters & {
    /** Called for the present stage, and for each later one; a stage that passes between two reads is skipped. */
    onStage: (reached: WaitResult & Partial<WaitProgress>) => void;
    /** Stage at which the watch ends. Default: final. */
    until?: WaitStage;
  };

/**
 * Follows an operation, a queue entry or a withdrawal from stage to stage.
 * @returns ends the watch
 * @example
 * ```ts
 * const { hash } = await transfer(client, { to: 7, amountWei: parseOpen("1.5") });
 * const unwatch = watchOperation(client, { hash, onStage: ({ stage }) => console.log(stage), onError: console.error });
 * ```
 */
export function watchOperation(
  client: LedgerClient,
  { onError, onStage, until = "final", ...target }: WatchOperationParameters,
): () => void {
  let last: string | null = null;
  const tell = (reached: WaitResult & Partial<WaitProgress>) => {
    if (reached.stage !== last) onStage(reached);
    last = reached.stage;
  };
  return watch(onError, (signal) =>
    waitFor(client, target, until, { signal, timeoutMs: Number.POSITIVE_INFINITY, onProgress: tell }).then(
      tell,
    ),
  );
}

export interface WatchBatchParameters extends WatchParameters {
  /** Number of one batch, which is watched until it is final. Default: the newest, and all that come after it. */
  number?: number;
  /** Called for each batch and each new status of it: closed, proven, submitted, posted, final. */
  onBatch: (batch: LedgerBatch) => void;
}

/** Number of batches that are read again: far more than are between closed and final. */
const WATCHED_BATCHES = 50;

/**
 * Follows batches from status to status.
 * @returns ends the watch
 * @example
 * ```ts
 * const unwatch = watchBatch(client, { onBatch: ({ number, status }) => console.log(number, status) });
 * ```
 */
export function watchBatch(
  client: SequencerAccess,
  { number, onBatch, onError }: WatchBatchParameters,
): () => void {
  const reported = new Map<number, string>();
  let first = number;
  return watch(onError, (signal) =>
    follow(client, "the watch of batches", {
      signal,
      topics: ["batches"],
      async look() {
        const newest =
          number === undefined
            ? await listBatches(client, WATCHED_BATCHES)
            : [await getBatch(client, number)];
        const batches = newest.filter((batch) => batch !== null).reverse();
        first ??= batches.at(-1)?.number ?? 0;
        for (const batch of batches) {
          if (batch.number < first || reported.get(batch.number) === batch.status) continue;
          reported.set(batch.number, batch.status);
          onBatch(batch);
        }
        return number !== undefined && reported.get(number) === "final" ? true : null;
      },
      beforeWait: (isFed) => (isFed ? GUARD_POLL_MS : POLL_MS),
    }),
  );
}

function watch(
  onError: WatchParameters["onError"],
  run: (signal: AbortSignal) => Promise<unknown>,
): () => void {
  const ending = new AbortController();
  run(ending.signal).catch((error: unknown) => {
    if (!ending.signal.aborted) onError?.(error);
  });
  return () => ending.abort();
}
