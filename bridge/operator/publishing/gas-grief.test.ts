/**
 * Attack: `finalizeWithdrawal(anybody)` right before the publisher's transaction makes each payment that it credits 17,100 gas
 * dearer. A hostile review made a publisher with a fifth more than the estimate run out of gas three times in a row, and stop for good.
 */

import { type BatchData, encodeWire } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { MAX_TRANSACTION_GAS } from "@openledger/contracts/l1/fee-policy";
import { depositNewSlot, OPEN, SHAPES, slot } from "@openledger/contracts/testing/rollup-fixture";
import { isWhole, partOf } from "@openledger/foundation/testing/test-random";
import { type Address, bytesToHex, encodeFunctionData, getAddress, toHex } from "viem";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { creditCountOf } from "../../l1/credit-count.ts";
import { type BridgeFixture, startBridgeFixture } from "../../testing/bridge-fixture.ts";
import { overtake, pendingOf } from "../../testing/node-fixture.ts";
import { BUNDLE_LIMITS } from "./batch-bundle.ts";
import { IntentStore } from "./publish-intent.ts";

const SHAPE = SHAPES[1];

let f: BridgeFixture;
beforeEach(async () => {
  f = await startBridgeFixture();
  await f.l1.fund("alice", 10_000n * OPEN);
});
afterEach(() => f?.stop());

const finalizeWithdrawalOf = (owner: Address) =>
  encodeFunctionData({ abi: rollupAbi, functionName: "finalizeWithdrawal", args: [owner] });
const ownerOf = (i: number) => getAddress(toHex(0xbad00000 + i, { size: 20 }));
const withdrawal = (i: number) => slot(KIND.withdraw, [BigInt(ownerOf(i)), 1n], { a: 2 });
const paidIn = (batch: number) =>
  Array.from({ length: SHAPE.wide }, (_, i) => withdrawal(batch * SHAPE.wide + i));

/** Everybody who will be paid has a credit already; then the publisher gets a batch for each ten of them. */
async function proveWithdrawals(batchCount: number) {
  const { l1, sequencer } = f;
  for (let batch = 0; batch < batchCount; batch++)
    await l1.post({ shape: SHAPE, wide: paidIn(batch), signedCount: SHAPE.wide });
  await goOnFromL1();
  let after: BatchData | undefined;
  for (let batch = 0; batch < batchCount; batch++) {
    const content = { shape: SHAPE, wide: paidIn(batch), signedCount: SHAPE.wide };
    const draft = await l1.draft({ ...content, ...(after === undefined ? {} : { after }) });
    sequencer.add(l1.close(draft));
    after = draft;
  }
}

async function goOnFromL1() {
  const s = await f.l1.rollup.read.state();
  const { batchNumber, opIndex, queueHead } = s;
  f.sequencer.origin = { batchNumber, root: `0x${s.root.toString(16)}`, opIndex, queueHead };
}

/** Finalizes everything that is pending, right before the publisher's transaction. @returns its receipt, and the payouts' gas */
async function mineBehindPayouts(ownerCount: number) {
  const { client, roles } = f.l1;
  const [own] = await pendingOf(f.l1, roles.sequencer);
  const nonce = await client.getTransactionCount({ address: roles.stranger });
  const payouts = await Promise.all(
    Array.from({ length: ownerCount }, (_, i) =>
      overtake(f.rpcUrl, f.l1, finalizeWithdrawalOf(ownerOf(i)), nonce + i),
    ),
  );
  await client.mine({ blocks: 1 });
  let finalizeWithdrawalGas = 0n;
  for (const hash of payouts) finalizeWithdrawalGas += (await client.getTransactionReceipt({ hash })).gasUsed;
  return { receipt: await client.getTransactionReceipt({ hash: own!.hash }), finalizeWithdrawalGas };
}

describe("a publisher whose payments are all paid out right before its transaction", () => {
  test.each(isWhole ? [1, 8] : [8])("publishes %i batches at once", async (batchCount) => {
    await proveWithdrawals(batchCount);
    await f.l1.client.setAutomine(false);
    const publisher = await f.publisher();
    await publisher.poll();
    const { receipt } = await mineBehindPayouts(batchCount * SHAPE.wide);
    expect(receipt.status).toBe("success");
    expect(4n * BUNDLE_LIMITS.maxGas, "a quarter is to spare").toBe(3n * MAX_TRANSACTION_GAS);
    await publisher.poll();
    expect(f.sequencer.with("posted").length).toBe(batchCount);
  });

  // Two are estimated below 700,000, and need 342,000 more at worst. One alone may have a transaction's maximum.
  test.each(partOf([700_000n, 100_000n], 2))(
    "takes one batch where the worst of two needs more than %i",
    async (maxGas) => {
      await proveWithdrawals(2);
      await f.l1.client.setAutomine(false);
      const publisher = await f.publisher({ limits: { ...BUNDLE_LIMITS, maxGas } });
      await publisher.poll();
      expect(f.sequencer.with("submitted").length).toBe(1);
      const { receipt } = await mineBehindPayouts(2 * SHAPE.wide);
      expect(receipt.status).toBe("success");
    },
  );
});

describe("a transaction that ran out of gas all the same", () => {
  const short = async (intents: IntentStore) => {
    const [intent] = await intents.intents();
    return BigInt(intent!.attempts[0]!.gasLimit);
  };

  test("is sent again with more each time, however often, and raises no alarm", async () => {
    await proveWithdrawals(2);
    await f.l1.client.setAutomine(false);
    // A node that estimates far too little.
    let isShort = true;
    const rollup = new Proxy(f.rollup, {
      get(target, name) {
        if (name === "estimateSubmitBatchesGas" && isShort) return async () => 30_000n;
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const publisher = await f.publisher({}, { rollup });
    const intents = new IntentStore((await f.store()).publisher);
    const limits: bigint[] = [];
    while (f.sequencer.with("posted").length === 0) {
      await publisher.poll();
      if ((await intents.intents()).length === 0) continue;
      limits.push(await short(intents));
      await f.l1.client.mine({ blocks: 1 });
    }
    expect(limits.length).toBeGreaterThan(1);
    for (const [i, limit] of limits.entries()) expect(limit).toBe(limits[0]! << BigInt(i));
    expect(f.sequencer.reports.some(({ reason }) => reason === "refused")).toBe(false);
    isShort = false;
  });
});

test("creditCountOf counts what L1 may credit: withdrawals, deposits, forced withdrawals", () => {
  const { stranger } = f.l1.roles;
  const words = (count: number) => Array.from({ length: count }, () => 1n);
  const wide = [
    slot(KIND.withdraw, words(2), { a: 2 }),
    slot(KIND.closeEpoch, [], { a: 5, b: 5 }),
    depositNewSlot(OPEN, stranger, 5n, stranger, { b: 9 }),
    slot(KIND.depositTo, words(4), { b: 3 }),
    slot(KIND.forcedWithdraw, words(5), { a: 2 }),
    slot(KIND.forcedSetKey, words(4), { a: 2 }),
  ];
  const content = { shape: SHAPE, wide, signedCount: 2, newNextId: 10 };
  return f.l1.draft(content).then((draft) => {
    const { batch } = f.l1.close(draft);
    expect(creditCountOf([batch, batch])).toBe(8);
    // The same batch in a blob, whose opening is behind the data.
    const table = { members: 2, rows: 4, units: 2, low: 2, top: 1, isBlob: true };
    const inBlob = encodeWire(
      { ...draft, shape: { ...draft.shape, table }, narrow: [] },
      new Uint8Array(128),
    );
    expect(creditCountOf([{ data: bytesToHex(inBlob) }])).toBe(4);
    expect(() => creditCountOf([{ data: bytesToHex(inBlob.subarray(1)) }])).toThrow();
  });
});
