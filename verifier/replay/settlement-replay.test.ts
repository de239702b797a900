import type { BatchEvent, HistoryEvent } from "@openledger/bridge/l1/l1-history";
import { DEFAULT_SPLIT_DELAY_SECONDS } from "@openledger/bridge/l1/settlement-times";
import { doctored } from "@openledger/bridge/testing/history-fixture";
import {
  MODEL_ID,
  type ModelHistory,
  PAYEE_TABLE_CIRCUIT,
  SAMPLED_CIRCUIT,
  SHARDED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { KIND } from "@openledger/circuits/protocol";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterEach, describe, expect, test } from "vitest";
import { type VerifyOptions, verifyRollup } from "./verify.ts";

let f: ModelHistory;
afterEach(() => f?.stop());

const verify = (changes: Partial<VerifyOptions> = {}) =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
    ...changes,
  });

const difference = async (change: (event: HistoryEvent) => HistoryEvent | null): Promise<unknown> => {
  try {
    await verify({ readHistory: doctored(change) });
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return [error.code, (error.data as { what?: string }).what];
  }
  return "nothing";
};

/** An activation, a sampled epoch, an epoch by default split, and a claim. */
async function makeHistory(): Promise<void> {
  await f.makeModel();
  await f.openModel();
  const first = await f.closeEpoch();
  await f.recordRandomness(first);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  await f.claimRewards(0);
  await f.closeEpoch();
  await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS));
  await f.submit([await f.proveSettlementFixture(f.defaultData(), PAYEE_TABLE_CIRCUIT)]);
}

const settles = (event: HistoryEvent): event is BatchEvent =>
  event.type === "batch" && event.batch.wide.some(({ kind }) => kind === KIND.settle);

describe("verifyRollup with settlements", () => {
  test("replays a model of two shards", async () => {
    f = await startModelHistory({ shardCount: 2 });
    await f.makeModel();
    await f.openModel();
    const closingBatch = await f.closeEpoch();
    await f.recordRandomness(closingBatch);
    const data = await f.sampledData();
    await f.submit([await f.proveSettlementFixture(data, SHARDED_CIRCUIT)]);
    await f.claimRewards(512);
    const { claimedWei } = f.ledger.requireLeaf(MODEL_ID).rewards!;
    expect(claimedWei[1024]).toBeGreaterThan(0n);
    const result = await verify();
    expect(result).toMatchObject({ root: f.ledger.root, settlementCount: 2, ledgerWei: f.ledger.totalWei() });
    // A payee table a shard; the draws', and one a shard.
    expect(result.proofCount).toBe(result.batchCount + 2 + 3);
  });

  test("rebuilds a model's epochs and checks their proofs, draws and sums, and finds every falsification", async () => {
    f = await startModelHistory();
    await makeHistory();
    const result = await verify();
    expect(result).toMatchObject({ root: f.ledger.root, settlementCount: 3, ledgerWei: f.ledger.totalWei() });
    expect(result.proofCount).toBe(result.batchCount + 3);
    // The default split burns the owner's part: it left the ledger on both sides.
    expect(await f.rollup.burnableWei()).toBeGreaterThan(2n * 10n ** 17n);

    const of = (change: (settlement: BatchEvent["settlements"][number]) => object) => (event: HistoryEvent) =>
      settles(event)
        ? { ...event, settlements: event.settlements.map((s) => ({ ...s, ...change(s) })) }
        : event;
    const posted = (change: object) => of((s) => ({ posted: { ...s.posted, ...change } }));
    const found = [
      await difference(posted({ items: [1n, 2n] })),
      await difference(posted({ burnedWei: 5n })),
      await difference(posted({ epoch: 7n })),
      await difference(posted({ closingBatch: 1n })),
      await difference(posted({ chain: 5n })),
      await difference(of((s) => ({ commitment: s.commitment! + 1n }))),
      await difference(of(() => ({ circuitIndex: 0 }))),
      await difference(posted({ capCircuit: 3 })),
      await difference((event) => (event.type === "randomness" ? { ...event, prevRandao: 5n } : event)),
      await difference((event) => (event.type === "randomness" ? null : event)),
      await difference((event) => (event.type === "closeEpoch" ? null : event)),
    ];
    const operation = ["BRG_BATCH_MALFORMED", "an operation"];
    const settlement = `settlement of model ${MODEL_ID}`;
    expect(found).toEqual([
      ...Array(5).fill(operation),
      ["BRG_VERIFY_DIFFERS", `the proof of the ${settlement}`],
      ["BRG_VERIFY_DIFFERS", `the circuit of the ${settlement}`],
      ["BRG_VERIFY_DIFFERS", `the circuit that the ${settlement} names`],
      ["BRG_VERIFY_DIFFERS", "the randomness of its CloseEpochs"],
      ["BRG_VERIFY_DIFFERS", "the randomness of a sampled settlement"],
      ["BRG_VERIFY_DIFFERS", "the block of its CloseEpochs"],
    ]);
  });
});
