import type { RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { simulateCircuit } from "@openledger/contracts/testing/test-prover";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { describe, expect, test } from "vitest";
import { verifierKey } from "../replay/verify-keys.ts";
import { verifierError } from "../verifier-errors.ts";
import { nameByKey, namesOf, refuseHiddenDevelopmentKey } from "./derive-circuits.ts";
import { readRollupCircuits } from "./rollup-circuits.ts";

const SIZES = batchSizes(shapeOf(6, 2));
const { alpha, beta } = developmentSecrets("any");

/** Circuit as the contract reports it, with a key that has this alpha and beta. */
function registered(shared: { alpha: bigint; beta: bigint }, isDevelopment: boolean): RegisteredCircuit {
  return { index: 0, ...simulateCircuit(SIZES, { shared }), isDevelopment };
}
const check = (shared: { alpha: bigint; beta: bigint }, isDevelopment: boolean) => () =>
  refuseHiddenDevelopmentKey(registered(shared, isDevelopment), "batch");

test("refuses a key with the development keys' public secrets, though its deployer did not call it one", () => {
  const hidden = expect.objectContaining({ code: "CLI_DEVELOPMENT_KEY_HIDDEN" });
  expect(check({ alpha, beta }, false)).toThrow(hidden);
  // One of them would do.
  expect(check({ alpha, beta: 5n }, false)).toThrow(hidden);
  expect(check({ alpha: 5n, beta }, false)).toThrow(hidden);
});

test("takes a key with other secrets, and a development key that says so", () => {
  expect(check({ alpha: 5n, beta: 6n }, false)).not.toThrow();
  expect(check({ alpha, beta }, true)).not.toThrow();
});

describe("two settlement circuits of the same sizes", () => {
  // By four draws, by two, and one that was never registered.
  const NAMES = ["settlement-16-16-8-16-8", "settlement-16-16-8-16-2", "settlement-16-16-8-16-4"];
  const SETTLEMENT = { sort: CIRCUIT_SORT.settlement, size0: 16, size1: 8 };
  const [byFour, byTwo] = [0, 1].map((index) => ({ index, ...simulateCircuit(SETTLEMENT) }));
  const keys = new Map([
    [NAMES[1], verifierKey(byTwo!)],
    [NAMES[2], verifierKey(byFour!)],
  ]);
  const keyOf = async (name: string) => {
    const key = keys.get(name);
    if (key === undefined) throw verifierError("CLI_KEYS_MISSING", `no key of ${name}`);
    return key;
  };

  test("are told apart by their keys, whatever comes first among the names", async () => {
    for (const names of [NAMES, NAMES.toReversed()]) {
      expect(namesOf(SETTLEMENT, ["settlement-16-16-8-32-4", ...names, ...names])).toEqual(names);
      expect(await nameByKey(byFour!, names, keyOf)).toBe(NAMES[2]);
      expect(await nameByKey(byTwo!, names, keyOf)).toBe(NAMES[1]);
    }
    const forged = { index: 2, ...simulateCircuit(SETTLEMENT) };
    expect(await nameByKey(forged, NAMES.slice(1), keyOf)).toBeNull();
    await expect(nameByKey(forged, NAMES, keyOf)).rejects.toMatchObject({ code: "CLI_KEYS_MISSING" });
  });

  test("are named by the record's ids, whatever its order", async () => {
    const f = await startHistoryFixture({ settlementSizes: [SETTLEMENT, SETTLEMENT] });
    try {
      const record = await deploymentOf(f.rollup);
      for (const circuits of [record, record.toReversed()]) {
        const deployment = { circuits } as unknown as Deployment;
        const named = await readRollupCircuits({
          rpcUrl: f.rpcUrl,
          rollupAddress: f.rollup.address,
          deployment,
        });
        expect(named.slice(-2).map(({ name }) => name)).toEqual([NAMES[2], NAMES[1]]);
      }
    } finally {
      await f.stop();
    }
  });

  async function deploymentOf(rollup: RollupContract) {
    const registered = await rollup.circuits();
    return registered.map((circuit, i) => ({
      circuitId: circuit.circuitId,
      name: registered[i + 2] === undefined ? NAMES[registered.length - i]! : namesOf(circuit, [])[0]!,
    }));
  }
});
