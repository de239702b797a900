/** Test support: an honest settlement, and what the circuit must say about a forged one. */
import { expect } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { settlementCircuitSpec } from "../../registry/circuit-registry.ts";
import type { FeatureEpoch, SampledSettlement } from "../../settlement/divide-epoch.ts";
import { settleEpoch } from "../../settlement/settlement-rules.ts";
import { CircuitTester } from "../circuit-tester.ts";
import { expectRefusedBy } from "../forgeries/refusal-check.ts";
import {
  acceptedWitness,
  differingPositions,
  epochOf,
  SMALL_SIZE,
  statedInputs,
  type WorldOptions,
} from "./settlement-world.ts";

export let tester: CircuitTester;
/** Loads the tester. Every file of forged settlements calls it before its tests. */
export async function loadSettlementTester(): Promise<void> {
  await initPoseidon();
  tester = await CircuitTester.compileSpec(settlementCircuitSpec(SMALL_SIZE));
}

// Statements that refuse.
export const OPENS = "SampledDraws: isValid[k] * (drawReceipt[k] - opening[k].out) === 0;";
export const LOOKUP = "SampledDraws: replay.lookup === lookupAfter[draws];";
export const IDENTITY =
  "RowRewards: (gamma - payeeCount) * (ofRows[rows - 1] - ofPayees[payees - 1]) === eta * rows - etaTotal;";
export const STEP = "RowRewards: step * (step - 1) === 0;";
export const RANGE = "RangeCheck: lowest * (lowest - 1) === 0;";
export const SCORES = "EqualUpToSmallOrder:";

export interface Honest {
  readonly epoch: FeatureEpoch;
  readonly settled: SampledSettlement;
  readonly inputs: CircuitInputs;
}

/**
 * Epoch with two payments of the same amount, so that each has one of the two draws; three payees; one
 * padding row at least.
 */
export const WORLD: WorldOptions = {
  seed: 6,
  rowCounts: [2, 3, 1],
  amountsWei: [10n ** 18n, 10n ** 18n, 1n],
};

export async function honest(options: WorldOptions = WORLD): Promise<Honest> {
  const epoch = epochOf(options);
  const settled = settleEpoch(epoch);
  await acceptedWitness(tester, settled);
  return { epoch, settled, inputs: statedInputs(settled).inputs };
}

export const array = (inputs: CircuitInputs, name: string) =>
  [...(inputs[name] as readonly bigint[])].map(BigInt);
export const matrix = (inputs: CircuitInputs, name: string) => inputs[name] as readonly (readonly bigint[])[];
export const withAt = (
  inputs: CircuitInputs,
  name: string,
  position: number,
  value: bigint,
): CircuitInputs => ({
  ...inputs,
  [name]: array(inputs, name).with(position, value),
});

export const expectNoWitness = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(tester, inputs, at, what);
export const expectOther = async (
  { settled }: Honest,
  inputs: CircuitInputs,
  positions: number[],
  what: string,
) =>
  expect(await differingPositions(tester, inputs, settled.data, SMALL_SIZE.payees), what).toEqual(positions);

export function pick(inputs: CircuitInputs, names: readonly string[]): CircuitInputs {
  return Object.fromEntries(names.map((name) => [name, inputs[name]!]));
}
