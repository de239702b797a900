import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mempool, type PendingOperation } from "./mempool.ts";

const LIMITS = { pendingPerLeaf: 3, pendingTotal: 5, pendingTtlMs: 100 };

const pendingOf = (a: number, nonce: number, maxFee: number, arrivedAtMs: number): PendingOperation => ({
  hash: hex32(BigInt(a) * 10_000n + BigInt(nonce) * 1_000n + BigInt(maxFee)),
  operation: {
    kind: 1,
    a,
    b: 0,
    amountCode: 0n,
    words: [],
    nonce: BigInt(nonce),
    maxFeePerUnitWei: BigInt(maxFee),
    signature: { r8x: 0n, r8y: 0n, s: 0n },
  } satisfies SignedOperation,
  arrivedAtMs,
});

/** The same rules over one plain list. */
class Model {
  list: PendingOperation[] = [];

  add(pending: PendingOperation): string {
    if (this.list.some(({ hash }) => hash === pending.hash)) return "known";
    const { a, nonce, maxFeePerUnitWei } = pending.operation;
    const ofLeaf = this.list.filter(({ operation }) => operation.a === a);
    const current = ofLeaf.find(({ operation }) => operation.nonce === nonce);
    if (current !== undefined) {
      const old = current.operation.maxFeePerUnitWei;
      if (maxFeePerUnitWei <= old || maxFeePerUnitWei * 10n < old * 11n) return "SEQ_REPLACEMENT_UNDERPRICED";
      this.list = this.list.filter((one) => one !== current);
      this.list.push(pending);
      return `replaced ${current.hash}`;
    }
    if (ofLeaf.length >= LIMITS.pendingPerLeaf) return "SEQ_PENDING_LEAF_FULL";
    if (this.list.length >= LIMITS.pendingTotal) return "SEQ_MEMPOOL_FULL";
    this.list.push(pending);
    return "added";
  }
}

interface Real {
  mempool: Mempool;
  nowMs: number;
}

class Add implements fc.Command<Model, Real> {
  readonly a: number;
  readonly nonce: number;
  readonly maxFee: number;
  constructor(a: number, nonce: number, maxFee: number) {
    this.a = a;
    this.nonce = nonce;
    this.maxFee = maxFee;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    const pending = pendingOf(this.a, this.nonce, this.maxFee, real.nowMs);
    const isKnown = real.mempool.get(pending.hash) !== undefined;
    let outcome: string;
    try {
      const replaced = real.mempool.add(pending);
      outcome = isKnown ? "known" : replaced === null ? "added" : `replaced ${replaced.hash}`;
    } catch (error) {
      outcome = isRollupError(error) ? error.code : String(error);
    }
    expect(outcome).toBe(model.add(pending));
    compare(model, real);
  }
  toString = () => `add(${this.a}, nonce ${this.nonce}, fee ${this.maxFee})`;
}

class Take implements fc.Command<Model, Real> {
  readonly a: number;
  readonly nonce: number;
  constructor(a: number, nonce: number) {
    this.a = a;
    this.nonce = nonce;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    const expected =
      model.list.find(({ operation }) => operation.a === this.a && operation.nonce === BigInt(this.nonce)) ??
      null;
    expect(real.mempool.take(this.a, BigInt(this.nonce))).toEqual(expected);
    model.list = model.list.filter((one) => one !== expected && one.hash !== expected?.hash);
    compare(model, real);
  }
  toString = () => `take(${this.a}, nonce ${this.nonce})`;
}

class Wait implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  run(model: Model, real: Real): void {
    real.nowMs += this.ms;
    const isExpired = ({ arrivedAtMs }: PendingOperation) => real.nowMs - arrivedAtMs >= LIMITS.pendingTtlMs;
    expect(real.mempool.expire(real.nowMs)).toEqual(model.list.filter(isExpired));
    model.list = model.list.filter((one) => !isExpired(one));
    compare(model, real);
  }
  toString = () => `wait(${this.ms})`;
}

function compare(model: Model, { mempool }: Real): void {
  expect(mempool.size).toBe(model.list.length);
  for (const a of [1, 2, 3]) {
    const nonces = model.list
      .filter(({ operation }) => operation.a === a)
      .map(({ operation }) => operation.nonce);
    expect(mempool.of(a).map(({ operation }) => operation.nonce)).toEqual(
      nonces.sort((x, y) => Number(x - y)),
    );
    let next = 0n;
    while (nonces.includes(next)) next += 1n;
    expect(mempool.nextNonce(a, 0n)).toBe(next);
  }
}

describe("Mempool", () => {
  it("does what a plain list would", () => {
    const leaf = fc.integer({ min: 1, max: 3 });
    const nonce = fc.integer({ min: 0, max: 4 });
    const commands = [
      fc.tuple(leaf, nonce, fc.integer({ min: 0, max: 120 })).map(([a, n, fee]) => new Add(a, n, fee)),
      fc.tuple(leaf, nonce).map(([a, n]) => new Take(a, n)),
      fc.integer({ min: 0, max: 60 }).map((ms) => new Wait(ms)),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { size: "+1" }), (run) => {
        fc.modelRun(() => ({ model: new Model(), real: { mempool: new Mempool(LIMITS), nowMs: 0 } }), run);
      }),
      { numRuns: runs(300) },
    );
  });

  it("asks a tenth more of a replacement, rounded up", () => {
    const mempool = new Mempool(LIMITS);
    mempool.add(pendingOf(1, 0, 15, 0));
    expect(() => mempool.add(pendingOf(1, 0, 16, 0))).toThrow(
      expect.objectContaining({ code: "SEQ_REPLACEMENT_UNDERPRICED" }),
    );
    expect(mempool.add(pendingOf(1, 0, 17, 0))?.operation.maxFeePerUnitWei).toBe(15n);
  });
});
