/** Tests of Rollup.submitBatches: shapes, elements, order and refusals of batches. */
import { type BatchData, batchElements, encodeWire } from "@openledger/circuits/batch/batch-data";
import { challenge } from "@openledger/circuits/field/element-vector";
import { FIELD_ORDER, KIND, KIND_RULES } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { partOf } from "@openledger/foundation/testing/test-random";
import { bytesToHex, hexToBytes, toHex } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { computeDomain } from "../build/verifying-key.ts";
import { revertEachTest } from "../testing/chain.ts";
import {
  type ClosedBatch,
  deployFixture,
  OPEN,
  randomElement,
  revertName,
  revertOf,
  SHAPES,
  slot,
  startFixture,
} from "../testing/rollup-fixture.ts";

let f: Awaited<ReturnType<typeof startFixture>>;

beforeAll(async () => {
  f = await startFixture();
  await f.fund("alice", 1_000n * OPEN);
});
afterAll(() => f?.stop());
revertEachTest(() => f);

/** Batch with every sort of element: pairs with and without a rest, payloads, wide words. */
const busy: Partial<BatchData> = {
  signedCount: 5,
  feeAccountId: 0xabcdef,
  narrow: [
    slot(KIND.transfer, [], { a: 2, b: 3, amountCode: 99n }),
    slot(KIND.commitData, [randomElement()], { a: 0xffffff, b: 4, amountCode: 2n ** 40n - 1n }),
    slot(KIND.payInference, [FIELD_ORDER - 1n], { a: 1, b: 5, amountCode: 1n }),
  ],
  wide: [slot(KIND.withdraw, [0xb0bn, OPEN], { a: 2 }), slot(KIND.setKey, [randomElement()], { a: 3 })],
};

/** Posts other bytes than those that were proven. */
const withData = (closed: ClosedBatch, data: Uint8Array): ClosedBatch => ({
  ...closed,
  batch: { ...closed.batch, data: bytesToHex(data) },
});

describe("submitBatches", () => {
  test("accepts an empty batch and moves root, number and time", async () => {
    const before = await f.rollup.read.state();
    const closed = await f.post();
    expect(await f.rollup.read.state()).toEqual({
      ...before,
      root: closed.content.newRoot,
      batchNumber: before.batchNumber + 1,
      timestamp: Number(closed.content.timestamp),
    });
  });

  test("accepts a batch with every sort of element", async () => {
    const before = await f.rollup.read.state();
    const closed = await f.post({ ...busy, newNextId: 2 ** 24 });
    expect(await f.rollup.read.state()).toMatchObject({
      root: closed.content.newRoot,
      opIndex: before.opIndex + 5,
      nextId: 2 ** 24,
    });
  });

  test("accepts every shape, full to the last slot", async () => {
    for (const shape of SHAPES) {
      const narrow = Array.from({ length: shape.narrow }, () => slot(KIND.commitData, [randomElement()]));
      const wide = Array.from({ length: shape.wide }, () => slot(KIND.setKey, [randomElement()]));
      await f.post({ shape, narrow, wide, signedCount: shape.narrow + shape.wide });
    }
  });

  test("emits the batch and leaves its data to the transaction's input", async () => {
    const closed = f.close(await f.draft(busy));
    const { opIndex, queueHead } = await f.rollup.read.state();
    await f.submit([closed]);
    const accepted = await f.rollup.getEvents.BatchAccepted();
    expect(accepted.at(-1)?.args).toEqual({
      batchNumber: closed.content.batchNumber,
      circuit: 0,
      oldRoot: closed.content.oldRoot,
      newRoot: closed.content.newRoot,
      opIndex: opIndex + 5,
      queueHead,
    });
    expect(await f.rollup.getEvents.BatchData()).toEqual([]);
  });

  test("applies several batches of several circuits in one transaction, each on top of the last", async () => {
    const closed: ClosedBatch[] = [];
    for (const shape of [SHAPES[0], SHAPES[1], SHAPES[0], SHAPES[2]]) {
      const after = closed.at(-1)?.content;
      const content = { shape, signedCount: 3, ...(after === undefined ? {} : { after }) };
      closed.push(f.close(await f.draft(content)));
    }
    const before = await f.rollup.read.state();
    await f.submit(closed);
    expect(await f.rollup.read.state()).toMatchObject({
      root: closed.at(-1)!.content.newRoot,
      batchNumber: before.batchNumber + 4,
      opIndex: before.opIndex + 12,
    });
  });

  test("rejects several batches in another order, with one left out or with one bad proof", async () => {
    const first = f.close(await f.draft());
    const second = f.close(await f.draft({ after: first.content }));
    const third = f.close(await f.draft({ after: second.content }));
    expect(await revertName(f.trySubmit([first, second, third]))).toBe("accepted");
    const bad = { ...second, proof: first.proof };
    for (const [i, set] of [
      [second, first, third],
      [first, third],
      [second],
      [first, bad, third],
    ].entries()) {
      expect(await revertName(f.trySubmit(set)), `case ${i}`).toBe("VerifierProofRejected");
    }
  });

  test("rejects a batch that was taken already", async () => {
    const closed = await f.post();
    expect(await revertName(f.trySubmit([closed]))).toBe("VerifierProofRejected");
  });

  test("rejects no batch, and another number of proofs than of batches", async () => {
    const { batch, proof } = f.close(await f.draft());
    const account = f.roles.sequencer;
    const submit = (batches: (typeof batch)[], proofs: (typeof proof)[]) =>
      revertOf(f.rollup.simulate.submitBatches([batches, [], proofs], { account }));
    expect(await submit([], [])).toMatchObject({ name: "RollupNoBatches" });
    expect(await submit([batch], [])).toEqual({ name: "RollupProofCountMismatch", args: [1n, 0n] });
    expect(await submit([batch], [proof, proof])).toEqual({
      name: "RollupProofCountMismatch",
      args: [1n, 2n],
    });
  });

  test("rejects another circuit than the one that proved", async () => {
    const closed = f.close(await f.draft({ shape: SHAPES[1] }));
    const as = (circuit: number) => [{ ...closed, batch: { ...closed.batch, circuit } }];
    expect(await revertName(f.trySubmit(as(1)))).toBe("accepted");
    expect(await revertName(f.trySubmit(as(0)))).toBe("VerifierProofRejected");
    expect(await revertOf(f.trySubmit(as(3)))).toEqual({ name: "VerifierCircuitUnknown", args: [3n, 3n] });
  });

  test("rejects another commitment, and one that is not below r", async () => {
    const closed = f.close(await f.draft());
    const as = (commitment: bigint) => [{ ...closed, batch: { ...closed.batch, commitment } }];
    expect(await revertName(f.trySubmit(as(randomElement())))).toBe("VerifierProofRejected");
    const over = closed.batch.commitment + FIELD_ORDER;
    expect(await revertName(f.trySubmit(as(over)))).toBe("RollupElementOutOfField");
  });

  test("rejects a batch proven for another rollup on the same chain", async () => {
    // Two fresh ones: nothing but the address, and with it the domain, tells their states apart.
    const twin = await deployFixture(f.client, { circuits: f.circuits, token: f.deployment.token });
    const fresh = await deployFixture(f.client, { circuits: f.circuits, token: f.deployment.token });
    const closed = f.close(await twin.draft());
    expect(await revertName(twin.trySubmit([closed]))).toBe("accepted");
    expect(await revertName(fresh.trySubmit([closed]))).toBe("VerifierProofRejected");
  });

  test("rejects a batch from anyone but the sequencer while no entry is overdue", async () => {
    const closed = f.close(await f.draft());
    expect(await revertOf(f.trySubmit([closed], "stranger"))).toEqual({
      name: "RollupNotSequencer",
      args: [f.roles.stranger],
    });
  });
});

describe("batch data", () => {
  test("rejects a change of any byte of the data", async () => {
    const closed = f.close(await f.draft(busy));
    expect(await revertName(f.trySubmit([closed]))).toBe("accepted");
    const data = hexToBytes(closed.batch.data);
    for (const position of partOf([...data.keys()], 7)) {
      for (const flip of [1, 0x80]) {
        const changed = data.with(position, data[position]! ^ flip);
        const name = await revertName(f.trySubmit([withData(closed, changed)]));
        expect(name, `byte ${position} ^ ${flip}`).toMatch(/^(Rollup|Verifier)/);
      }
    }
  });

  test("rejects missing and trailing bytes at every length", async () => {
    const closed = f.close(await f.draft(busy));
    const data = hexToBytes(closed.batch.data);
    for (let length = 0; length < data.length; length += 7) {
      const name = await revertName(f.trySubmit([withData(closed, data.slice(0, length))]));
      expect(name, `${length} bytes`).toMatch(/^Rollup(DataLengthInvalid|KindUnknown)$/);
    }
    for (const extra of [1, 12, 23, 32]) {
      const longer = withData(closed, Uint8Array.of(...data, ...new Uint8Array(extra)));
      expect(await revertOf(f.trySubmit([longer]))).toEqual({
        name: "RollupDataLengthInvalid",
        args: [BigInt(data.length + extra), BigInt(data.length)],
      });
    }
  });

  test("rejects more slots than the circuit has", async () => {
    const narrow = Array.from({ length: SHAPES[0].narrow }, () => slot(KIND.transfer));
    const wide = Array.from({ length: SHAPES[0].wide }, () => slot(KIND.revokeModel));
    const data = hexToBytes(f.close(await f.draft({ narrow, wide, signedCount: 9 })).batch.data);
    const closed = f.close(await f.draft());
    const [pairs, wides] = [data.with(57, data[57]! + 1), data.with(62, data[62]! + 1)];
    expect(await revertOf(f.trySubmit([withData(closed, pairs)]))).toEqual({
      name: "RollupNarrowCountExceeded",
      args: [4n, 3n],
    });
    expect(await revertOf(f.trySubmit([withData(closed, wides)]))).toEqual({
      name: "RollupWideCountExceeded",
      args: [4n, 3n],
    });
  });

  test("rejects payloads, words and a root that are not below r", async () => {
    const closed = f.close(await f.draft(busy));
    const data = hexToBytes(closed.batch.data);
    const words = data.length - 5 * 32;
    for (const position of [0, words, words + 32, words + 64, words + 128]) {
      const element = BigInt(bytesToHex(data.slice(position, position + 32)));
      for (const value of [FIELD_ORDER, 2n ** 256n - 1n, element + FIELD_ORDER]) {
        const changed = Uint8Array.from(data);
        changed.set(hexToBytes(toHex(value, { size: 32 })), position);
        const name = await revertName(f.trySubmit([withData(closed, changed)]));
        expect(name, `byte ${position}`).toBe("RollupElementOutOfField");
      }
    }
  });

  test("Attack: rejects a next id that would spill into the fee account of the packed element", async () => {
    const closed = f.close(await f.draft({ feeAccountId: 5 }));
    const spilled = { ...closed.content, newNextId: closed.content.newNextId + 2 ** 25, feeAccountId: 4 };
    const data = encodeWire(spilled);
    // The packed element would be the proven one …
    const packed = (c: BatchData) => (BigInt(c.newNextId) << 145n) + (BigInt(c.feeAccountId) << 170n);
    expect(packed(spilled)).toBe(packed(closed.content));
    // … but another next id would be stored.
    expect(await revertOf(f.trySubmit([withData(closed, data)]))).toEqual({
      name: "RollupNextIdTooLarge",
      args: [BigInt(spilled.newNextId)],
    });
    const over = f.close(await f.draft({ newNextId: 2 ** 24 + 1 }));
    expect(await revertName(f.trySubmit([over]))).toBe("RollupNextIdTooLarge");
  });

  test("every element is a part of z, also those that L1 fills from its own storage", async () => {
    const content = await f.draft(busy);
    const elements = batchElements(content);
    const id = f.circuits[0]!.circuitId;
    const z = challenge(id, 1n, elements);
    for (const position of elements.keys()) {
      const changed = elements.with(position, (elements[position]! + 1n) % FIELD_ORDER);
      expect(challenge(id, 1n, changed), `element ${position}`).not.toBe(z);
    }
    // If the contract left one of L1's elements out of z or y, a proof for another value of it would pass.
    const others: Partial<BatchData>[] = [
      { domain: content.domain + 1n },
      { oldRoot: content.oldRoot + 1n },
      { batchNumber: content.batchNumber + 1n },
      { firstOpIndex: content.firstOpIndex + 1n },
      { oldNextId: content.oldNextId + 1 },
      { idFeeWei: content.idFeeWei + 1n },
    ];
    expect(await revertName(f.trySubmit([f.close(content)]))).toBe("accepted");
    for (const other of others) {
      const name = await revertName(f.trySubmit([f.close({ ...content, ...other })]));
      expect(name, Object.keys(other).join()).toBe("VerifierProofRejected");
    }
  });

  test("rejects every unknown kind among the wide slots, and knows the words of all others", async () => {
    const known = new Map(KIND_RULES.map((rule) => [rule.kind, rule]));
    for (let kind = 0; kind < 32; kind++) {
      const rule = known.get(kind);
      const words = Array.from({ length: rule?.wordCount ?? 0 }, () => 1n);
      const name = await revertName(f.trySubmit([f.close(await f.draft({ wide: [slot(kind, words)] }))]));
      const isSettling = kind === KIND.settle || kind === KIND.activation;
      const accepted = isSettling ? "SettlementMissing" : rule?.isQueue ? "RollupQueueMismatch" : "accepted";
      const expected = rule === undefined ? "RollupKindUnknown" : accepted;
      expect(name, `kind ${kind}`).toBe(expected);
    }
  });

  test("rejects a wide core with bits beyond its 94", async () => {
    const closed = f.close(await f.draft({ wide: [slot(KIND.setKey, [1n])], signedCount: 1 }));
    const data = hexToBytes(closed.batch.data);
    for (const bit of [0x40, 0x80]) {
      const changed = data.with(63, data[63]! | bit);
      expect(await revertName(f.trySubmit([withData(closed, changed)]))).toBe("VerifierProofRejected");
    }
  });
});

describe("a batch with a leaf table", () => {
  const table = { members: 4, rows: 9, units: 2, low: 1, top: 1 };
  const shape = { narrow: 12, wide: 2, table };
  const transfer = slot(KIND.transfer, [], { a: 2, b: 3, amountCode: 99n });
  const payment = () => slot(KIND.payInference, [randomElement()], { a: 3, b: 5, amountCode: 7n });
  const nulls = (count: number) => Array.from({ length: count }, () => slot(KIND.null));
  let t: Awaited<ReturnType<typeof deployFixture>>;
  beforeEach(async () => {
    t = await deployFixture(f.client, { token: f.deployment.token }, [shape]);
  });

  test("shows the table's sizes, and takes both sections without the empty pairs between them", async () => {
    expect(batchShape(await t.rollup.read.circuits([0n]))).toEqual(shape);
    const sections = [
      [transfer, transfer, ...nulls(6), payment(), payment(), payment()],
      [transfer, ...nulls(7), payment()],
      [...nulls(8), payment(), payment()],
      [...Array.from({ length: 8 }, () => transfer), payment()],
      [transfer],
    ];
    const sizes: number[] = [];
    for (const narrow of sections) {
      const wide = [slot(KIND.setKey, [randomElement()], { a: 3 })];
      const closed = await t.post({ shape, narrow, wide, signedCount: 3 });
      sizes.push(hexToBytes(closed.batch.data).length);
      expect((await t.rollup.read.state()).root).toBe(closed.content.newRoot);
    }
    const fixed = 63 + 12 + 32;
    const posted = [
      [3, 3],
      [2, 1],
      [1, 2],
      [5, 1],
      [1, 0],
    ] as const;
    expect(sizes).toEqual(posted.map(([pairs, payloads]) => fixed + 23 * pairs + 32 * payloads));
  });

  test("rejects another gap than the proven one, and one that is not between two pairs", async () => {
    const narrow = [transfer, transfer, transfer, transfer, ...nulls(4), payment()];
    const closed = t.close(await t.draft({ shape, narrow }));
    const data = hexToBytes(closed.batch.data);
    expect([...data.slice(56, 63)]).toEqual([0, 3, 0, 2, 0, 2, 0]);
    const as = (gapAt: number, gapCount: number) =>
      revertOf(t.trySubmit([withData(closed, data.with(59, gapAt).with(61, gapCount))]));
    expect(await as(2, 2)).toMatchObject({ name: "accepted" });
    for (const [gapAt, gapCount] of [
      [1, 2],
      [2, 1],
      [2, 3],
      [3, 0],
    ] as const)
      expect(await as(gapAt, gapCount)).toMatchObject({ name: "VerifierProofRejected" });
    for (const [gapAt, gapCount] of [
      [3, 2],
      [4, 1],
      [2, 0],
      [255, 1],
    ] as const)
      expect(await as(gapAt, gapCount)).toEqual({
        name: "RollupGapInvalid",
        args: [BigInt(gapAt), BigInt(gapCount), 3n],
      });
    expect(await as(2, 4)).toEqual({ name: "RollupNarrowCountExceeded", args: [7n, 6n] });
  });
});

describe("time", () => {
  test("accepts a time from an hour before the block up to the block's", async () => {
    await f.passTime(10_000n);
    const now = (await f.client.getBlock()).timestamp;
    expect(await revertName(f.trySubmit([f.close(await f.draft({ timestamp: now }))]))).toBe("accepted");
    expect(await revertName(f.trySubmit([f.close(await f.draft({ timestamp: now - 3600n }))]))).toBe(
      "accepted",
    );
    for (const timestamp of [now + 1n, now - 3601n]) {
      expect(await revertOf(f.trySubmit([f.close(await f.draft({ timestamp }))]))).toEqual({
        name: "RollupTimestampInvalid",
        args: [timestamp, now - 3600n, now],
      });
    }
  });

  test("never goes back", async () => {
    await f.passTime(10_000n);
    const now = (await f.client.getBlock()).timestamp;
    await f.post({ timestamp: now });
    expect(await revertName(f.trySubmit([f.close(await f.draft({ timestamp: now }))]))).toBe("accepted");
    const earlier = f.close(await f.draft({ timestamp: now - 1n }));
    expect(await revertName(f.trySubmit([earlier]))).toBe("RollupTimestampInvalid");
  });
});

describe("domain", () => {
  test("is that of docs/reference/ledger.md, and follows the chain id", async () => {
    const { rollup } = f.deployment;
    expect(await f.rollup.read.domain()).toBe(computeDomain(31337, rollup, FIELD_ORDER));
    await f.client.request({ method: "anvil_setChainId" as never, params: [5] as never });
    expect(await f.rollup.read.domain()).toBe(computeDomain(5, rollup, FIELD_ORDER));
    await f.client.request({ method: "anvil_setChainId" as never, params: [31337] as never });
  });
});
