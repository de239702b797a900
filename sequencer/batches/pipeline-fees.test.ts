/** Tests of the fees of batches in a running sequencer, and of the operator's account. */
import { expect, it } from "vitest";
import { storeKeys } from "../store/store-keys.ts";
import { freshFolder, freshRollup } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { close, operator, prove, report, send } from "../testing/test-operator.ts";
import { L1_TIMESTAMP, type TestRollup, transfer } from "../testing/test-rollup.ts";

const GWEI = 10n ** 9n;
const FOLLOW = {
  SEQUENCER_FEE_MODE: "follow",
  SEQUENCER_FEE_PER_UNIT_WEI: "1000000",
  SEQUENCER_FEE_MIN_PER_UNIT_WEI: "1000",
  SEQUENCER_FEE_OPEN_PER_ETHER: "20000",
  SEQUENCER_FEE_PROOF_COST_WEI: "7000",
};
const start = (environment: Record<string, string>, dataPath = freshFolder()): Promise<TestRollup> =>
  freshRollup({ dataPath, userCount: 2, environment });
const blockWith = (rollup: TestRollup, baseFeePerGasWei: bigint) =>
  operator(rollup, "/operator/l1-head", {
    blockNumber: 11,
    timestamp: L1_TIMESTAMP + 12,
    baseFeePerGasWei: baseFeePerGasWei.toString(),
  });
const pay = (rollup: TestRollup, nonce: bigint, maxFeePerUnitWei = 10n ** 15n) =>
  send(rollup, transfer(rollup.users[0]!, rollup.users[1]!, nonce, { maxFeePerUnitWei }));

it("announces the fee of a batch before it opens, in the batch before, and keeps its word over a restart", async () => {
  const rollup = await start(FOLLOW);
  await blockWith(rollup, GWEI);
  const headerFee = async (n: number) => (await rollup.get(`/v1/batches/${n}`)).body.feePerUnitWei;
  // The deposits' batch was opened before L1's price was known.
  const announced: string[] = [(await rollup.get("/v1/fees")).body.nextFeePerUnitWei];
  for (let nonce = 0n; nonce < 3n; nonce++) {
    expect((await pay(rollup, nonce)).status).toBe(202);
    const { body } = await rollup.get("/v1/fees");
    expect(body.feePerUnitWei).toBe(announced.at(-1));
    expect((await rollup.get("/v1/info")).body.feePerUnitWei).toBe(announced.at(-1));
    announced.push(body.nextFeePerUnitWei);
    // L1's price changes meanwhile.
    await blockWith(rollup, 1_000n * GWEI);
    expect((await rollup.get("/v1/fees")).body.nextFeePerUnitWei).toBe(announced.at(-1));
    await blockWith(rollup, GWEI);
    const number = await close(rollup);
    expect(await headerFee(number)).toBe(announced.at(-2));
  }
  expect(announced).toEqual(["1000000", "1125000", "1265625", "1423828"]);

  await rollup.stop();
  const again = await start(FOLLOW, rollup.config.dataPath);
  expect((await again.get("/v1/fees")).body).toMatchObject({
    mode: "follow",
    feePerUnitWei: "1423828",
    nextFeePerUnitWei: "1423828",
    basis: null,
    operations: { transfer: { weight: 10, feeWei: "14238280", nextFeeWei: "14238280" } },
  });
  expect((await pay(again, 3n, 1_423_827n)).body.error.code).toBe("OP_FEE_TOO_LOW");
  expect((await pay(again, 3n, 1_423_828n)).status).toBe(202);
  await close(again);

  // A directory that was made of a full node's has no announcement: the last batch says where the fee was.
  await again.stop();
  const log = await openTestLog(rollup.config.dataPath);
  await log.write([{ key: storeKeys.nextFee }]);
  await log.close();
  const restored = await start(FOLLOW, rollup.config.dataPath);
  expect((await restored.get("/v1/fees")).body.feePerUnitWei).toBe("1423828");
});

it("suggests a limit that outlasts four steps, and stays with a constant", async () => {
  const rollup = await start({});
  const { body } = await rollup.get("/v1/fees");
  const constant = { mode: "constant", feePerUnitWei: "1000", nextFeePerUnitWei: "1000", basis: null };
  expect(body).toMatchObject({ ...constant, suggestedMaxFeePerUnitWei: "1000", stepPerMille: 0 });
  const following = await start(FOLLOW);
  const suggested = BigInt((await following.get("/v1/fees")).body.suggestedMaxFeePerUnitWei);
  expect(suggested).toBe(1_601_806n);
});

it("says what the operator earned, spent, and what is left", async () => {
  const rollup = await start(FOLLOW);
  const account = async () => (await rollup.get("/v1/operator/account")).body;
  expect(await account()).toMatchObject({ batchCount: 0, sinceMs: null, resultWei: "0" });
  await pay(rollup, 0n);
  await pay(rollup, 1n);
  await close(rollup);
  for (const number of [1, 2]) await prove(rollup, number);
  // One transaction with both.
  for (const status of ["submitted", "posted"])
    for (const number of [1, 2])
      await report(rollup, number, status, { gasUsed: 500, gasPriceWei: status === "posted" ? "3" : null });
  const incomeWei = 2n * 10n * 1_000_000n;
  expect(await account()).toMatchObject({
    batchCount: 2,
    firstBatch: 1,
    lastBatch: 2,
    gasUsed: 500,
    unpricedCount: 0,
    incomeWei: incomeWei.toString(),
    l1CostEtherWei: "1500",
    proofCostWei: "14000",
    resultWei: (incomeWei - 1_500n * 20_000n - 14_000n).toString(),
  });
  const metric = await rollup.metrics.fees.operatorResult.get();
  expect(metric.values[0]!.value).toBeLessThan(0);

  await rollup.stop();
  const again = await start(FOLLOW, rollup.config.dataPath);
  expect((await again.get("/v1/operator/account")).body).toMatchObject({
    batchCount: 2,
    l1CostEtherWei: "1500",
  });
  await report(again, 2, "dropped", {});
  expect((await again.get("/v1/operator/account")).body).toMatchObject({ batchCount: 1 });
});
