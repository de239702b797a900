import { startAnvil } from "@openledger/contracts/l1/anvil";
import { createPublicClient, http } from "viem";
import { expect, it, onTestFinished } from "vitest";
import { passTime } from "./test-clock.ts";

const DAY_SECONDS = 86_400;

it("moves the clock of a devnet's node by a day, and of no other chain's", async () => {
  const { stop, url } = await startAnvil();
  onTestFinished(stop);
  const node = createPublicClient({ transport: http(url) });
  const { timestamp: before } = await node.getBlock();
  await passTime(url, DAY_SECONDS);
  const { timestamp: after } = await node.getBlock();
  expect(Number(after - before)).toBeGreaterThanOrEqual(DAY_SECONDS);
});
