/** Questions and answers of this tab. An answer belongs to its customer, so it is stored nowhere else. */
import { answerSchema, type UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { hex32 } from "@openledger/foundation/hex";
import { signal } from "@preact/signals";
import type { Hex } from "viem";
import type { Journey } from "../ledger/journey.ts";
import { journeys } from "../ledger/journey-store.ts";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";
import { type AnswerWords, readWords, type ServedAnswer } from "../spans/read-words.ts";

/** A question and its checked answer. */
export interface Turn {
  readonly prompt: string;
  readonly answer: UncheckedAnswer;
  readonly said: ServedAnswer;
  /** Words of the answer; null for a label, and until they are read again after a reload. */
  readonly words: AnswerWords | null;
}

const prefixOf = (rollup: RollupIdentity) => `${rollupKey("turns", rollup)}.`;
const keyOf = (rollup: RollupIdentity, modelId: number) => prefixOf(rollup) + modelId;
/** Maximum turns stored of one model; the oldest are dropped first. */
const MAX_TURNS = 50;

/** Turns by their key in storage, oldest first. */
const threads = signal<ReadonlyMap<string, readonly Turn[]>>(new Map());

export function turnsOf(rollup: RollupIdentity, modelId: number): readonly Turn[] {
  return threadOf(keyOf(rollup, modelId));
}

const threadOf = (key: string) => threads.value.get(key) ?? [];

/** Restores the turns that an earlier load of this tab has stored; once a model. */
export async function loadTurns(rollup: RollupIdentity, modelId: number): Promise<void> {
  const key = keyOf(rollup, modelId);
  if (threads.value.has(key)) return;
  set(key, []);
  const text = sessionStorage.getItem(key);
  if (text === null) return;
  const kept = (JSON.parse(text) as { prompt: string; answer: unknown; said: ServedAnswer }[]).map(
    ({ answer, ...turn }): Turn => ({ ...turn, answer: answerSchema.parse(answer), words: null }),
  );
  set(key, [...kept, ...threadOf(key)]);
  for (const turn of kept) {
    // Without its words the answer still has its receipt: what cannot be read again is not shown.
    const words = await readWords(turn.said).catch(() => null);
    set(
      key,
      threadOf(key).map((one) => (one.answer.receipt === turn.answer.receipt ? { ...one, words } : one)),
    );
  }
}

/** The same answer again takes its own place. */
export function addTurn(rollup: RollupIdentity, modelId: number, turn: Turn): void {
  const key = keyOf(rollup, modelId);
  const others = threadOf(key).filter(({ answer }) => answer.receipt !== turn.answer.receipt);
  set(key, [...others, turn].slice(-MAX_TURNS));
}

function set(key: string, turns: readonly Turn[]): void {
  threads.value = new Map([...threads.value, [key, turns]]);
  if (turns.length === 0) return;
  const kept = turns.map(({ answer, prompt, said }) => ({ prompt, said, answer: onTheWire(answer) }));
  sessionStorage.setItem(key, JSON.stringify(kept));
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
const thumbKeyOf = (rollup: RollupIdentity, receipt: bigint) => `${rollupKey("thumb", rollup)}.${receipt}`;
const thumbs = signal<ReadonlyMap<string, Thumb | null>>(new Map());

/** Reads this reader's rating of an answer, which the browser stores under its receipt. */
export function thumbOf(rollup: RollupIdentity, receipt: bigint): Thumb | null {
  const key = thumbKeyOf(rollup, receipt);
  const known = thumbs.value.get(key);
  if (known !== undefined) return known;
  const kept = localStorage.getItem(key);
  return kept === "up" || kept === "down" ? kept : null;
}

/** Stores the reader's rating; null deletes it. */
export function setThumb(rollup: RollupIdentity, receipt: bigint, thumb: Thumb | null): void {
  const key = thumbKeyOf(rollup, receipt);
  if (thumb === null) localStorage.removeItem(key);
  else localStorage.setItem(key, thumb);
  thumbs.value = new Map([...thumbs.value, [key, thumb]]);
}

/** Every answer of a rollup in this tab as its server wrote it, with its thumb and its payment. */
export function storedReceipts(rollup: RollupIdentity): object[] {
  const prefix = prefixOf(rollup);
  const models = Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));
  return models.flatMap((name) =>
    (JSON.parse(sessionStorage.getItem(name)!) as { prompt: string; answer: { receipt: Hex } }[]).map(
      ({ answer, prompt }) => {
        const receipt = BigInt(answer.receipt);
        const payment = paymentOf(receipt)?.hash ?? null;
        return {
          modelId: Number(name.slice(prefix.length)),
          prompt,
          answer,
          thumb: thumbOf(rollup, receipt),
          payment,
        };
      },
    ),
  );
}

/** The transfer that pays an answer, as far as this browser knows. */
export const paymentOf = (receipt: bigint): Journey | undefined =>
  journeys.value.find((journey) => journey.receipt !== undefined && BigInt(journey.receipt) === receipt);
