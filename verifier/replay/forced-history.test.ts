/** Tests of verification where an epoch is closed, settled and claimed without the operator's signature. */
import {
  DATANET_ID,
  MODEL_ID,
  type ModelHistory,
  PAYEES,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { BINDING, FIELD_ORDER, KIND } from "@openledger/circuits/protocol";
import { ANY_FEE, forcedEntry, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { afterEach, expect, test } from "vitest";
import { verifyRollup } from "./verify.ts";

let f: ModelHistory;
afterEach(() => f?.stop());

const ALICE = PAYEES[0]!.contributorId;
const DAY = 86_400n;

/**
 * Posts all waiting queue entries, as any submitter would have to. @returns the batch's number and outcomes
 */
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

  const {
    forcedApproveModel,
    forcedCommitData,
    forcedPayInference,
    forcedPublishVersion,
    forcedRevokeModel,
  } = KIND;
  const ofModel = { b: BigInt(MODEL_ID), word1: BigInt(alice) };
  const payment = { ...ofModel, a: BigInt(ALICE), amountWei: OPEN, word2: 9n };
  const rest = f.statics.binding >> BINDING.predecessor;
  const approval = { ...ofModel, a: BigInt(DATANET_ID), amountWei: rest, word2: hashStatics(f.statics) };
  const queue = (kind: number, fields: object, account = alice) =>
    force.force([forcedEntry(kind, fields), ANY_FEE], { account });
  // Another's leaf, another's model, below the price; then the order decides: revoked, not paid, approved, and paid.
  await queue(forcedPayInference, payment, bob);
  await queue(forcedPayInference, { ...payment, word1: BigInt(bob) });
  await queue(forcedPayInference, { ...payment, amountWei: 4n });
  await queue(forcedRevokeModel, { a: approval.a, b: approval.b });
  await queue(forcedPayInference, payment);
  await queue(forcedApproveModel, approval);
  expect((await postQueue()).outcomes).toEqual([false, false, false, true, false, true]);
  await queue(forcedPayInference, payment);
  await queue(forcedRevokeModel, { a: approval.a, b: approval.b }, bob);
  await queue(forcedRevokeModel, { a: payment.a, b: approval.b });
  await queue(forcedApproveModel, { ...approval, amountWei: rest ^ 1n });
  await queue(forcedApproveModel, { ...approval, word2: 5n });
  expect((await postQueue()).outcomes).toEqual([true, false, false, false, false]);
  expect(f.ledger.requireLeaf(MODEL_ID).leaf.openAmount).toBe(2n * OPEN);

  // Rows of somebody's leaf for a Datanet, and a version of what is one by its owner.
  const rows = { a: payment.a, b: approval.a, amountWei: 40n, word2: 11n };
  const version = { a: approval.a, amountWei: 40n, word1: 12n, word2: 13n, word3: 14n, word4: 15n };
  const before = f.ledger.requireLeaf(DATANET_ID);
  await queue(forcedCommitData, { ...rows, word1: FIELD_ORDER - 1n });
  await queue(forcedCommitData, { ...rows, b: payment.a });
  await queue(forcedCommitData, rows, bob);
  await queue(forcedPublishVersion, version);
  await queue(forcedPublishVersion, { ...version, a: payment.a });
  await queue(forcedPublishVersion, version, bob);
  expect((await postQueue()).outcomes).toEqual([true, false, false, true, false, false]);
  const after = f.ledger.requireLeaf(DATANET_ID);
  expect(after.leaf.counters - before.leaf.counters).toBe(40n);
  expect(after.datanet).toMatchObject({
    version: before.datanet!.version + 1n,
    rowCount: 40n,
    rowsRoot: 12n,
    ownersCommitment: 13n,
    payeeRoot: 14n,
    policy: 15n,
  });

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
