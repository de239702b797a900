/** Latest executed records of every kind, in short: a list for people. GET /v1/records answers with it. */
import { decodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND, kindRule, QUEUED_WEI_KINDS } from "@openledger/circuits/protocol";
import type { ExecutedEntry, OperationEntry, SettlementEntry } from "../store/log-entry.ts";
import type { LedgerHost } from "./api-options.ts";

/** Lists records, newest first. @param before sequence of an entry */
export async function latestRecords(
  { pipeline, log }: Pick<LedgerHost, "pipeline" | "log">,
  { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number | undefined; limit: number },
) {
  const last = Math.min(before, log.lastSequence + 1);
  const { found, nextBefore } = await log.executedBefore(last, limit);
  const { registry } = pipeline;
  const reached = (["final", "posted", "proven", "closed"] as const).map(
    (status) => [status, registry.reached(status)] as const,
  );
  const statusOf = (batchNumber: number) =>
    reached.find(([, number]) => batchNumber <= number)?.[0] ?? "acknowledged";
  const closedAtMs = new Map<number, number | null>();
  const timeOf = async (batchNumber: number) => {
    if (!closedAtMs.has(batchNumber))
      closedAtMs.set(batchNumber, (await pipeline.batch(batchNumber))?.closedAtMs ?? pipeline.openedAtMs);
    return closedAtMs.get(batchNumber)!;
  };
  const records = [];
  for (const [sequence, entry] of found) {
    const { batchNumber } = entry;
    // Entries of L1's queue have no time of their own here: they get the time of their batch.
    const atMs = entry.type === "queue" ? await timeOf(batchNumber) : entry.acknowledgedAtMs;
    records.push({ sequence, ...factsOf(entry), batchNumber, status: statusOf(batchNumber), atMs });
  }
  return { records, nextBefore };
}

function factsOf(entry: ExecutedEntry) {
  const none = { hash: null, queueIndex: null, epoch: null, createdId: null, isValid: true };
  switch (entry.type) {
    case "operation": {
      const { createdId, hash, operation } = entry;
      const { a, b, kind } = operation;
      return { ...none, kind: nameOf(kind), a, b, createdId, hash, amountWei: amountOf(entry) };
    }
    case "queue": {
      const { a, amountWei, b, kind, queueIndex } = entry.operation;
      const amount = QUEUED_WEI_KINDS.has(kind) && amountWei > 0n ? amountWei.toString() : null;
      return { ...none, kind: nameOf(kind), a, b, queueIndex, isValid: entry.isValid, amountWei: amount };
    }
    case "settlement": {
      const { epoch, operation } = entry;
      const { kind, modelId } = operation;
      return { ...none, kind: nameOf(kind), a: modelId, b: modelId, epoch, amountWei: settledWei(entry) };
    }
    default:
      return entry satisfies never;
  }
}

const nameOf = (kind: number) => kindRule(kind)?.name ?? "unknown";

function amountOf({ operation: { amountCode, kind, words } }: OperationEntry): string | null {
  if (kind === KIND.withdraw) return words[1]!.toString();
  return kindRule(kind)?.movesAmount === true ? decodeAmount(amountCode).toString() : null;
}

function settledWei({ operation }: SettlementEntry): string | null {
  if (operation.kind !== KIND.settle) return null;
  const { burnedWei, earnedWei, ownerWei, treasuryWei } = operation;
  return earnedWei.reduce((sum, wei) => sum + wei, ownerWei + treasuryWei + burnedWei).toString();
}
