/**
 * Mempool of operations that wait behind a nonce gap, for those before them. They are in memory only: nothing here is
 * acknowledged, and a restart forgets it. An operation whose nonce is next never comes here. sequencer.ts puts them in and
 * takes them out as gaps close.
 */
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { sequencerError } from "../sequencer-errors.ts";

/** Bounds of the pool, and milliseconds for which an operation waits. */
export interface MempoolLimits {
  readonly pendingPerLeaf: number;
  readonly pendingTotal: number;
  readonly pendingTtlMs: number;
}

export interface PendingOperation {
  readonly hash: `0x${string}`;
  readonly operation: SignedOperation;
  readonly arrivedAtMs: number;
}

export class Mempool {
  readonly #limits: MempoolLimits;
  readonly #leaves = new Map<number, Map<bigint, PendingOperation>>();
  /** Operations in order of arrival, as expiry needs them. */
  readonly #byHash = new Map<string, PendingOperation>();

  constructor(limits: MempoolLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byHash.size;
  }

  get(hash: string): PendingOperation | undefined {
    return this.#byHash.get(hash);
  }

  /** A leaf's pending operations by nonce. */
  of(leafId: number): PendingOperation[] {
    const pending = [...(this.#leaves.get(leafId)?.values() ?? [])];
    return pending.sort((x, y) => (x.operation.nonce < y.operation.nonce ? -1 : 1));
  }

  /** The first nonce from `leafNonce` on that no pending operation has. */
  nextNonce(leafId: number, leafNonce: bigint): bigint {
    const pending = this.#leaves.get(leafId);
    let nonce = leafNonce;
    while (pending?.has(nonce)) nonce += 1n;
    return nonce;
  }

  /**
   * Keeps an operation until its nonce is next. The same operation again changes nothing.
   * @returns the operation that this one replaces, if any
   * @throws SEQ_REPLACEMENT_UNDERPRICED, SRV_QUOTA_USED, SRV_OVERLOADED, and changes nothing
   */
  add(pending: PendingOperation): PendingOperation | null {
    if (this.#byHash.has(pending.hash)) return null;
    const { a, nonce, maxFeePerUnitWei } = pending.operation;
    const ofLeaf = this.#leaves.get(a);
    const current = ofLeaf?.get(nonce);
    if (current !== undefined) {
      const currentWei = current.operation.maxFeePerUnitWei;
      // A tenth more than 0 is 0 again; something must change.
      const neededWei = currentWei === 0n ? 1n : (currentWei * 11n + 9n) / 10n;
      if (maxFeePerUnitWei < neededWei) {
        throw sequencerError(
          "SEQ_REPLACEMENT_UNDERPRICED",
          `to replace the pending operation with nonce ${nonce}, maxFeePerUnitWei must be at least ${neededWei}`,
          { data: { id: a, nonce: nonce.toString(), neededMaxFeePerUnitWei: neededWei.toString() } },
        );
      }
      this.#remove(current);
    } else {
      const { pendingPerLeaf, pendingTotal } = this.#limits;
      if ((ofLeaf?.size ?? 0) >= pendingPerLeaf) {
        throw sequencerError(
          "SRV_QUOTA_USED",
          `leaf ${a} has ${pendingPerLeaf} operations behind a nonce gap`,
          {
            data: { reason: "pending-leaf-full", id: a, pendingPerLeaf },
          },
        );
      }
      if (this.#byHash.size >= pendingTotal) {
        throw sequencerError("SRV_OVERLOADED", `${pendingTotal} operations wait behind nonce gaps`, {
          data: { reason: "mempool-full", pendingTotal },
        });
      }
    }
    const leaf = this.#leaves.get(a) ?? new Map<bigint, PendingOperation>();
    this.#leaves.set(a, leaf.set(nonce, pending));
    this.#byHash.set(pending.hash, pending);
    return current ?? null;
  }

  /** Takes out the operation of this leaf with this nonce. */
  take(leafId: number, nonce: bigint): PendingOperation | null {
    const pending = this.#leaves.get(leafId)?.get(nonce);
    if (pending === undefined) return null;
    this.#remove(pending);
    return pending;
  }

  /** Takes out operations that have waited too long. */
  expire(nowMs: number): PendingOperation[] {
    const expired: PendingOperation[] = [];
    for (const pending of this.#byHash.values()) {
      if (nowMs - pending.arrivedAtMs < this.#limits.pendingTtlMs) break;
      expired.push(pending);
    }
    for (const pending of expired) this.#remove(pending);
    return expired;
  }

  #remove({ hash, operation }: PendingOperation): void {
    this.#byHash.delete(hash);
    const leaf = this.#leaves.get(operation.a);
    leaf?.delete(operation.nonce);
    if (leaf?.size === 0) this.#leaves.delete(operation.a);
  }
}
