/** Tests of verification, restores and exits when L1 has a batch that breaks the ledger's rules. */
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import {
  ALICE_ID,
  makeDatanet,
  nullWithLeaf,
  tooManyRows,
} from "@openledger/bridge/testing/malformed-fixture";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, type ClosedBatch, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { leave } from "../exits/leave.ts";
import { restoreLedger } from "../restore/restore-ledger.ts";
import { submitQueue } from "../without-operator/submit-queue.ts";
import { verifyRollup } from "./verify.ts";

const DAY = 86_400n;
let f: HistoryFixture;
let id: `0x${string}`;

beforeAll(async () => {
  f = await startHistoryFixture();
  await makeDatanet(f);
});
afterAll(() => f?.stop());
beforeEach(async () => {
  id = await f.l1.client.snapshot();
});
afterEach(() => f.l1.client.revert({ id }));

const verify = () =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });
const submit = () =>
  submitQueue({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    account: anvilAccount(6),
    circuits: SHAPES.map((shape) => ({ ...f.l1.circuits[SHAPES.indexOf(shape)]!, name: "unused" })),
    prove: () => Promise.reject(new Error("nothing is to be proven on top of it")),
  });
const look = () =>
  leave({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    account: null,
    selection: { owner: f.l1.roles.alice, leafId: undefined, payeeIndex: undefined, minWei: undefined },
    prover: { open: () => Promise.reject(new Error("nothing is proven")) },
    onProgress: () => {},
  });

/**
 * Posts a batch, queues an entry and passes a day. Returns the position that all errors that build on the ledger
 * must name.
 */
async function post(closed: ClosedBatch) {
  const { blockNumber, transactionHash } = await f.l1.submit([closed]);
  const position = { batchNumber: 3, transactionHash, blockNumber: Number(blockNumber) };
  await f.l1.rollup.write.forceSetKey([ALICE_ID, 5n, ANY_FEE], { account: f.l1.roles.alice });
  await f.l1.passTime(DAY + 1n);
  return position;
}
const malformed = (position: object, reason: object) => ({
  code: "BRG_BATCH_MALFORMED",
  data: {
    ...position,
    reason: expect.objectContaining(reason),
    remedy: expect.stringContaining("openledger exit"),
  },
});

describe("a batch that L1 has taken and the rules refuse", () => {
  test("is named, with its transaction and the rule, by verify, restore and submit-queue", async () => {
    const position = await post(await tooManyRows(f, false));
    const expected = malformed(position, {
      code: "OP_MALFORMED",
      message: expect.stringContaining("words[3] is not a 32-bit row count"),
    });
    await expect(verify()).rejects.toMatchObject(expected);
    await expect(restoreLedger(f.rollup)).rejects.toMatchObject(expected);
    await expect(submit()).rejects.toMatchObject(expected);
  });

  test("is named also where its bytes are no batch", async () => {
    const expected = malformed(await post(await nullWithLeaf(f)), { code: "CIR_WIRE_MALFORMED" });
    for (const one of [verify, () => restoreLedger(f.rollup), submit, look])
      await expect(one()).rejects.toMatchObject(expected);
  });

  test("keeps nobody from leaving where its root follows from what was posted", async () => {
    const position = await post(await tooManyRows(f, true));
    await expect(restoreLedger(f.rollup)).rejects.toMatchObject({ code: "BRG_BATCH_MALFORMED" });
    const { items, malformedBatches, root } = await look();
    expect(malformedBatches).toMatchObject([{ ...position, reason: { code: "OP_MALFORMED" } }]);
    // Every leaf under L1's own root is known: that is what a proof of an exit needs.
    expect(root).toBe((await f.rollup.state()).root);
    const wei = items.reduce((sum, { amountWei }) => sum + amountWei, 0n);
    expect(wei).toBeGreaterThan(98n * OPEN);
    expect(wei).toBeLessThan(100n * OPEN);
  });

  test("lets nobody leave where its root does not follow: its maker alone knows the leaves", async () => {
    const position = await post(await tooManyRows(f, false));
    await expect(look()).rejects.toMatchObject(
      malformed(position, { code: "CIR_REPLAY_DIFFERS", message: expect.stringContaining("new root") }),
    );
  });
});
