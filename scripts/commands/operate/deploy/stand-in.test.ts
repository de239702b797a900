import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { rollupArguments } from "@openledger/contracts/build/deploy";
import { simulateCircuit } from "@openledger/contracts/testing/test-prover";
import { encodeDeployData, size } from "viem";
import { expect, test } from "vitest";
import { STAND_IN, withStandIn } from "./stand-in.ts";

/** EIP-3860. */
const CREATION_LIMIT = 49_152;

test("a rollup of sixteen circuits is planned before its token is there", async () => {
  const circuits = Array.from({ length: 16 }, () => simulateCircuit(batchSizes(shapeOf(6, 2))));
  const owner = STAND_IN;
  const args = rollupArguments(STAND_IN, {
    circuits,
    genesisRoot: 1n,
    sequencer: owner,
    treasuryOwner: owner,
    operatorOwner: owner,
    operatorKeyX: 1n,
  });
  const data = encodeDeployData({ ...pickContract(await compileContracts(), "Rollup"), args });
  expect(size(withStandIn(data, 10n ** 27n))).toBeLessThanOrEqual(CREATION_LIMIT);
});
