import { type BatchShape, type DataMode, shapeName } from "@openledger/circuits/protocol";
import { batchSizes, openingShape } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { createLogger } from "@openledger/foundation/logger";
import { expect, it } from "vitest";
import { createMetrics } from "../metrics.ts";
import { DataChoice } from "./data-choice.ts";

const TABLE = { members: 4, rows: 8, units: 2, low: 2, top: 2 };
const PLAIN: BatchShape = { narrow: 600, wide: 4, table: TABLE };
const BLOB: BatchShape = { ...PLAIN, table: { ...TABLE, isBlob: true } };
const OTHER: BatchShape = { ...PLAIN, wide: 5 };
const GWEI = 10n ** 9n;

const circuitOf = (shape: BatchShape, i: number) => ({
  name: shapeName(shape),
  ...batchSizes(shape),
  circuitId: BigInt(i),
});
const SETTLEMENT = {
  name: "payee-table-16",
  sort: CIRCUIT_SORT.payeeTable,
  size0: 0,
  size1: 16,
  circuitId: 9n,
};

function choiceOf(mode: DataMode, shapes: readonly BatchShape[]) {
  const now = { ms: 1_000_000 };
  const metrics = createMetrics();
  const logger = createLogger("test", "silent");
  const [first, ...others] = shapes.map(circuitOf);
  const choice = new DataChoice(mode, [first!, SETTLEMENT, ...others], {
    metrics,
    logger,
    clock: () => now.ms,
  });
  const choose = (transfers: number) => {
    const { circuitId, place } = choice.choose({ transfers, payments: 0 });
    return [Number(circuitId), place, choice.view.last!.reason];
  };
  return { choice, choose, metrics, now };
}
const at = (gasGwei: bigint, blobGwei: bigint) => ({
  gasPriceWei: gasGwei * GWEI,
  blobGasPriceWei: blobGwei * GWEI,
});

it("follows prices with a tenth of patience, and says why", async () => {
  const { choice, choose, metrics, now } = choiceOf("auto", [BLOB, PLAIN]);
  expect(choose(500), "nobody has named a price").toEqual([1, "calldata", "no-prices"]);
  choice.notePrices(at(10n, 0n));
  // 360 transfers cost as much as a blob, and a tenth more are 400.
  expect(choose(390)).toEqual([1, "calldata", "margin"]);
  expect(choose(401)).toEqual([0, "blob", "cheaper"]);
  expect(choose(350)).toEqual([0, "blob", "margin"]);
  expect(choose(323)).toEqual([1, "calldata", "cheaper"]);
  expect(choose(500)).toEqual([0, "blob", "cheaper"]);
  expect(choose(0), "the queue's entries are in wide slots").toEqual([1, "calldata", "cheaper"]);
  choose(500);
  now.ms += 600_000;
  choice.notePrices(null);
  expect(choose(500)).toEqual([0, "blob", "cheaper"]);
  expect(choice.view.prices).toMatchObject({ isFresh: true, crossover: { transfer: 360, payment: 103 } });
  now.ms += 1;
  expect(choose(0), "prices of eleven minutes ago").toEqual([0, "blob", "old-prices"]);
  expect(choice.view.prices).toMatchObject({ isFresh: false });
  choice.notePrices(at(10n, 100n));
  expect(choose(500)).toEqual([1, "calldata", "cheaper"]);
  expect((await metrics.data.inBlob.get()).values[0]!.value).toBe(0);
  const counted = (await metrics.data.choices.get()).values.map(({ labels, value }) => ({
    ...labels,
    value,
  }));
  expect(counted).toContainEqual({ place: "blob", reason: "old-prices", value: 1 });
});

it("goes on after a restart from where the last batch stood", () => {
  const { choice, choose } = choiceOf("auto", [PLAIN, BLOB]);
  choice.recall("table-1-1-3-2-1-1-1");
  expect(choose(500)).toEqual([0, "calldata", "no-prices"]);
  choice.recall(shapeName(BLOB));
  expect(choose(500)).toEqual([1, "blob", "no-prices"]);
});

it("keeps to the setting, and to the only circuit that there is", () => {
  const set = choiceOf("blob", [PLAIN, BLOB]);
  set.choice.notePrices(at(10n, 100n));
  expect(set.choose(1)).toEqual([1, "blob", "set"]);
  expect(choiceOf("calldata", [BLOB, PLAIN]).choose(500)).toEqual([1, "calldata", "set"]);
  expect(choiceOf("auto", [BLOB, OTHER]).choose(1), "another size is no twin").toEqual([0, "blob", "only"]);
  expect(choiceOf("auto", [shapeOf(2, 3)]).choose(0)).toEqual([0, "calldata", "only"]);
  for (const shapes of [
    [PLAIN, OTHER],
    [shapeOf(2, 3), BLOB],
  ])
    expect(() => choiceOf("blob", shapes)).toThrow(expect.objectContaining({ code: "SRV_CONFIG_INVALID" }));
});

it("follows the operator for one batch, and refuses a place that no circuit has", () => {
  const { choice, choose } = choiceOf("auto", [PLAIN, BLOB]);
  const asOperator = (mode: DataMode, transfers: number) => {
    const { circuitId, place } = choice.byOperator(mode).choose({ transfers, payments: 0 });
    return [Number(circuitId), place, choice.view.last!.reason];
  };
  choice.notePrices(at(10n, 0n));
  expect(asOperator("blob", 1)).toEqual([1, "blob", "operator"]);
  expect(choose(1), "the next batch").toEqual([0, "calldata", "cheaper"]);
  expect(asOperator("calldata", 500)).toEqual([0, "calldata", "operator"]);
  expect(asOperator("auto", 500)).toEqual([1, "blob", "cheaper"]);
  const set = choiceOf("blob", [PLAIN, BLOB]).choice;
  expect(set.byOperator("calldata").choose({ transfers: 500, payments: 0 }).place).toBe("calldata");
  const alone = choiceOf("auto", [PLAIN, OTHER]).choice;
  expect(() => alone.byOperator("blob")).toThrow(expect.objectContaining({ code: "SEQ_PLACE_IMPOSSIBLE" }));
  expect(alone.byOperator("auto").choose({ transfers: 1, payments: 0 }).place).toBe("calldata");
});

it("opens batches for a blob wherever one may be chosen, so that each operation has its slot in both", () => {
  const opening = (...shapes: BatchShape[]) => openingShape(shapes.map(circuitOf));
  expect(opening(PLAIN, BLOB)).toEqual(BLOB);
  expect(opening(BLOB, PLAIN)).toEqual(BLOB);
  expect(opening(PLAIN, OTHER)).toEqual(PLAIN);
});
