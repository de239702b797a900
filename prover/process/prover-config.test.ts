import { expect, it } from "vitest";
import { readProverConfig } from "./prover-config.ts";

const QUEUE = "redis://prover:password@redis.example:6379";
const refused = (names: string[]) =>
  expect.objectContaining({ code: "SRV_CONFIG_INVALID", message: names.join("\n") });

it("has proofs made by a child process, unless a queue is named", () => {
  expect(readProverConfig({}).queue).toBeUndefined();
  expect(readProverConfig({ PROVER_QUEUE: QUEUE }).queue?.reveal()).toBe(QUEUE);
});

it("knows where keys are of the native back end alone", () => {
  const mapped = { PROVER_KEY_MEMORY: "mapped" };
  expect(readProverConfig({}).keyMemory).toBe("auto");
  expect(readProverConfig({ ...mapped, PROVER_BACKEND: "native" }).keyMemory).toBe("mapped");
  expect(() => readProverConfig(mapped)).toThrow(
    refused(["PROVER_KEY_MEMORY is for PROVER_BACKEND native, which is auto"]),
  );
});

it("tells no secret when it refuses one", () => {
  const wrong = QUEUE.replace("redis:", "http:");
  expect(() => readProverConfig({ PROVER_QUEUE: wrong })).toThrow(
    refused(["PROVER_QUEUE is no redis:// or rediss:// address"]),
  );
});
