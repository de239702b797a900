import {
  MODEL_ID,
  type ModelHistory,
  PAYEES,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND } from "@openledger/circuits/protocol";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { afterEach, expect, test } from "vitest";
import { verifyRollup } from "./verify.ts";

let f: ModelHistory;
afterEach(() => f?.stop());

const ALICE = PAYEES[0]!.contributorId;
const DAY = 86_400n;

/** Posts whatever waits in the queue, as any submitter would have to. @returns the batch's number and outcomes */
async function postQueue(): Promise<{ number: number; outcomes: boolean[] }> {
  const waiting = await f.queueOperations();
  const closed = await f.close(() => waiting, undefined, SHAPES[1]);
  await f.submit([closed]);
  const { batchNumber, wide } = closed.content;
  return { number: Number(batchNumber), outcomes: wide.map(({ isValid }) => isValid) };
}

const pay = () =>
  f.post(() => () => [
    f.sign(ALICE, { kind: KIND.payInference, b: MODEL_ID, words: [9n], amountCode: encodeAmount(OPEN) }),
  ]);

test("an epoch is closed, settled and claimed though its operator signs nothing for it", async () => {
  f = await startModelHistory();
  const { l1 } = f;
  const { alice, bob } = l1.roles;
  const force = l1.rollup.write;
  await f.makeModel();
  await f.openModel();
  await pay();

  // Too early: the entry's own time counts, however late it is taken.
  await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob });
  await l1.passTime(DAY);
  expect((await postQueue()).outcomes).toEqual([false]);
  await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob });
  await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob });
  const closed = await postQueue();
  // The second finds the epoch closed.
  expect(closed.outcomes).toEqual([true, false]);
  expect(f.ledger.requireLeaf(MODEL_ID).rewards!.closed!.closingBatch).toBe(BigInt(closed.number));
  await f.recordRandomness(closed.number);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);

  const { balance } = f.ledger.requireLeaf(ALICE).leaf;
  const owed = f.ledger.requireLeaf(MODEL_ID).rewards!.accruedWei[0]!;
  await force.forceClaimRewards([ALICE, MODEL_ID, 0, false, ANY_FEE], { account: alice });
  await force.forceClaimRewards([ALICE, MODEL_ID, 0, true, ANY_FEE], { account: alice });
  // Nothing is left, another's leaf, a payee that is not there, what is no model.
  await force.forceClaimRewards([ALICE, MODEL_ID, 0, true, ANY_FEE], { account: alice });
  await force.forceClaimRewards([ALICE, MODEL_ID, 0, false, ANY_FEE], { account: bob });
  await force.forceClaimRewards([ALICE, MODEL_ID, 7, false, ANY_FEE], { account: alice });
  await force.forceClaimRewards([ALICE, ALICE, 0, false, ANY_FEE], { account: alice });
  expect((await postQueue()).outcomes).toEqual([true, true, true, false, false, false]);
  expect(f.ledger.requireLeaf(ALICE).leaf.balance - balance).toBe(owed);

  await force.forceTransfer([ALICE, MODEL_ID, OPEN, alice, ANY_FEE], { account: alice });
  await force.forceTransfer([ALICE, MODEL_ID, OPEN, bob, ANY_FEE], { account: alice });
  await force.forceTransfer([ALICE, MODEL_ID, OPEN, alice, ANY_FEE], { account: bob });
  expect((await postQueue()).outcomes).toEqual([true, false, false]);

  const result = await verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });
  expect(result).toMatchObject({ root: f.ledger.root, settlementCount: 2, ledgerWei: f.ledger.totalWei() });
});
