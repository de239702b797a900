/**
 * Store of the connected address' journeys, movements of its money under way and past. They outlive the page: a list in the
 * browser's storage for each address. The bridge page and the Ask page list them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { signal } from "@preact/signals";
import type { Hex } from "viem";
import { z } from "zod";
import { isOver, isPaidAnswer, type Journey, journeySchema, type Milestone } from "./journey.ts";
import { rollupKey, rollupOf } from "./rollup-storage.ts";
import type { Session } from "./wallets.ts";

/** Maximum ended journeys; older ones are dropped. */
const KEPT_ENDED = 12;

/** Maximum payments that outlive their journeys; older ones are dropped. */
const MAX_PAYMENTS = 1_000;

export const journeys = signal<readonly Journey[]>([]);

/**
 * Payments for answers whose journeys have left the list: operation by receipt. Without them an answer would be offered for
 * payment again.
 */
export const pastPayments = signal<ReadonlyMap<bigint, Hex>>(new Map());

const nameOf = (name: string, { address, client }: Session) =>
  `${rollupKey(name, rollupOf(client))}.${address}`;
const keyOf = (session: Session) => nameOf("journeys", session);
const paymentsKey = (session: Session) => nameOf("payments", session);

let stopListening = () => {};

/**
 * Restores the journeys of an earlier visit, and follows those that other tabs write; an unreadable one is left out.
 */
export function loadJourneys(session: Session): void {
  stopListening();
  // The node may be another one by now, or show more: what it has not shown is searched for again.
  journeys.value = readAll(session).map((journey) =>
    journey.searched?.isCut ? { ...journey, searched: { ...journey.searched, isCut: false } } : journey,
  );
  pastPayments.value = readPayments(session);
  const onStorage = ({ key }: StorageEvent) => {
    if (key === null || key === paymentsKey(session)) pastPayments.value = readPayments(session);
    if (key === null || key === keyOf(session)) journeys.value = readAll(session);
  };
  window.addEventListener("storage", onStorage);
  stopListening = () => window.removeEventListener("storage", onStorage);
}

/** Reads the journeys of this tab and others from storage: each movement once, whatever ids its tabs have given it. */
function readAll(session: Session): Journey[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(session)) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.reduce<Journey[]>((known, entry) => {
      const parsed = journeySchema.safeParse(entry);
      return parsed.success ? merged(withoutRefusedLook(parsed.data as Journey), known) : known;
    }, []);
  } catch {
    return [];
  }
}

/** Journey without the end that pages before version 0.5 gave it where the Ethereum node refused a look. */
function withoutRefusedLook(journey: Journey): Journey {
  const { problem, ...rest } = journey;
  return problem?.code === "CLI_L1_REFUSED" ? rest : journey;
}

/** One operation or one transaction has one hash; an id is only this browser's name for it. */
function isSame(a: Journey, b: Journey): boolean {
  const hasSame = (name: "hash" | "queuedHash") => a[name] !== undefined && a[name] === b[name];
  return a.id === b.id || hasSame("hash") || hasSame("queuedHash");
}

/** The list with `newer`, which takes the place of all that are the same movement and forgets no step of theirs. */
function merged(newer: Journey, known: readonly Journey[]): Journey[] {
  const same = known.filter((one) => isSame(one, newer));
  const others = known.filter((one) => !same.includes(one));
  return [...others, same.reduce(joined, newer)];
}

function joined(newer: Journey, older: Journey): Journey {
  const reachedAtMs = { ...older.reachedAtMs, ...newer.reachedAtMs };
  for (const [name, atMs] of Object.entries(older.reachedAtMs) as [Milestone, number][])
    reachedAtMs[name] = Math.min(atMs, reachedAtMs[name] ?? atMs);
  const both: Journey = {
    ...older,
    ...newer,
    // The older name stays: what is shown keeps its place.
    id: older.id,
    startedAtMs: Math.min(older.startedAtMs, newer.startedAtMs),
    reachedAtMs,
  };
  // Once it was accepted it is never sent again, and a queue entry needs no proposal.
  if (reachedAtMs.accepted !== undefined) delete (both as { signed?: unknown }).signed;
  if (both.queueIndex !== undefined) delete both.proposal;
  return both;
}

/** Adds a journey or replaces it, and keeps it before anything else happens. */
export function keepJourney(session: Session, journey: Journey): void {
  // Read again: another tab of the same page may have added to the list.
  const all = merged(journey, readAll(session)).sort((a, b) => b.startedAtMs - a.startedAtMs);
  let endedCount = 0;
  const kept = all.filter((one) => !isOver(one) || ++endedCount <= KEPT_ENDED);
  storePayments(
    session,
    all.filter((one) => !kept.includes(one)),
  );
  write(session, kept);
}

/** Keeps how far a journey has come, unless another tab has removed it from the list meanwhile. */
export function advanceJourney(session: Session, journey: Journey): void {
  if (readAll(session).some((one) => isSame(one, journey))) keepJourney(session, journey);
}

export function forgetJourney(session: Session, id: string): void {
  const all = readAll(session);
  storePayments(
    session,
    all.filter((journey) => journey.id === id),
  );
  write(
    session,
    all.filter((journey) => journey.id !== id),
  );
}

const hex = z
  .string()
  .regex(/^0x[0-9a-fA-F]+$/)
  .transform((text) => text as Hex);
/** Pairs of receipt and operation, the oldest first. */
const paymentsSchema = z.array(z.tuple([hex, hex]));

function readPayments(session: Session): ReadonlyMap<bigint, Hex> {
  try {
    const pairs = paymentsSchema.parse(JSON.parse(localStorage.getItem(paymentsKey(session)) ?? "[]"));
    return new Map(pairs.map(([receipt, hash]) => [BigInt(receipt), hash]));
  } catch {
    return new Map();
  }
}

/** Keeps what journeys have paid for, before these leave the list. */
function storePayments(session: Session, leaving: readonly Journey[]): void {
  const paid = leaving.flatMap((journey) =>
    isPaidAnswer(journey) ? [[journey.receipt, journey.hash] as const] : [],
  );
  if (paid.length === 0) return;
  const known = [...readPayments(session)].map(([receipt, hash]) => [hex32(receipt), hash] as const);
  localStorage.setItem(paymentsKey(session), JSON.stringify([...known, ...paid].slice(-MAX_PAYMENTS)));
  pastPayments.value = readPayments(session);
}

function write(session: Session, kept: readonly Journey[]): void {
  const text = JSON.stringify(kept, (_key, value) => (typeof value === "bigint" ? value.toString() : value));
  localStorage.setItem(keyOf(session), text);
  journeys.value = kept;
}
