/** A model of several datanets, whose owners approve and revoke in any order: the circuit, the model and one that counts by hand. */
import { isWhole, TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import { encodeAmount } from "../ledger/amount-float.ts";
import { hashStatics, unpackCounters } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { KIND } from "../protocol.ts";
import { closedInputs, closedStatement, TableBuilder } from "../table/table-builder.ts";
import { postedShape } from "../table/table-shape.ts";
import { loadForgeryTester, tester } from "../testing/forgeries/forgery-check.ts";
import {
  AMOUNT,
  DEPTH,
  MODEL,
  OPENING,
  ownerOf,
  PAYER,
  SHAPE as SMALLEST,
  secretOf,
  World,
} from "../testing/forgeries/forgery-world.ts";
import { JOINT_DATANETS, JOINT_STATICS, makeJoint } from "../testing/forgeries/joint-model.ts";
import { signFor } from "../testing/random-ledger.ts";
import { replayBatch } from "./batch.ts";
import { decodeWire, encodeWire } from "./batch-data.ts";
import type { Operation } from "./slot-trace.ts";

/** No batch here takes more than one operation. */
const SHAPE = postedShape(SMALLEST);
const CIRCUIT_ID = 77n;
await loadForgeryTester();
const worldLedger = () => makeJoint(new World()).ledger;

/** Batches on one ledger, each proven by the circuit and replayed by a full node. */
class Batches {
  readonly ledger: Ledger = worldLedger();
  readonly #fullNode: Ledger = worldLedger();
  #batchNumber = 0n;
  #opIndex = 0n;
  #queueIndex = 0;

  /** @returns the code of a refusal */
  async execute(operations: readonly (() => Operation)[]): Promise<(string | null)[]> {
    this.#batchNumber += 1n;
    const builder = new TableBuilder(this.ledger, {
      ...OPENING,
      shape: SHAPE,
      oldRoot: this.ledger.root,
      batchNumber: this.#batchNumber,
      firstOpIndex: this.#opIndex,
      oldNextId: this.ledger.nextId,
    });
    const codes = operations.map((make) => {
      try {
        builder.add(make());
        return null;
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    this.#opIndex += BigInt(builder.signedCount);
    const closed = builder.close();
    const statement = closedStatement(closed, CIRCUIT_ID);
    const witness = await tester.calculateWitness(closedInputs(closed, statement.z, DEPTH));
    expect(tester.readOutput(witness, "commitment")).toBe(statement.commitment);
    expect(tester.readOutput(witness, "y")).toBe(statement.y);
    const { data } = closed.batch;
    replayBatch(this.#fullNode, decodeWire(encodeWire(data), SHAPE, data), []);
    expect(this.#fullNode.root).toBe(this.ledger.root);
    return codes;
  }

  sign(kind: number, a: number, fields: Partial<Parameters<typeof signFor>[2]> = {}): Operation {
    return signFor(this.ledger, secretOf(a), { kind, a, b: MODEL, ...fields });
  }

  approve(a: number): Operation {
    return this.sign(KIND.approveModel, a, { words: [hashStatics(JOINT_STATICS)] });
  }

  forced(kind: number, a: number, sender = ownerOf(a)): Operation {
    const queueIndex = this.#queueIndex++;
    const entry = { kind, queueIndex, a, b: MODEL, sender, word1: ownerOf(MODEL), word3: 0n, word4: 0n };
    const isPayment = kind === KIND.forcedPayInference;
    return { ...entry, amountWei: isPayment ? AMOUNT : 0n, word2: hashStatics(JOINT_STATICS) };
  }

  pay(): Operation {
    return this.sign(KIND.payInference, PAYER, { amountCode: encodeAmount(AMOUNT), words: [456n] });
  }

  get counters() {
    return unpackCounters(this.ledger.requireLeaf(MODEL).leaf.counters);
  }
}

const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]; // biome-ignore format: one a place

describe("a model of several datanets", () => {
  it("is payable once each has approved, in every order", { timeout: 600_000 }, async () => {
    for (const order of isWhole ? orders : orders.slice(3, 5)) {
      const batches = new Batches();
      for (const [i, position] of order.entries()) {
        expect(batches.counters.isApproved, `${order}`).toBe(false);
        expect(await batches.execute([() => batches.pay()])).toEqual(["OP_MODEL_NOT_PAYABLE"]);
        const id = JOINT_DATANETS[position]!;
        expect(await batches.execute([() => batches.approve(id)])).toEqual([null]);
        const isLast = i === 2;
        const approvals = isLast ? 0 : order.slice(0, i + 1).reduce((sum, bit) => sum | (1 << bit), 0);
        expect(batches.counters).toMatchObject({ isApproved: isLast, approvals });
      }
      expect(await batches.execute([() => batches.pay()])).toEqual([null]);
    }
  });

  it("starts over after a revocation by any of them, signed or forced", { timeout: 600_000 }, async () => {
    const ids = [...JOINT_DATANETS.entries()];
    for (const [position, id] of isWhole ? ids : ids.slice(1, 2))
      for (const isForced of [false, true]) {
        const batches = new Batches();
        for (const other of JOINT_DATANETS) await batches.execute([() => batches.approve(other)]);
        expect(batches.counters.isApproved).toBe(true);
        const revoke = () =>
          isForced ? batches.forced(KIND.forcedRevokeModel, id) : batches.sign(KIND.revokeModel, id);
        expect(await batches.execute([revoke])).toEqual([null]);
        expect(await batches.execute([() => batches.pay()])).toEqual(["OP_MODEL_NOT_PAYABLE"]);
        expect(batches.counters).toMatchObject({ isApproved: false, approvals: 0 });
        // The others' approvals do not count any more.
        await batches.execute([() => batches.approve(id)]);
        expect(batches.counters).toMatchObject({ isApproved: false, approvals: 1 << position });
      }
  });

  it("forces back an approval that waits", { timeout: 600_000 }, async () => {
    const batches = new Batches();
    const [, second] = JOINT_DATANETS;
    const force = (id: number, sender = ownerOf(id)) =>
      batches.execute([() => batches.forced(KIND.forcedRevokeModel, id, sender)]);
    const approvals = () => batches.counters.approvals;
    await batches.execute([() => batches.approve(second)]);
    await force(second, 0xbadn);
    expect(approvals()).toBe(0b010);
    await force(second);
    expect(approvals()).toBe(0);
    // A withholding sequencer completes nothing by it.
    for (const id of JOINT_DATANETS.filter((other) => other !== second))
      await batches.execute([() => batches.approve(id)]);
    expect(batches.counters).toMatchObject({ isApproved: false, approvals: 0b101 });
  });

  it("agrees with a count by hand over random operations", { timeout: 900_000 }, async () => {
    const met = new Map<string, number>();
    for (let seed = 1; seed <= (isWhole ? 12 : 1); seed++) {
      const random = new TestRandom(seed);
      const batches = new Batches();
      const input = new Set<number>();
      let isApproved = false;
      for (let i = 0; i < 24; i++) {
        const id = random.pick([...JOINT_DATANETS]);
        const isStranger = random.below(4) === 0;
        const kinds = [KIND.approveModel, KIND.approveModel, KIND.approveModel, KIND.revokeModel];
        const forced = [KIND.forcedRevokeModel, KIND.forcedApproveModel, KIND.forcedPayInference];
        const kind = random.pick([...kinds, ...forced, KIND.payInference]);
        const operation = () =>
          kind === KIND.approveModel
            ? batches.approve(id)
            : kind === KIND.revokeModel
              ? batches.sign(kind, id)
              : kind === KIND.payInference
                ? batches.pay()
                : kind === KIND.forcedPayInference
                  ? batches.forced(kind, PAYER)
                  : batches.forced(kind, id, isStranger ? 0xbadn : ownerOf(id));
        const { paymentCount } = batches.counters;
        const [code] = await batches.execute([operation]);
        const isAgain = kind === KIND.approveModel && !isApproved && input.has(id);
        const isUnpaid = kind === KIND.payInference && !isApproved;
        expect(code).toBe(isAgain ? "OP_MODEL_NOT_OF_DATANET" : isUnpaid ? "OP_MODEL_NOT_PAYABLE" : null);
        if (kind === KIND.approveModel && !isApproved) input.add(id);
        const isRevoked = kind === KIND.revokeModel || (kind === KIND.forcedRevokeModel && !isStranger);
        if (input.size === JOINT_DATANETS.length) isApproved = true;
        if (isApproved || isRevoked) input.clear();
        if (isRevoked) isApproved = false;
        const pays = kind === KIND.payInference || kind === KIND.forcedPayInference;
        const approvals = [...input].reduce((sum, of) => sum | (1 << JOINT_DATANETS.indexOf(of as never)), 0);
        expect(batches.counters, `seed ${seed}, ${i}: kind ${kind} of ${id}`).toMatchObject({
          isApproved,
          approvals,
          paymentCount: paymentCount + BigInt(pays && isApproved && paymentCount < batches.counters.cap),
        });
        met.set(`${kind} ${code ?? isApproved}`, (met.get(`${kind} ${code ?? isApproved}`) ?? 0) + 1);
      }
    }
    expect(met.size).toBeGreaterThan(isWhole ? 8 : 5);
  });
});
