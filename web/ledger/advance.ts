/**
 * Updates a journey, one movement of the visitor's money, with what the sequencer and Ethereum say of it. It reads, and sends
 * again what may not have arrived; it signs nothing. poll-once.ts calls it for each journey of the connected address.
 */

import { readOwnEntry } from "@openledger/client/actions/forced/queue-result";
import { searchProposal } from "@openledger/client/actions/l1/await-proposal";
import { findReceipt, l1Error } from "@openledger/client/actions/l1/l1-result";
import { type SearchedBlocks, searchNewestFirst } from "@openledger/client/actions/l1/search-events";
import { type LedgerClient, rollupContract } from "@openledger/client/ledger-client";
import { getBatch, getOperation, getQueueEntry } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch, SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import { resendOperation } from "@openledger/client/tasks/send-once";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Hex, parseEventLogs, type TransactionReceipt } from "viem";
import { problemOf } from "../words/problem.tsx";
import type { Journey, Milestone } from "./journey.ts";

const BATCH_STATUSES = ["closed", "proven", "submitted", "posted", "final"];

/**
 * A journey ends by a verdict of the ledger or of L1 alone. A failure of the look itself is its `lookProblem`.
 * @param pendingWei what L1 owes to the address now
 * @returns the journey as it is now; the same object if nothing is new
 */
export async function advance(
  client: LedgerClient,
  journey: Journey,
  status: SequencerStatus,
  pendingWei: bigint,
): Promise<Journey> {
  const { lookProblem, ...rest } = journey;
  // The same object where nothing is new.
  const before: Journey = lookProblem === undefined ? journey : rest;
  let onLedger = before;
  try {
    onLedger =
      journey.kind === "deposit" || journey.kind === "forcedWithdraw"
        ? await advanceQueued(client, before, status)
        : await advanceOperation(client, before);
    if (onLedger.problem !== undefined) return onLedger;
    const checked = await compareWithL1(client, onLedger);
    return await noticeFinalizeWithdrawal(client, checked, pendingWei);
  } catch (cause) {
    const error = l1Error(cause, "a look at the transfer");
    // L1 has executed a proposal, and the call in it failed.
    if (isRollupError(error, "CLI_L1_REVERTED")) return { ...onLedger, problem: problemOf(error) };
    // A server or node that gives no answer, or one that cannot be used, says nothing of the money.
    const isNews = isRollupError(error) && !error.isRetryable;
    if (!isNews) return lookProblem === undefined ? onLedger : { ...onLedger, lookProblem };
    return { ...onLedger, lookProblem: problemOf(error) };
  }
}

async function advanceQueued(
  client: LedgerClient,
  journey: Journey,
  status: SequencerStatus,
): Promise<Journey> {
  if (journey.queueIndex === undefined && journey.proposal !== undefined) {
    const search = await searchProposal(client, journey.proposal, journey.searched);
    if (search.found === null) return withSearched(journey, search.searched);
    const { proposal, searched: _, ...rest } = journey;
    const { queueIndex, transactionHash: queuedHash } = readOwnEntry(client, search.found, proposal.effect);
    return reached({ ...rest, queueIndex, queuedHash }, "queued", Date.now());
  }
  if (journey.queueIndex === undefined) {
    if (journey.queuedHash === undefined) return journey;
    const receipt = await findReceipt(client, journey.queuedHash);
    if (receipt === null) return journey;
    if (receipt.status !== "success") {
      const message = `the transaction ${journey.queuedHash} was reverted`;
      return { ...journey, problem: { code: "CLI_L1_REVERTED", message } };
    }
    const [added] = parseEventLogs({ abi: rollupAbi, logs: receipt.logs, eventName: "QueueEntryAdded" });
    if (added === undefined) return journey;
    const queued = { ...journey, queueIndex: Number(added.args.index) };
    return reached(queued, "queued", Date.now());
  }
  // Sooner the sequencer does not know it, and the browser would call its answer an error.
  const isSeen = journey.queueIndex < status.queue.seenIndex;
  const entry = isSeen ? await getQueueEntry(client, journey.queueIndex) : null;
  if (entry?.status === "invalid") {
    const message = `L1's queue entry ${journey.queueIndex} was taken without effect`;
    return { ...journey, problem: { code: "CLI_QUEUE_ENTRY_INVALID", message } };
  }
  if (entry?.status !== "executed" || entry.batchNumber == null) {
    return { ...journey, expectedAtMs: estimate(journey, status) };
  }
  const acceptedJourney = {
    ...journey,
    batchNumber: entry.batchNumber,
    expectedAtMs: estimate(journey, status),
  };
  return followBatch(client, reached(acceptedJourney, "accepted", Date.now()));
}

async function advanceOperation(client: LedgerClient, journey: Journey): Promise<Journey> {
  if (journey.hash === undefined) return journey;
  if (journey.signed !== undefined) {
    // Signed, and perhaps never sent: the sequencer answers the same for a second time.
    const sent = await resendOperation(client, journey.signed);
    if (!sent.isTaken && sent.refusal !== null) return { ...journey, problem: problemOf(sent.refusal) };
    if (sent.isTaken && sent.result.status === "pending") return journey;
    const { signed: _, ...rest } = journey;
    // Dropped: the next look names the reason.
    if (!sent.isTaken) return rest;
    return reached(rest, "accepted", Date.now());
  }
  const operation = await getOperation(client, journey.hash);
  if (operation === null) return journey;
  if (operation.status === "dropped") {
    const message = `the sequencer dropped it: ${operation.reason ?? "no reason given"}`;
    return { ...journey, problem: { code: "CLI_OPERATION_DROPPED", message } };
  }
  const expected = Object.entries(operation.estimatedReadyAtMs ?? {}).flatMap(([name, atMs]) =>
    atMs == null ? [] : [[name, atMs] as const],
  );
  const known = { ...journey, expectedAtMs: Object.fromEntries(expected) };
  if (operation.batchNumber == null) return known;
  const accepted = reached(known, "accepted", operation.acknowledgedAtMs ?? Date.now());
  return followBatch(client, { ...accepted, batchNumber: operation.batchNumber });
}

async function followBatch(client: LedgerClient, journey: Journey): Promise<Journey> {
  const batch = await getBatch(client, journey.batchNumber!);
  return batch === null ? journey : withBatch(journey, batch);
}

/** Adds the batch's milestones: at its own times if the sequencer tells them, else at the time of this look. */
function withBatch(journey: Journey, batch: LedgerBatch): Journey {
  const at = BATCH_STATUSES.indexOf(batch.status);
  const times: [Milestone, number, number | null | undefined][] = [
    ["closed", 0, batch.closedAtMs],
    ["proven", 1, batch.provenAtMs],
    ["posted", 3, batch.postedAtMs],
    ["final", 4, null],
  ];
  let now = journey;
  // This look may have come later than the batch was closed.
  const acceptedAtMs = journey.reachedAtMs.accepted;
  if (acceptedAtMs !== undefined && batch.closedAtMs != null && batch.closedAtMs < acceptedAtMs)
    now = { ...journey, reachedAtMs: { ...journey.reachedAtMs, accepted: batch.closedAtMs } };
  for (const [milestone, from, atMs] of times)
    if (at >= from) now = reached(now, milestone, atMs ?? Date.now());
  return at < 3 || batch.l1TransactionHash == null ? now : { ...now, postedHash: batch.l1TransactionHash };
}

/** Checks the transaction on L1 that posted the batch, by the server: does it credit or consume what it should? */
async function compareWithL1(client: LedgerClient, journey: Journey): Promise<Journey> {
  if (journey.postedHash === undefined || journey.l1Verdict !== undefined) return journey;
  const receipt = await findReceipt(client, journey.postedHash);
  if (receipt === null) return journey;
  const l1Verdict = agrees(client, journey, receipt) ? "agrees" : "differs";
  return { ...journey, l1Verdict, postedBlock: Number(receipt.blockNumber) };
}

function agrees(
  { rollupAddress, wallet }: LedgerClient,
  journey: Journey,
  receipt: TransactionReceipt,
): boolean {
  if (receipt.status !== "success") return false;
  const own = receipt.logs.filter(({ address }) => address.toLowerCase() === rollupAddress.toLowerCase());
  const logs = parseEventLogs({ abi: rollupAbi, logs: own });
  const { batchNumber, queueIndex, amountWei, kind } = journey;
  const inBatch = (number: bigint) => Number(number) === batchNumber;
  const isAccepted = logs.some((log) => log.eventName === "BatchAccepted" && inBatch(log.args.batchNumber));
  if (!isAccepted) return false;
  if (kind === "deposit" || kind === "forcedWithdraw") {
    return logs.some(
      (log) =>
        log.eventName === "QueueEntryConsumed" &&
        Number(log.args.index) === queueIndex &&
        log.args.isValid &&
        log.args.executedWei === amountWei,
    );
  }
  if (kind === "withdraw") {
    return logs.some(
      (log) =>
        log.eventName === "WithdrawalCredited" &&
        log.args.recipient === wallet?.account.address &&
        log.args.amountWei === amountWei &&
        inBatch(log.args.batchNumber),
    );
  }
  return true;
}

/** Notices a payout. A payout pays all that is owed: if nothing is owed any more, this amount was paid, too. */
async function noticeFinalizeWithdrawal(
  client: LedgerClient,
  journey: Journey,
  pendingWei: bigint,
): Promise<Journey> {
  const { kind, reachedAtMs, l1Verdict } = journey;
  if (
    kind === "deposit" ||
    kind === "transfer" ||
    kind === "answer" ||
    reachedAtMs.paidOut !== undefined ||
    l1Verdict !== "agrees"
  )
    return journey;
  const { searched: _, ...rest } = journey;
  // Owed again, by another withdrawal: it can be finalized, and the next payout is a later one.
  if (pendingWei > 0n) return journey.searched === undefined ? journey : rest;
  const postedBlock = journey.postedBlock ?? (await findReceipt(client, journey.postedHash!))?.blockNumber;
  if (postedBlock === undefined) return journey;
  const target = {
    ...rollupContract(client),
    eventName: "WithdrawalFinalized",
    args: { recipient: client.wallet!.account.address },
  } as const;
  // The oldest one is this withdrawal's: a later one paid what was owed later.
  let payoutHash: Hex | null = null;
  const range = { firstBlock: BigInt(postedBlock), searched: journey.searched };
  const search = await searchNewestFirst(client, range, async (fromBlock, toBlock) => {
    const [oldest] = await client.l1.getContractEvents({ ...target, fromBlock, toBlock });
    if (oldest !== undefined) payoutHash = oldest.transactionHash;
    return null;
  });
  if (payoutHash === null && search.found === null) return withSearched(journey, search.searched);
  return reached({ ...rest, payoutHash: payoutHash ?? undefined }, "paidOut", Date.now());
}

/** The same object where the search has read no new block. */
function withSearched(journey: Journey, searched: SearchedBlocks): Journey {
  const { fromBlock, isCut, toBlock } = journey.searched ?? {};
  const isSame = fromBlock === searched.fromBlock && toBlock === searched.toBlock && isCut === searched.isCut;
  return isSame ? journey : { ...journey, searched };
}

/** The first time counts. */
export function reached(journey: Journey, milestone: Milestone, atMs: number): Journey {
  if (journey.reachedAtMs[milestone] !== undefined) return journey;
  return { ...journey, reachedAtMs: { ...journey.reachedAtMs, [milestone]: atMs } };
}

/** Estimates the times of milestones from the medians of recent batches, on top of the milestones reached. */
function estimate({ reachedAtMs }: Journey, { estimates }: SequencerStatus): Journey["expectedAtMs"] {
  const { closeMs, proveMs, postMs, finalMs = 0 } = estimates;
  const ahead: [Milestone, number][] = [
    ["accepted", closeMs],
    ["closed", closeMs],
    ["proven", proveMs],
    ["posted", postMs],
    ["final", finalMs],
  ];
  let atMs = reachedAtMs.queued ?? Date.now();
  return Object.fromEntries(
    ahead.map(([milestone, durationMs]) => {
      atMs = reachedAtMs[milestone] ?? Math.max(Date.now(), atMs + durationMs);
      return [milestone, atMs];
    }),
  );
}
