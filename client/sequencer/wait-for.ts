/**
 * Waits for a stage of an operation, queue entry or withdrawal, from acknowledged to final, with estimates in milliseconds.
 * Wallets, the command line and the devnet wait by it.
 */
import type { OperationStatus } from "@openledger/circuits/wire/operation-status";
import type { Hex } from "viem";
import { clientError } from "../client-errors.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { follow, GUARD_POLL_MS, POLL_MS } from "./feed.ts";
import { getBatch, getOperation, getQueueEntry, getStatus } from "./ledger-reads.ts";
import type { LedgerOperation, SequencerStatus } from "./sequencer-schemas.ts";

/** Stages in the order in which an operation passes them. */
const STAGES = ["pending", "acknowledged", "closed", "proven", "posted", "final"] as const;
export type Stage = (typeof STAGES)[number];
/** Stage to wait for. "finalizable" is "posted" for a withdrawal: from then on `finalizeWithdrawal` pays it out. */
export type WaitStage = Exclude<Stage, "pending"> | "finalizable";

/** An operation, a queue entry, or a withdrawal that is either. */
export type WaitTarget =
  | { hash: Hex }
  | { queueIndex: number }
  | { withdrawal: { hash: Hex } | { queueIndex: number } };

export interface WaitProgress extends WaitResult {
  elapsedMs: number;
  /** The sequencer's estimate of the remaining milliseconds; null where it has none. */
  remainingMs: number | null;
  /** Source of news: "feed" at once, "polling" once a second. */
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
  /** Operation, with the leaf that it opened or acted on; null for queue entries. */
  operation: LedgerOperation | null;
}

/**
 * Waits until an operation has reached a stage. The feed wakes it up; without a feed it polls once a second.
 *
 * @throws CLI_WAIT_ENDED, CLI_OPERATION_DROPPED, CLI_QUEUE_ENTRY_INVALID
 */
export async function waitFor(
  client: LedgerClient,
  target: WaitTarget,
  until: WaitStage,
  options: WaitOptions = {},
): Promise<WaitResult> {
  const { onProgress, signal, timeoutMs = 600_000 } = options;
  const goal = STAGES.indexOf(until === "finalizable" ? "posted" : until);
  const plain = "withdrawal" in target ? target.withdrawal : target;
  const startedAt = Date.now();
  let last: WaitResult | null = null;
  return follow(client, `the wait for ${describe(plain)}`, {
    signal,
    topics: ["operations", "batches"],
    async look() {
      last = await lookUp(client, plain);
      return STAGES.indexOf(last.stage) >= goal ? last : null;
    },
    async beforeWait(isFed) {
      const elapsedMs = Date.now() - startedAt;
      const { stage } = last!;
      if (elapsedMs >= timeoutMs) {
        throw clientError(
          "CLI_WAIT_ENDED",
          `${describe(plain)} is ${stage} after ${Math.round(elapsedMs / 1000)} s, not ${until}`,
          { data: { reason: "timeout", target: plain, stage, wanted: until, elapsedMs } },
        );
      }
      if (onProgress !== undefined) {
        const remainingMs = await estimateRemainingMs(client, last!, goal);
        onProgress({ ...last!, elapsedMs, remainingMs, via: isFed ? "feed" : "polling" });
      }
      // The feed reports queue entries only when their batch closes.
      return Math.min(isFed && "hash" in plain ? GUARD_POLL_MS : POLL_MS, timeoutMs - elapsedMs);
    },
  });
}

const lookUp = (client: LedgerClient, target: { hash: Hex } | { queueIndex: number }): Promise<WaitResult> =>
  "hash" in target ? lookUpOperation(client, target.hash) : lookUpQueueEntry(client, target.queueIndex);

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

/**
 * Stage of a batch's operations, by the batch's status. Executed ones are acknowledged while it is open; "submitted" is
 * between proven and posted.
 * @internal
 */
export function stageOfBatch(status: string | undefined): Exclude<OperationStatus, "dropped"> {
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
