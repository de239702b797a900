import type { BatchShape } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { bridgeError } from "../bridge-errors.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { silentLogger } from "../testing/bridge-parts.ts";
import { DataPricesNotice } from "./data-prices.ts";

const SHAPE: BatchShape = {
  narrow: 2_050,
  wide: 16,
  table: { members: 10, rows: 4_096, units: 16, low: 3, top: 3, isBlob: true },
};
const GWEI = 10n ** 9n;

test("the verdict on blobs follows L1's prices, and is lines when it changes", async () => {
  let nowMs = 0;
  let blobGasPriceWei: bigint | null = 1n;
  const lines: string[] = [];
  const metrics = createBridgeMetrics(new Registry());
  const client = {
    getGasPrice: async () => 10n * GWEI,
    getBlobBaseFee: async () => {
      if (blobGasPriceWei === null) throw bridgeError("BRG_L1_REFUSED", "no such method");
      return blobGasPriceWei;
    },
  };
  const logger = { ...silentLogger, info: (_facts: unknown, text: string) => lines.push(text) } as never;
  const notice = new DataPricesNotice([shapeOf(6, 2), SHAPE], {
    client,
    logger,
    metrics,
    nowMs: () => nowMs,
  });
  const look = async (price: bigint | null) => {
    blobGasPriceWei = price;
    nowMs += 60_000;
    await notice.note();
    return (await metrics.blobCrossover.get()).values.map(({ labels, value }) => [labels.kind, value]);
  };
  // 72,000 gas to open a blob are those of 360 transfers, or of 103 payments.
  expect(await look(0n)).toEqual([
    ["transfer", 360],
    ["payment", 103],
  ]);
  await look(1n);
  expect(lines).toEqual([expect.stringMatching(/transfer blob, payment calldata$/)]);
  const dear = await look(100n * GWEI);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/transfer calldata, payment calldata$/);
  const cost = (await metrics.dataCost.get()).values.find(
    ({ labels }) => labels.kind === "transfer" && labels.place === "calldata",
  );
  expect(cost!.value).toBe(200 * Number(10n * GWEI));
  expect(await look(null)).toEqual(dear);
});
