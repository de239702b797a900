/**
 * Questions asked in this tab and their answers, stored with the tab for the Ask page. An answer belongs to its customer, so it
 * is stored nowhere else.
 */
import { answerSchema, type UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import { signal } from "@preact/signals";
import type { Hex } from "viem";
import { isPaidAnswer } from "../ledger/journey.ts";
import { journeys, pastPayments } from "../ledger/journey-store.ts";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";
import type { ServedAnswer } from "../spans/read-words.ts";

/** A question and its checked answer. */
export interface Turn {
  readonly prompt: string;
  readonly answer: UncheckedAnswer;
  readonly said: ServedAnswer;
  /** Labels with their parts of 1, by this page's copy of the model; absent for a model that writes. */
  readonly labels?: readonly { readonly label: string; readonly share: number }[] | undefined;
}

/** Maximum turns stored of one model; the oldest are dropped first. */
const MAX_TURNS = 50;

/** A model of one ledger: another rollup at the same address of the site has another model of this number. */
export interface TurnsLocation extends RollupIdentity {
  readonly modelId: number;
}

const ledgerKey = (ledger: RollupIdentity) => `${rollupKey("asked", ledger)}.`;
const keyOf = (location: TurnsLocation) => `${ledgerKey(location)}${location.modelId}`;

/** Turns by place, oldest first. */
const threads = signal<ReadonlyMap<string, readonly Turn[]>>(new Map());

export function turnsOf(location: TurnsLocation): readonly Turn[] {
  const known = threads.value.get(keyOf(location));
  return known ?? [];
}

/** Restores the turns that an earlier load of this tab has stored; once a model. */
export function loadTurns(location: TurnsLocation): void {
  if (threads.value.has(keyOf(location))) return;
  set(location, []);
  const text = sessionStorage.getItem(keyOf(location));
  if (text === null) return;
  const stored = (JSON.parse(text) as (Omit<Turn, "answer"> & { answer: unknown })[]).map(
    ({ answer, ...turn }): Turn => ({ ...turn, answer: answerSchema.parse(answer) }),
  );
  set(location, stored);
}

/** The same answer again takes its own place. */
export function addTurn(location: TurnsLocation, turn: Turn): void {
  const others = turnsOf(location).filter(({ answer }) => answer.receipt !== turn.answer.receipt);
  set(location, [...others, turn].slice(-MAX_TURNS));
}

function set(location: TurnsLocation, turns: readonly Turn[]): void {
  threads.value = new Map([...threads.value, [keyOf(location), turns]]);
  if (turns.length === 0) return;
  const stored = turns.map(({ answer, labels, prompt, said }) => ({
    prompt,
    said,
    labels,
    answer: onTheWire(answer),
  }));
  store(keyOf(location), stored);
}

/** Stores as many turns as a tab has room for, the latest first: a question may be a picture of some megabytes. */
function store(key: string, turns: readonly object[]): void {
  for (let from = 0; from < turns.length; from++) {
    try {
      sessionStorage.setItem(key, JSON.stringify(turns.slice(from)));
      return;
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
    }
  }
  // Not even the last one: it is forgotten with the page.
  sessionStorage.removeItem(key);
}

/** Writes an answer as the model's server did. */
function onTheWire(answer: UncheckedAnswer): object {
  const { answerHash, priceWei, queryBytes, queryCommitment, receipt, salt, ...rest } = answer;
  return {
    ...rest,
    receipt: hex32(receipt),
    answerHash: hex32(answerHash),
    queryCommitment: hex32(queryCommitment),
    salt: hex32(salt),
    priceWei: priceWei.toString(),
    queryBytes: btoa(String.fromCharCode(...queryBytes)),
  };
}

export type Thumb = "up" | "down";
const THUMB = "openledger.thumb.";
const thumbs = signal<ReadonlyMap<bigint, Thumb | null>>(new Map());

/** Reads this reader's rating of an answer, which the browser stores under its receipt. */
export function thumbOf(receipt: bigint): Thumb | null {
  const known = thumbs.value.get(receipt);
  if (known !== undefined) return known;
  const stored = localStorage.getItem(THUMB + receipt);
  return stored === "up" || stored === "down" ? stored : null;
}

/** Stores the reader's rating; null deletes it. */
export function setThumb(receipt: bigint, thumb: Thumb | null): void {
  if (thumb === null) localStorage.removeItem(THUMB + receipt);
  else localStorage.setItem(THUMB + receipt, thumb);
  thumbs.value = new Map([...thumbs.value, [receipt, thumb]]);
}

/** Every answer of this tab on one ledger as its server wrote it, with its thumb and its payment. */
export function storedReceipts(ledger: RollupIdentity): object[] {
  const prefix = ledgerKey(ledger);
  const models = Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));
  return models.flatMap((name) =>
    (JSON.parse(sessionStorage.getItem(name)!) as { prompt: string; answer: { receipt: Hex } }[]).map(
      ({ answer, prompt }) => {
        const receipt = BigInt(answer.receipt);
        const known = paymentOf(receipt);
        const payment = known?.state === "failed" ? null : (known?.hash ?? null);
        return {
          modelId: Number(name.slice(prefix.length)),
          prompt,
          answer,
          thumb: thumbOf(receipt),
          payment,
        };
      },
    ),
  );
}

/** Payment for an answer, as far as this browser knows. */
export interface AnswerPayment {
  /** Paid; signed, and not taken by the ledger yet; or refused: then nothing is paid. */
  readonly state: "paid" | "sent" | "failed";
  readonly hash: Hex | undefined;
}

/** Payment for an answer; undefined if this browser knows none. */
export function paymentOf(receipt: bigint): AnswerPayment | undefined {
  const tried = journeys.value.filter((one) => one.receipt !== undefined && BigInt(one.receipt) === receipt);
  // A refused payment can have been tried again.
  const journey = tried.find(({ problem }) => problem === undefined) ?? tried[0];
  const past = pastPayments.value.get(receipt);
  if (journey?.problem === undefined && journey !== undefined)
    return { state: isPaidAnswer(journey) ? "paid" : "sent", hash: journey.hash };
  if (past !== undefined) return { state: "paid", hash: past };
  return journey === undefined ? undefined : { state: "failed", hash: journey.hash };
}
