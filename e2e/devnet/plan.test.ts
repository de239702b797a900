import type { RegisteredCircuit } from "@openledger/bridge/l1/rollup-contract";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import { dataTwins, hasOnlyBlobBatches, settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { holdsPayees, misfitOf } from "@openledger/circuits/settlement/settlement-size";
import { tableIn } from "@openledger/circuits/table/table-shape";
import { recordedCount } from "@openledger/circuits/testing/constraint-counts";
import { tableConstraints } from "@openledger/circuits/testing/table-counts";
import { chooseBatchCircuit, chooseQueueCircuit } from "@openledger/verifier/replay/settlement-circuits";
import { expect, it } from "vitest";
import { circuitsOf, hasJoint } from "./circuits.ts";
import { SMALL_TABLE } from "./config.ts";
import { planOf } from "./plan.ts";

const WIDE_SLOT = recordedCount("WideSlot(8)");

it("deploys a small batch beside the large one: what a stranger takes for the queue and for a settlement", () => {
  const planned = circuitsOf(planOf("small", {}));
  const known = planned.map(({ spec }, i) => ({ name: spec.name, circuitId: BigInt(i) }));
  const registered = planned.map(({ sizes }, index) => ({ ...sizes, index, circuitId: BigInt(index) }));
  for (const choose of [chooseQueueCircuit, chooseBatchCircuit])
    expect(choose(registered as unknown as RegisteredCircuit[], known).name).toBe("table-1-1-3-2-1-1-1");
  const constraints = tableConstraints(SMALL_TABLE, TREE_DEPTH, WIDE_SLOT);
  expect(constraints).toBe(103_943);
  expect(constraints + 4).toBeLessThan(2 ** 17);
});

it("settles direct models of two to six Datanets, and one version by one proof where that holds it", () => {
  const circuits = circuitsOf(planOf("full", { isJoint: true })).map(({ spec }) => spec);
  const choices = settlingCircuits(circuits).filter(({ size }) => size.isDirect === true);
  const joint = { rows: 64, features: 256, payees: 16, draws: 2, isDirect: true };
  const cut = { circuit: { name: "direct-sharded-16-6-256-2" }, shard: { name: "direct-shard-64-256-16-2" } };
  for (const shards of [2, 6])
    expect(choices.find(({ size }) => misfitOf(size, { ...joint, shards }) === null)).toMatchObject(cut);
  const payees = [64, 40].map((rowCount, i) => ({ contributorId: 5 + i, validatorId: 8, rowCount }));
  expect(choices.filter(({ size }) => holdsPayees(size, payees))).toMatchObject([{ shard: null }, cut]);
  const named = (isJoint: boolean) => circuitsOf(planOf("small", { isJoint })).map(({ spec }) => spec);
  const names = (isJoint: boolean) => named(isJoint).map(({ name }) => name);
  // A start that goes on takes them where the rollup has them.
  expect([hasJoint(named(true)), hasJoint(named(false))]).toEqual([true, false]);
  // Nobody who does not ask waits for them.
  expect(names(true).filter((name) => !names(false).includes(name))).toEqual([
    cut.circuit.name,
    cut.shard.name,
  ]);
});

it("deploys both circuits for a batch's data, in the same key's size, with joint circuits or without", () => {
  for (const isJoint of [false, true]) {
    const plan = planOf("small", { isJoint });
    const circuits = circuitsOf(plan).map(({ sizes, spec }) => ({ ...sizes, name: spec.name }));
    expect(hasOnlyBlobBatches(circuits)).toBe(false);
    expect(dataTwins(circuits)).toMatchObject({
      blob: { name: "table-4-2-3-6-2-1-2-blob" },
      calldata: { name: "table-4-2-3-6-2-1-2" },
    });
    const ofTwins = [plan.table, tableIn(plan.table, "blob")].map((table) =>
      tableConstraints(table, TREE_DEPTH, WIDE_SLOT),
    );
    expect(ofTwins).toEqual([126_403, 131_026]);
    for (const count of ofTwins) expect(count).toBeLessThan(2 ** 17 - 8);
  }
});
