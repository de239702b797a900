/**
 * Expected answers of a rollup to each call of the walk of Exits.money.all.test.ts, and its expected state. Each
 * `take…` returns true if the call is accepted, and changes the model only then.
 */
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { HARD_DEADLINE } from "./exit-fixture.ts";
import { asQueued, credit, emptyModel, type InvariantModel, paidOutWei } from "./invariant-oracle.ts";
import { OPEN } from "./rollup-fixture.ts";

const SOFT_DEADLINE = 86_400n;

/** The block of a call. */
export interface Moment {
  readonly timestamp: bigint;
  readonly number: bigint;
}

/** An entry of the queue, with its place in it. */
export type Waiting = InvariantModel["queue"][number] & { readonly index: bigint };

type MoneyState = Omit<InvariantModel, "queue"> & { readonly queue: Waiting[] };

/** Number of entries of one kind with each fate. */
export interface Fates {
  executed: number;
  notExecutable: number;
  leftAtFreeze: number;
  refunded: number;
}

interface ModelBatch {
  readonly number: number;
  readonly newRoot: bigint;
  readonly isSequencer: boolean;
  /** Entries of the batch, and their statements. */
  readonly waiting: readonly Waiting[];
  readonly records: readonly SlotRecord[];
}

interface ModelExit {
  readonly key: bigint;
  readonly recipient: bigint;
  readonly amountWei: bigint;
  /** True if the proof shows another statement. */
  readonly isSpoiled: boolean;
}

export class MoneyModel {
  readonly state: MoneyState = { ...emptyModel(), queue: [] };
  /** OPEN of each address, outside of the rollup. */
  readonly wallets = new Map<bigint, bigint>();
  supplyWei = 0n;
  readonly consumed: Waiting[] = [];
  readonly #capacity: number;
  readonly #fates: Map<number, Fates>;

  constructor(capacity: number, fates: Map<number, Fates>) {
    this.#capacity = capacity;
    this.#fates = fates;
  }

  /** Expected balance of the rollup, in wei. */
  get heldWei(): bigint {
    const { ledgerWei, burnableWei, pending, queue } = this.state;
    const pendingWei = [...pending.values()].reduce((sum, wei) => sum + wei, 0n);
    return ledgerWei + burnableWei + pendingWei + queue.reduce((sum, { depositWei }) => sum + depositWei, 0n);
  }

  /** Waiting entries that are overdue at a time. */
  overdueCount(timestamp: bigint): number {
    return this.state.queue.filter((entry) => entry.timestamp + SOFT_DEADLINE < timestamp).length;
  }

  takeEntry(record: SlotRecord, sender: bigint, maxFeeWei: bigint, { timestamp }: Moment): boolean {
    const { state } = this;
    const amountWei = record.words[0]!;
    const isDeposit = record.kind <= KIND.depositTo;
    const waiting = state.queue.length;
    const isOpen = (entry: Waiting) =>
      entry.record.kind === KIND.forcedWithdraw && entry.record.a === record.a && entry.sender === sender;
    const deposits = state.queue.filter((entry) => entry.depositWei > 0n).length;
    // The base fee and the id fee are 1 OPEN. Each sort of entry is priced by those of its own sort that wait.
    const sameSort = isDeposit ? deposits : waiting - deposits;
    const crowdedWei = OPEN << BigInt(Math.min(3, Math.floor((sameSort * 8) / this.#capacity)));
    const idFeeWei = record.kind === KIND.depositNew ? OPEN : 0n;
    const feeWei = isDeposit ? crowdedWei - OPEN + idFeeWei : crowdedWei;
    const paidWei = isDeposit ? amountWei + feeWei : feeWei;
    if (feeWei > maxFeeWei) return false;
    if (state.isFrozen || waiting === this.#capacity || this.#wallet(sender) < paidWei) return false;
    if (isDeposit && deposits >= this.#capacity / 2) return false;
    if (record.kind === KIND.forcedWithdraw && state.queue.some(isOpen)) return false;
    this.#pay(sender, -paidWei);
    state.burnableWei += feeWei;
    const depositWei = isDeposit ? amountWei : 0n;
    const index = BigInt(state.head + waiting);
    const entry = { record: asQueued(record, timestamp), depositWei, sender, timestamp, isRefunded: false };
    state.queue.push({ ...entry, index });
    return true;
  }

  /** Accepts a batch that states its entries as they were queued and proves their effects on the ledger. */
  takeBatch(batch: ModelBatch, { timestamp, number }: Moment): boolean {
    const { state } = this;
    const overdue = this.overdueCount(timestamp);
    const { waiting, records } = batch;
    if (state.isFrozen || batch.number !== state.batchNumber + 1) return false;
    if (waiting.some((entry, i) => entry !== state.queue[i])) return false;
    if ((!batch.isSequencer && overdue === 0) || waiting.length < Math.min(8, overdue)) return false;
    state.queue.splice(0, waiting.length);
    state.head += waiting.length;
    state.batchNumber += 1;
    state.root = batch.newRoot;
    this.consumed.push(...waiting);
    for (const [i, { depositWei, sender }] of waiting.entries()) {
      const { kind, isValid, words } = records[i]!;
      this.#fate(kind)[isValid ? "executed" : "notExecutable"]++;
      if (kind === KIND.forcedCloseEpoch && isValid)
        state.closes.set(BigInt(batch.number), { blockNumber: number, timestamp });
      if (isValid) state.ledgerWei += depositWei - paidOutWei(records[i]!);
      if (isValid) credit(state, words[1]!, paidOutWei(records[i]!));
      else {
        const feeWei = kind === KIND.depositTo ? OPEN : 0n;
        state.burnableWei += feeWei;
        credit(state, sender, depositWei - feeWei);
      }
    }
    return true;
  }

  takePayout(owner: bigint): boolean {
    const wei = this.state.pending.get(owner) ?? 0n;
    this.state.pending.delete(owner);
    this.#pay(owner, wei);
    return wei > 0n;
  }

  takeBurn(): boolean {
    const wei = this.state.burnableWei;
    this.state.burnableWei = 0n;
    this.supplyWei -= wei;
    return wei > 0n;
  }

  takeFreeze({ timestamp }: Moment): boolean {
    const [oldest] = this.state.queue;
    if (this.state.isFrozen || oldest === undefined || oldest.timestamp + HARD_DEADLINE >= timestamp)
      return false;
    this.state.isFrozen = true;
    for (const { record } of this.state.queue) this.#fate(record.kind).leftAtFreeze++;
    return true;
  }

  takeExits(exits: readonly ModelExit[]): boolean {
    const { state } = this;
    const keys = new Set(exits.map(({ key }) => key));
    const sumWei = exits.reduce((sum, { amountWei }) => sum + amountWei, 0n);
    if (!state.isFrozen || keys.size < exits.length || sumWei > state.ledgerWei) return false;
    if (exits.some(({ key, isSpoiled }) => isSpoiled || state.exited.has(key))) return false;
    for (const { key, recipient, amountWei } of exits) {
      state.exited.add(key);
      state.ledgerWei -= amountWei;
      credit(state, recipient, amountWei);
    }
    return true;
  }

  /** @param isAltered one of the entries is not stated as it was queued */
  takeRefunds(entries: readonly Waiting[], isAltered: boolean): boolean {
    const { state } = this;
    if (!state.isFrozen || isAltered || new Set(entries).size < entries.length) return false;
    if (entries.some((entry) => entry.isRefunded || !state.queue.includes(entry))) return false;
    for (const entry of entries) {
      entry.isRefunded = true;
      credit(state, entry.sender, entry.depositWei);
      entry.depositWei = 0n;
      this.#fate(entry.record.kind).refunded++;
    }
    return true;
  }

  #wallet(owner: bigint): bigint {
    return this.wallets.get(owner) ?? 0n;
  }

  #pay(owner: bigint, wei: bigint): void {
    this.wallets.set(owner, this.#wallet(owner) + wei);
  }

  #fate(kind: number): Fates {
    let fates = this.#fates.get(kind);
    if (fates === undefined) {
      fates = { executed: 0, notExecutable: 0, leftAtFreeze: 0, refunded: 0 };
      this.#fates.set(kind, fates);
    }
    return fates;
  }
}
