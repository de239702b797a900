import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { shapeName } from "@openledger/circuits/protocol";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { EXIT_SIZES, exitActions } from "@openledger/contracts/testing/exit-fixture";
import { ANY_FEE, OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterEach, expect, test } from "vitest";
import { verifyRollup } from "../replay/verify.ts";
import { submitQueue } from "./submit-queue.ts";

let f: HistoryFixture;
afterEach(() => f?.stop());

const known = () =>
  SHAPES.map((shape, i) => ({
    name: shapeName(shape),
    circuitId: f.l1.circuits[i]!.circuitId,
  }));

const stages: string[] = [];
const submit = (changes: Partial<Parameters<typeof submitQueue>[0]> = {}) =>
  submitQueue({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    // A stranger: neither the sequencer nor anybody of the ledger.
    account: anvilAccount(6),
    circuits: known(),
    prove: async (name, _inputs, publicSignals) => {
      stages.push(name);
      const index = known().findIndex((circuit) => circuit.name === name);
      const { a, b, c } = f.l1.circuits[index]!.forge(publicSignals as [bigint, bigint, bigint]);
      return { proof: { a, b: fromContractOrder(b), c }, publicSignals };
    },
    onStage: (stage) => stages.push(stage),
    ...changes,
  });

const refusal = async (changes: Parameters<typeof submit>[0] = {}) => {
  const error = await submit(changes).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return isRollupError(error) ? { code: error.code, ...error.data } : error;
};

test("a stranger takes the entries that are overdue, and no other, from L1 alone", async () => {
  f = await startHistoryFixture();
  expect(await refusal()).toMatchObject({
    code: "BRG_NOTHING_TO_DO",
    reason: "queue-empty",
    queueHead: 0,
  });
  // Leaves one deposit waiting, to a leaf that is not of the owner it names.
  await f.makeHistory();
  const { batchNumber, queueHead } = await f.rollup.state();
  const { alice, bob } = f.l1.roles;
  const toNobody = await f.l1.rollup.write.depositTo([2, 3n * OPEN, bob, ANY_FEE], { account: alice });
  await f.l1.client.waitForTransactionReceipt({ hash: toNobody });
  const now = Number((await f.l1.client.getBlock()).timestamp);
  const early = (await refusal()) as { code: string; dueAtSeconds: number };
  expect(early).toMatchObject({
    code: "BRG_TOO_EARLY",
    reason: "queue-not-overdue",
    queueIndex: queueHead,
  });
  expect(early.dueAtSeconds - now).toBeGreaterThan(86_000);
  expect(early.dueAtSeconds - now).toBeLessThanOrEqual(86_400);

  await f.l1.passTime(86_401n);
  await f.l1.depositNew("alice", 5n * OPEN);
  expect(await refusal({ circuits: [] })).toMatchObject({ code: "BRG_NO_CIRCUIT" });
  stages.length = 0;
  const [batch, ...more] = await submit();
  expect(more).toEqual([]);
  expect(stages, "the circuit with the smallest table").toEqual([
    "restore",
    "prove",
    shapeName(SHAPES[2]),
    "send",
  ]);
  expect(batch).toMatchObject({
    batchNumber: batchNumber + 1,
    entries: [
      { queueIndex: queueHead, isValid: true },
      { queueIndex: queueHead + 1, isValid: false },
    ],
  });
  expect(batch!.gasUsed).toBeGreaterThan(200_000);
  expect((await f.rollup.state()).queueHead).toBe(queueHead + 2);
  expect(await f.rollup.pendingWithdrawalWei(alice), "the invalid one comes back").toBeGreaterThanOrEqual(
    3n * OPEN,
  );
  expect(await refusal()).toMatchObject({
    code: "BRG_TOO_EARLY",
    reason: "queue-not-overdue",
    queueIndex: queueHead + 2,
  });
  const { derived: circuits, rollup, rpcUrl, verifyProof } = f;
  expect(await verifyRollup({ rpcUrl, rollupAddress: rollup.address, circuits, verifyProof })).toMatchObject({
    batchCount: batchNumber + 1,
  });
});

test("of a frozen rollup it says so, whatever waits", async () => {
  f = await startHistoryFixture({ settlementSizes: EXIT_SIZES });
  await f.makeHistory();
  await exitActions(f.l1).freeze();
  expect(await refusal()).toMatchObject({ code: "BRG_FROZEN" });
});
