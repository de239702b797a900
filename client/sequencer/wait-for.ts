import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Hex } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { type Feed, openFeed } from "./feed.ts";
import { getBatch, getOperation, getQueueEntry, getStatus } from "./ledger-reads.ts";
import type { LedgerOperation, OperationStatus, SequencerStatus } from "./sequencer-schemas.ts";

/** In the order in which an operation passes them. */
const STAGES = ["pending", "acknowledged", "closed", "proven", "posted", "final"] as const;
export type Stage = (typeof STAGES)[number];
/** "finalizable" is "posted", asked of a withdrawal: from then on `finalizeWithdrawal` pays it out. */
export type WaitStage = Exclude<Stage, "pending"> | "finalizable";

/** An operation, a queue entry, or a withdrawal that is either. */
export type WaitTarget =
  | { hash: Hex }
  | { queueIndex: number }
  | { withdrawal: { hash: Hex } | { queueIndex: number } };

export interface WaitProgress {
  stage: Stage;
  elapsedMs: number;
  /** The sequencer's guess; null where it has none. */
  remainingMs: number | null;
  /** How news arrive: "feed" at once, "polling" once a second. */
  via: "feed" | "polling";
}

export interface WaitOptions {
  onProgress?: (progress: WaitProgress) => void;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface WaitResult {
  stage: Stage;
  batchNumber: number | null;
  l1TransactionHash: Hex | null;
  /** The leaf that a Create opened or an operation acted on; null for queue entries. */
  operation: LedgerOperation | null;
}

const POLL_MS = 1000;
/** With the feed, polling only guards against a lost message. */
const GUARD_POLL_MS = 5000;
/** A burst of messages causes one look. */
const SETTLE_MS = 50;

/**
 * Waits until an operation has reached a stage. The feed wakes it up; without a feed it polls once a second.
 *
 * @throws CLI_WAIT_ENDED, CLI_OPERATION_DROPPED, CLI_QUEUE_ENTRY_INVALID
 */
export async function waitFor(
  client: LedgerClient,
  target: WaitTarget,
  wanted: WaitStage,
  options: WaitOptions = {},
): Promise<WaitResult> {
  const { onProgress, signal, timeoutMs = 600_000 } = options;
  const goal = STAGES.indexOf(wanted === "finalizable" ? "posted" : wanted);
  const plain = "withdrawal" in target ? target.withdrawal : target;
  const startedAt = Date.now();
  const bell = new Bell();
  let feed: Feed | null = null;
  let last: WaitResult | null = null;
  const aborted = () =>
    clientError("CLI_WAIT_ENDED", `the wait for ${describe(plain)} was aborted`, {
      data: { reason: "aborted" },
    });
  const onAbort = () => bell.ring();
  signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      if (signal?.aborted) throw aborted();
      const result: WaitResult = await lookUp(client, plain).catch((error: unknown) => {
        // A sequencer that has answered before and is away for a moment is waited for, too.
        if (last === null || !isRollupError(error) || !error.isRetryable || signal?.aborted) throw error;
        return last;
      });
      last = result;
      if (STAGES.indexOf(result.stage) >= goal) return result;
      const elapsedMs = Date.now() - startedAt;
      if (elapsedMs >= timeoutMs) {
        throw clientError(
          "CLI_WAIT_ENDED",
          `${describe(plain)} is ${result.stage} after ${Math.round(elapsedMs / 1000)} s, not ${wanted}`,
          {
            data: { reason: "timeout", target: plain, stage: result.stage, wanted, elapsedMs },
          },
        );
      }
      if (feed !== null && !feed.isOpen) {
        feed.close();
        feed = null;
      }
      feed ??= await openFeed(client, ["operations", "batches"], () => bell.ring());
      if (onProgress !== undefined) {
        const remainingMs = await estimateRemainingMs(client, result, goal);
        onProgress({ stage: result.stage, elapsedMs, remainingMs, via: feed.isOpen ? "feed" : "polling" });
      }
      // Of queue entries the feed tells only when their batch closes.
      const pollMs = feed.isOpen && "hash" in plain ? GUARD_POLL_MS : POLL_MS;
      await bell.wait(Math.min(pollMs, timeoutMs - elapsedMs));
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    feed?.close();
  }
}

/** Rings once for any number of pulls; one that came before the wait counts. */
class Bell {
  #hasRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  async wait(timeoutMs: number): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    if (this.#hasRung) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    this.#hasRung = false;
  }
}

async function lookUp(
  client: LedgerClient,
  target: { hash: Hex } | { queueIndex: number },
): Promise<WaitResult> {
  return "hash" in target
    ? lookUpOperation(client, target.hash)
    : lookUpQueueEntry(client, target.queueIndex);
}

async function lookUpOperation(client: LedgerClient, hash: Hex): Promise<WaitResult> {
  const operation = await getOperation(client, hash);
  if (operation === null)
    return { stage: "pending", batchNumber: null, l1TransactionHash: null, operation: null };
  if (operation.status === "dropped") {
    throw clientError(
      "CLI_OPERATION_DROPPED",
      `operation ${hash} was dropped: ${operation.reason ?? "no reason given"}`,
      {
        data: { hash, reason: operation.reason },
      },
    );
  }
  return {
    stage: operation.status,
    batchNumber: operation.batchNumber ?? null,
    l1TransactionHash: operation.l1TransactionHash ?? null,
    operation,
  };
}

async function lookUpQueueEntry(client: LedgerClient, queueIndex: number): Promise<WaitResult> {
  const waiting: WaitResult = {
    stage: "pending",
    batchNumber: null,
    l1TransactionHash: null,
    operation: null,
  };
  const entry = await getQueueEntry(client, queueIndex);
  if (entry === null || entry.status === "queued") return waiting;
  if (entry.status === "invalid") {
    throw clientError("CLI_QUEUE_ENTRY_INVALID", `queue entry ${queueIndex} was consumed without effect`, {
      data: { queueIndex, batchNumber: entry.batchNumber },
    });
  }
  const batchNumber = entry.batchNumber ?? null;
  const batch = batchNumber === null ? null : await getBatch(client, batchNumber);
  return {
    ...waiting,
    stage: stageOfBatch(batch?.status),
    batchNumber,
    l1TransactionHash: batch?.l1TransactionHash ?? null,
  };
}

/** An executed operation is acknowledged while its batch is open; "submitted" is on its way from proven to posted. */
function stageOfBatch(status: string | undefined): Exclude<OperationStatus, "dropped"> {
  if (status === "closed" || status === "proven" || status === "posted" || status === "final") return status;
  return status === "submitted" ? "proven" : "acknowledged";
}

async function estimateRemainingMs(
  client: LedgerClient,
  result: WaitResult,
  goal: number,
): Promise<number | null> {
  const ready = result.operation?.estimatedReadyAtMs?.[STAGES[goal]!];
  if (typeof ready === "number") return Math.max(0, ready - Date.now());
  const status = await getStatus(client).catch(() => null);
  return status === null ? null : sumEstimates(status, STAGES.indexOf(result.stage), goal);
}

function sumEstimates({ estimates }: SequencerStatus, from: number, goal: number): number {
  // Time to leave each stage; entering the queue is one close away from being executed.
  const leaveMs = [
    estimates.closeMs,
    estimates.closeMs,
    estimates.proveMs,
    estimates.postMs,
    estimates.postMs,
  ];
  return leaveMs.slice(from, goal).reduce((sum, ms) => sum + ms, 0);
}

function describe(target: { hash: Hex } | { queueIndex: number }): string {
  return "hash" in target ? `operation ${target.hash}` : `queue entry ${target.queueIndex}`;
}
