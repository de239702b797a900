/**
 * Journey: one movement of the visitor's money (deposit, transfer, withdrawal, paid answer) from its signature to its end, as
 * the browser stores it, and the steps that the bridge page shows.
 */

import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { EFFECT_CONTRACTS, EFFECT_EVENTS } from "@openledger/client/l1-proposal";
import { type Address, type Hex, isAddress } from "viem";
import { z } from "zod";

const JOURNEY_KINDS = ["deposit", "transfer", "withdraw", "forcedWithdraw", "answer"] as const;
export type JourneyKind = (typeof JOURNEY_KINDS)[number];

/** Milestones in order. A deposit begins with sent and queued, an operation signed for the ledger with signed. */
const MILESTONES = [
  "signed",
  "sent",
  "queued",
  "accepted",
  "closed",
  "proven",
  "posted",
  "final",
  "paidOut",
] as const;
export type Milestone = (typeof MILESTONES)[number];

const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]*$/)
  .transform((text) => text as Hex);

const address = z
  .string()
  .refine((text) => isAddress(text))
  .transform((text) => text as Address);

const problemSchema = z.object({ code: z.string().nullable(), message: z.string() });

/** Journey as the browser stores it: no key, and nothing that moves more money than its owner meant to. */
export const journeySchema = z.object({
  id: z.string(),
  kind: z.enum(JOURNEY_KINDS),
  amountWei: z.string().regex(/^\d+$/).transform(BigInt),
  startedAtMs: z.number(),
  /** The leaf that a transfer or a payment pays. */
  toLeaf: z.int().optional(),
  /** Receipt of the answer that is paid: its name on the ledger. */
  receipt: hex.optional(),
  /** L1 transaction of an operation that goes through the queue; `queueIndex` is its place there. */
  queuedHash: hex.optional(),
  queueIndex: z.int().optional(),
  /** Proposal to a contract wallet, until its owners have sent it. */
  proposal: z
    .object({
      account: address,
      hash: hex,
      isTransaction: z.boolean(),
      fromBlock: z.int(),
      effect: z.object({
        contract: z.enum(EFFECT_CONTRACTS),
        event: z.enum(EFFECT_EVENTS),
        args: z.record(z.string(), z.string()),
        address: address.optional(),
      }),
    })
    .optional(),
  /** Transfer and withdrawal: as it was signed, until the sequencer acknowledges it; then its name alone. */
  signed: z.unknown().optional(),
  hash: hex.optional(),
  batchNumber: z.int().optional(),
  /** L1's transaction that took the batch. */
  postedHash: hex.optional(),
  /** Verdict on that transaction: whether L1 agrees with the server. */
  l1Verdict: z.enum(["agrees", "differs"]).optional(),
  /** Block of that transaction. */
  postedBlock: z.int().optional(),
  /** Blocks of L1 that were searched for the journey's next event: the proposal's execution, or the payout. */
  searched: z.object({ fromBlock: z.int(), toBlock: z.int(), isCut: z.boolean() }).optional(),
  payoutHash: hex.optional(),
  reachedAtMs: z.partialRecord(z.enum(MILESTONES), z.number()),
  /** Estimated times of the milestones ahead, by the sequencer's medians. */
  expectedAtMs: z.partialRecord(z.enum(MILESTONES), z.number()),
  /** Verdict of the ledger or of L1 that ends the journey. */
  problem: problemSchema.optional(),
  /** Failure of the last look at the journey, which says nothing of its money. */
  lookProblem: problemSchema.optional(),
});
type StoredJourney = z.output<typeof journeySchema>;
export type Journey = Omit<StoredJourney, "signed"> & { readonly signed?: SignedSubmission | undefined };

const WAY: Readonly<Record<JourneyKind, readonly Milestone[]>> = {
  deposit: ["sent", "queued", "accepted", "closed", "proven", "posted", "final"],
  transfer: ["signed", "accepted", "closed", "proven", "posted", "final"],
  answer: ["signed", "accepted", "closed", "proven", "posted", "final"],
  forcedWithdraw: ["sent", "queued", "accepted", "closed", "proven", "posted", "final", "paidOut"],
  // Finalizable from posted on: who finalizes need not wait for final.
  withdraw: ["signed", "accepted", "closed", "proven", "posted", "final", "paidOut"],
};

/** True if nothing more happens to a journey: it failed, or it reached all its milestones. */
export function isOver({ kind, reachedAtMs, problem }: Journey): boolean {
  if (problem !== undefined) return true;
  return WAY[kind].slice(-2).every((milestone) => reachedAtMs[milestone] !== undefined);
}

/** True if a journey has paid for an answer: the sequencer has taken the payment, and nothing has failed since. */
export const isPaidAnswer = (
  journey: Journey,
): journey is Journey & { readonly receipt: Hex; readonly hash: Hex } =>
  journey.receipt !== undefined &&
  journey.hash !== undefined &&
  journey.reachedAtMs.accepted !== undefined &&
  journey.problem === undefined;

/** True if the owner can have it paid out now. */
export function isFinalizable({ kind, reachedAtMs, problem }: Journey): boolean {
  return (
    (kind === "withdraw" || kind === "forcedWithdraw") &&
    problem === undefined &&
    reachedAtMs.posted !== undefined &&
    reachedAtMs.paidOut === undefined
  );
}

type StepState = "done" | "current" | "ahead" | "failed";

/** Milestones of a journey with their states. The first that is missing is the current one. */
export function stepsOf(journey: Journey): { milestone: Milestone; state: StepState }[] {
  const way = WAY[journey.kind];
  const next = way.findIndex((milestone) => journey.reachedAtMs[milestone] === undefined);
  return way.map((milestone, i) => {
    if (journey.reachedAtMs[milestone] !== undefined) return { milestone, state: "done" };
    if (journey.problem !== undefined && i === next) return { milestone, state: "failed" };
    const isNow = i === next || (milestone === "paidOut" && isFinalizable(journey));
    return { milestone, state: isNow && journey.problem === undefined ? "current" : "ahead" };
  });
}
