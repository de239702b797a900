import { expect, it } from "vitest";
import { readDispatchConfig } from "../jobs/dispatch-config.ts";
import { readProveConfig } from "./prove-config.ts";

const TOKEN = "token-1234-of-tests";
const QUEUE = "redis://prover:password@redis.example:6379";
const refused = (names: string[]) =>
  expect.objectContaining({ code: "SRV_CONFIG_INVALID", message: names.join("\n") });

it("takes jobs from the sequencer or from a queue, and never from both", () => {
  expect(readProveConfig({ PROVER_TOKEN: TOKEN }).token?.reveal()).toBe(TOKEN);
  expect(readProveConfig({ PROVER_QUEUE: QUEUE }).queue?.reveal()).toBe(QUEUE);
  const oneOfThem = refused(["PROVER_TOKEN is given, or PROVER_QUEUE, and not both"]);
  expect(() => readProveConfig({})).toThrow(oneOfThem);
  expect(() => readProveConfig({ PROVER_TOKEN: TOKEN, PROVER_QUEUE: QUEUE })).toThrow(oneOfThem);
});

it("credits nobody whose proofs no key shows", () => {
  const key = "5e".repeat(32);
  expect(() => readProveConfig({ PROVER_TOKEN: TOKEN, PROVER_HAND_IN_KEY: key })).toThrow(
    refused(["PROVER_HAND_IN_KEY is given, and PROVER_QUEUE is not"]),
  );
  const dispatcher = { DISPATCHER_QUEUE: QUEUE, DISPATCHER_TOKEN: TOKEN, DISPATCHER_CREDITS_PATH: "credits" };
  expect(() => readDispatchConfig(dispatcher)).toThrow(
    refused(["DISPATCHER_HAND_IN_SECRET is missing, and DISPATCHER_CREDITS_PATH is given"]),
  );
  const config = readDispatchConfig({ ...dispatcher, DISPATCHER_HAND_IN_SECRET: key });
  expect(config.handInSecret?.reveal()).toBe(key);
});

it("knows where keys are of the native back end alone", () => {
  const mapped = { PROVER_TOKEN: TOKEN, PROVER_KEY_MEMORY: "mapped" };
  expect(readProveConfig({ PROVER_TOKEN: TOKEN }).keyMemory).toBe("auto");
  expect(readProveConfig({ ...mapped, PROVER_BACKEND: "native" }).keyMemory).toBe("mapped");
  expect(() => readProveConfig(mapped)).toThrow(
    refused(["PROVER_KEY_MEMORY is for PROVER_BACKEND native, which is auto"]),
  );
});

it("tells no secret when it refuses one", () => {
  const wrong = QUEUE.replace("redis:", "http:");
  expect(() => readProveConfig({ PROVER_QUEUE: wrong })).toThrow(
    refused(["PROVER_QUEUE is no redis:// or rediss:// address"]),
  );
  expect(() => readDispatchConfig({ DISPATCHER_QUEUE: wrong, DISPATCHER_TOKEN: TOKEN })).toThrow(
    refused(["DISPATCHER_QUEUE is no redis:// or rediss:// address"]),
  );
});
