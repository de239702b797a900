import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { hashStatics, packBinding, unpackCounters } from "../ledger/leaf.ts";
import { closedHash } from "../ledger/rewards.ts";
import { KIND } from "../protocol.ts";
import { decodeSettlement, encodeSettlement } from "../settlement/settlement-data.ts";
import { TableBuilder } from "../table/table-builder.ts";
import { postedShape } from "../table/table-shape.ts";
import {
  BINDING,
  CLOSED,
  CLOSED_EPOCH,
  PAYEES,
  STATICS,
  secretOf,
  settleWith,
  WAITING,
  World,
} from "../testing/forgeries/forgery-world.ts";
import { lawfulForm } from "../testing/forgeries/lawless-slot.ts";
import { START_TIMESTAMP, signFor, TEST_DOMAIN } from "../testing/random-ledger.ts";
import { activationOperation, postedOf, settleOperation } from "../testing/settlement/random-settlement.ts";
import { type BatchOpening, replayBatch } from "./batch.ts";
import { decodeWire, encodeWire } from "./batch-data.ts";
import { packClaim } from "./epoch-operations.ts";
import { type ReplayedSettlement, settlementOperationOf } from "./settlement-operation.ts";
import { executeSlot } from "./slot.ts";
import type { Operation } from "./slot-trace.ts";

beforeAll(initPoseidon);

/** All operations here need wide slots. */
const SHAPE = postedShape({
  transfers: 1,
  members: 1,
  wide: 8,
  rows: 2,
  units: 1,
  low: 1,
  top: 1,
});
const CONTEXT = {
  domain: TEST_DOMAIN,
  batchNumber: 1n,
  timestamp: START_TIMESTAMP,
  feePerUnitWei: 10n ** 12n,
  idFeeWei: 1n,
};
const openingOf = ({ ledger }: World): BatchOpening => ({
  ...CONTEXT,
  shape: SHAPE,
  oldRoot: ledger.root,
  firstOpIndex: 0n,
  oldNextId: ledger.nextId,
  feeAccountId: 1,
});
const refusal = (code: string, data: object = {}) =>
  expect.objectContaining({ code, data: expect.objectContaining(data) });
const PLAN = { drawBits: 2n, voidCount: 0, earnedParts: [300, 500] };
const recordOf = (operation: { kind: number; modelId: number; settlementHash: bigint }) => ({
  kind: operation.kind,
  b: operation.modelId,
  words: [operation.settlementHash],
});
const settle = (world: World, plan: Parameters<typeof settleWith>[0]) =>
  settleOperation(world.ledger, CLOSED, secretOf(CLOSED), plan, TEST_DOMAIN);

/** World in which CLOSED has signed for this number of draws an epoch. */
function worldOfDraws(drawBits: bigint): World {
  const world = new World();
  const statics = { ...STATICS, binding: packBinding({ ...BINDING, drawBits }) };
  world.setModel(CLOSED, statics);
  world.setBody(CLOSED, { closed: closedHash(hashStatics(statics), CLOSED_EPOCH) });
  return world;
}

describe("settlementOperationOf", () => {
  it("finds the amounts of every way to settle from what is posted", () => {
    const plans = [
      ...[0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].flatMap((drawBits) =>
        [0, 1, 2 ** Number(drawBits)].map((voidCount) => ({ ...PLAN, drawBits, voidCount })),
      ),
      { ...PLAN, drawBits: null },
    ];
    for (const plan of plans) {
      const world = worldOfDraws(plan.drawBits ?? 2n);
      const operation = settle(world, plan);
      const posted = postedOf(world.ledger, operation);
      const wire = { ...decodeSettlement(encodeSettlement(posted)), cap: 0 };
      const found = settlementOperationOf(recordOf(operation), wire, world.ledger.requireLeaf(CLOSED));
      expect(found, `${plan.drawBits}, ${plan.voidCount} voids`).toEqual({ ...operation, signature: null });
    }
  });

  it("refuses a Settle of another number of draws than the model's", () => {
    const world = worldOfDraws(2n);
    for (const drawBits of [1n, 3n]) {
      // A settlement by another circuit: J and all amounts are right for that circuit's number of draws.
      const operation = settle(world, { ...PLAN, drawBits });
      const posted = { ...postedOf(world.ledger, operation), cap: 0 };
      expect(() =>
        settlementOperationOf(recordOf(operation), posted, world.ledger.requireLeaf(CLOSED)),
      ).toThrow(refusal("OP_SETTLEMENT_DIFFERS", { field: "settlementHash" }));
    }
  });

  it("refuses posted data that are not the closed epoch's, or that J does not hash", () => {
    const world = new World();
    const operation = settle(world, { ...PLAN, voidCount: 1 });
    const posted = postedOf(world.ledger, operation);
    const rows: [string, Partial<ReplayedSettlement>][] = [
      ["epoch", { epoch: 2n }],
      ["closingBatch", { closingBatch: 6n }],
      ["chain", { chain: 5n }],
      ["settlementHash", { burnedWei: posted.burnedWei + 1n }],
      ["settlementHash", { voidCount: 2 }],
      ["settlementHash", { items: [posted.items[0]! + 1n, posted.items[1]! - 1n] }],
      ["settlementHash", { items: [CLOSED_EPOCH.amountWei, 1n] }],
      ["items", { items: [...posted.items, 1n] }],
    ];
    const model = world.ledger.requireLeaf(CLOSED);
    for (const [field, changes] of rows) {
      const act = () => settlementOperationOf(recordOf(operation), { ...posted, ...changes }, model);
      expect(act, field).toThrow(refusal("OP_SETTLEMENT_DIFFERS", { field }));
    }
  });
});

describe("a life of epochs", () => {
  /** Executes one operation, and stores the data that a full node needs. */
  class Teller {
    readonly world = new World();
    readonly fullNode = new World();
    readonly builder = new TableBuilder(this.world.ledger, openingOf(this.world));
    readonly settlements: ReplayedSettlement[] = [];
    do(operation: Operation): void {
      if ("modelId" in operation) this.settlements.push(postedOf(this.world.ledger, operation));
      this.builder.add(operation);
    }
    claimRewards(a: number, payeeIndex: number, role: 0 | 1, modelId = CLOSED): bigint {
      const before = this.world.leaf(a).balance;
      const words = [packClaim(payeeIndex, role)];
      this.do(signFor(this.world.ledger, secretOf(a), { kind: KIND.claimRewards, a, b: modelId, words }));
      return this.world.leaf(a).balance - before + 30n * CONTEXT.feePerUnitWei;
    }
  }

  it("pays every accrued wei once, burns what is burned, and is followed from posted bytes", () => {
    const teller = new Teller();
    const { world, fullNode, builder } = teller;
    const total = world.ledger.totalWei();
    const operation = settle(world, { ...PLAN, voidCount: 1 });
    teller.do(operation);
    expect(world.ledger.totalWei()).toBe(total - operation.burnedWei);
    const { accruedWei, claimedWei } = world.ledger.requireLeaf(CLOSED).rewards!;
    const [first, second] = PAYEES;
    const gains = [
      [teller.claimRewards(first!.contributorId, 0, 0), teller.claimRewards(first!.validatorId, 0, 1)],
      [teller.claimRewards(second!.contributorId, 1, 0), teller.claimRewards(second!.validatorId, 1, 1)],
    ];
    for (const [m, [contributorWei, validatorWei]] of gains.entries()) {
      const claimed = claimedWei[2 * m]! + claimedWei[2 * m + 1]!;
      expect(contributorWei! + validatorWei! + claimed, `payee ${m}`).toBe(accruedWei[m]);
    }
    expect(teller.claimRewards(first!.contributorId, 0, 0)).toBe(0n);
    expect(world.ledger.totalWei()).toBe(total - operation.burnedWei - fees(5));
    const { data } = builder.close().batch;
    const posted = teller.settlements.map((one) => ({ ...decodeSettlement(encodeSettlement(one)), cap: 0 }));
    replayBatch(fullNode.ledger, decodeWire(encodeWire(data), SHAPE, data), posted);
    expect(fullNode.ledger.root).toBe(world.ledger.root);
    expect(fullNode.ledger.totalWei()).toBe(total - operation.burnedWei);
    expect(world.ledger.totalWei()).toBe(total - operation.burnedWei);
  });
  const fees = (rewardClaims: number) => BigInt(rewardClaims) * 30n * CONTEXT.feePerUnitWei;

  it("settles once, opens once, and closes the next epoch with the new chain", () => {
    const teller = new Teller();
    const { world } = teller;
    const operation = settle(world, PLAN);
    teller.do(operation);
    expect(() => executeSlot(world.ledger, operation, CONTEXT)).toThrow(refusal("OP_NOTHING_CLOSED"));
    const closed = signFor(world.ledger, secretOf(CLOSED), { kind: KIND.closeEpoch, a: CLOSED, b: CLOSED });
    teller.do(closed);
    expect(world.ledger.requireLeaf(CLOSED).rewards!.closed).toEqual({
      chain: 88n,
      epoch: 1n,
      closingBatch: 1n,
      amountWei: 7n,
    });
    const counters = unpackCounters(world.leaf(CLOSED).counters);
    expect([counters.epoch, counters.paymentCount]).toEqual([2n, 0n]);
    // A J of the epoch before is no other epoch's.
    expect(() => executeSlot(world.ledger, operation, CONTEXT)).toThrow(refusal("OP_SETTLEMENT_DIFFERS"));
    const activation = activationOperation(
      world.ledger,
      { id: WAITING, secret: secretOf(WAITING) },
      PAYEES,
      16,
      TEST_DOMAIN,
    );
    teller.do(activation);
    expect(unpackCounters(world.leaf(WAITING).counters)).toMatchObject({
      isReady: true,
      cap: 16n,
      epoch: 1n,
    });
    expect(() => executeSlot(world.ledger, activation, CONTEXT)).toThrow(refusal("OP_MODEL_READY"));
    const { data } = teller.builder.close().batch;
    const { fullNode } = teller;
    expect(() => replayBatch(new World().ledger, data, [])).toThrow(refusal("CIR_REPLAY_DIFFERS"));
    const all = teller.settlements;
    expect(() => replayBatch(new World().ledger, data, [...all, all[0]!])).toThrow(
      refusal("CIR_REPLAY_DIFFERS"),
    );
    replayBatch(fullNode.ledger, data, all);
    expect(fullNode.ledger.root).toBe(world.ledger.root);
  });

  it("refuses an activation with other payees, counts or rows than the model is bound to", () => {
    const { ledger } = new World();
    const activation = activationOperation(
      ledger,
      { id: WAITING, secret: secretOf(WAITING) },
      PAYEES,
      16,
      TEST_DOMAIN,
    );
    const [first, second] = PAYEES;
    const rows: [string, typeof PAYEES][] = [
      ["payeeRoot", [second!, first!]],
      ["payeeRoot", [first!]],
      ["ownersCommitment", [{ ...first!, rowCount: 101 }, second!]],
    ];
    for (const [field, payees] of rows) {
      const act = () => executeSlot(ledger, { ...activation, payees }, CONTEXT);
      expect(act, field).toThrow(refusal("OP_SETTLEMENT_DIFFERS", { field }));
    }
    for (const cap of [0, 65_536]) {
      const act = () =>
        executeSlot(
          ledger,
          activationOperation(ledger, { id: WAITING, secret: secretOf(WAITING) }, PAYEES, cap, TEST_DOMAIN),
          CONTEXT,
        );
      expect(act).toThrow(refusal("OP_SETTLEMENT_DIFFERS", { field: "cap" }));
    }
  });

  it("refuses amounts that do not add up to the closed one, whatever J says", () => {
    const { ledger } = new World();
    const operation = lawfulForm(ledger, { ...settleWith(PLAN) });
    for (const field of ["ownerWei", "treasuryWei", "burnedWei"] as const) {
      const input = { ...operation, [field]: (operation as unknown as Record<string, bigint>)[field]! + 1n };
      const act = () => executeSlot(ledger, input as Operation, CONTEXT);
      expect(act, field).toThrow(refusal("OP_SETTLEMENT_DIFFERS", { field: "amounts" }));
    }
  });
});
