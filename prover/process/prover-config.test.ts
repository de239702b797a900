import { expect, it } from "vitest";
import { readProverConfig } from "./prover-config.ts";

const URL = "postgres://prover:password@database.example/openledger";
const OTHER = "postgres://openledger:password@database.example/openledger";
const refused = (names: string[]) =>
  expect.objectContaining({ code: "SRV_CONFIG_INVALID", message: names.join("\n") });

it("has proofs made by a child process, unless the queue is chosen; a worker has a database of its own setting", () => {
  expect(readProverConfig({}).place).toBe("process");
  expect(readProverConfig({ PROVER_PLACE: "queue" }).place).toBe("queue");
  expect(readProverConfig({ DATABASE_URL: OTHER, PROVER_DATABASE_URL: URL }).databaseUrl?.reveal()).toBe(URL);
});

it("takes no other program's DATABASE_URL, whatever else is given", () => {
  for (const environment of [{}, { PROVER_DATABASE_PATH: "folder" }, { OPENLEDGER_DATABASE_PATH: "folder" }]) {
    expect(readProverConfig({ ...environment, DATABASE_URL: OTHER }).databaseUrl).toBeUndefined();
    const own = readProverConfig({ ...environment, DATABASE_URL: OTHER, OPENLEDGER_DATABASE_URL: URL });
    expect(own.databaseUrl?.reveal()).toBe(URL);
  }
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
  const wrong = URL.replace("postgres:", "http:");
  expect(() => readProverConfig({ PROVER_DATABASE_URL: wrong })).toThrow(
    refused(["PROVER_DATABASE_URL is no postgres:// address"]),
  );
});
