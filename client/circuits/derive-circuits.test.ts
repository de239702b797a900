import { expect, test } from "vitest";
import type { RegisteredCircuit } from "../../bridge/l1/rollup-contract.ts";
import { batchSizes } from "../../circuits/registry/circuit-sizes.ts";
import { simulateCircuit } from "../../contracts/testing/test-prover.ts";
import { developmentSecrets } from "../../prover/keys/development-secrets.ts";
import { refuseHiddenDevelopmentKey } from "./derive-circuits.ts";

const SIZES = batchSizes({ narrow: 6, wide: 2 });
const { alpha, beta } = developmentSecrets("any");

/** As the contract tells of it, with a key whose alpha and beta are these. */
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
