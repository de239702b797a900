/**
 * Forged settlements in shards. A forgery has no witness, or its proof shows another link than the one that L1 was given by the
 * other proof: then the positions of E at which it differs are named.
 */

import { invertMod } from "@openledger/foundation/modular";
import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { modelQueryCommitment } from "../../ledger/model-query.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import type { CircuitTester } from "../../testing/circuit-tester.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import {
  array,
  IDENTITY,
  matrix,
  OPENS,
  RANGE,
  SCORES,
  withAt,
} from "../../testing/settlement/settlement-forgery-check.ts";
import { differingElements, statedInputs, statedProof } from "../../testing/settlement/settlement-world.ts";
import { compileShards } from "../../testing/settlement/shard-check.ts";
import { SETTLING_SIZE, shardedEpochOf } from "../../testing/settlement/shard-epochs.ts";
import { drawInputs } from "../scores/draw-scores.ts";
import { settleShards } from "../shards/settle-shards.ts";
import { type ShardTerms, shardLink } from "../shards/shard-link.ts";

let draws: CircuitTester;
let shard: CircuitTester;
beforeAll(async () => {
  ({ draws, shard } = await compileShards(SETTLING_SIZE));
}, 600_000);

/** Epoch of two shards in a circuit of three. Each of the two draws has its own payment. */
const WORLD = { seed: 6, amountsWei: [10n ** 18n, 10n ** 18n, 1n] };
const SHARDS = [[2, 1], [2]];

const honest = (shards = SHARDS, options: Parameters<typeof shardedEpochOf>[1] = WORLD) => {
  const settled = settleShards(shardedEpochOf(shards, options));
  return { settled, inputs: statedInputs(settled).inputs, ofShards: settled.shards.map(statedProof) };
};
type World = ReturnType<typeof honest>;

const refuses = (inputs: CircuitInputs, at: string, what: string) => expectRefusedBy(draws, inputs, at, what);
const differs = async ({ settled }: World, inputs: CircuitInputs, positions: number[], what: string) => {
  const layout = { count: 5 + SETTLING_SIZE.shards, last: `main.linkIfPresent[${SETTLING_SIZE.shards - 1}]` };
  expect(await differingElements(draws, inputs, settled.proofs[0]!.elements, layout), what).toEqual(
    positions,
  );
};
const shardRefuses = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(shard, inputs, at, what);
const shardDiffers = async (
  { settled }: World,
  s: number,
  inputs: CircuitInputs,
  positions: number[],
  what: string,
) => {
  const layout = { count: 2, last: "main.proof.paid.items[0]" };
  expect(await differingElements(shard, inputs, settled.shards[s]!.elements, layout), what).toEqual(
    positions,
  );
};

const PER_SHARD = ["shardFeatures", "shardOwners", "shardRows", "oldSubroot", "newSubroot", "shardEarned"];
/** Copies the inputs of position `from` to place `to`; only those in `names` if given. */
const copied = (inputs: CircuitInputs, from: number, to: number, names = PER_SHARD): CircuitInputs =>
  Object.assign(
    { ...inputs },
    ...names.map((name) => ({ [name]: array(inputs, name).with(to, array(inputs, name)[from]!) })),
  );
const swapped = (inputs: CircuitInputs, name: string): CircuitInputs => {
  const [first, second, ...rest] = array(inputs, name) as [bigint, bigint, ...bigint[]];
  return { ...inputs, [name]: [second, first, ...rest] };
};
const withTotal = (inputs: CircuitInputs, changes: readonly (readonly [number, bigint])[]): CircuitInputs => {
  let totals = [...matrix(inputs, "shardPositive")];
  for (const [s, change] of changes) totals = totals.with(s, [totals[s]![0]! + change, totals[s]![1]!]);
  return { ...inputs, shardPositive: totals };
};

describe("the proof of the draws", () => {
  it("has each of the model's shards once, in its place", async () => {
    const { inputs } = honest();
    const other = honest(SHARDS, { ...WORLD, seed: 7 });
    await refuses(copied(inputs, 0, 1), OPENS, "a shard twice");
    for (const name of ["shardFeatures", "shardOwners", "shardRows"]) {
      await refuses(swapped(inputs, name), OPENS, `${name} of another place`);
      const foreign = array(other.inputs, name)[0]! + (name === "shardRows" ? 1n : 0n);
      if (name === "shardFeatures") await refuses(withAt(inputs, name, 0, foreign), OPENS, "another model's");
    }
    const all = PER_SHARD.reduce((swap, name) => swapped(swap, name), inputs);
    await refuses(all, OPENS, "all of two shards, swapped");
  });

  it("has all shards that the model has, two at least, and no others", async () => {
    const { inputs } = honest();
    await refuses(withAt(inputs, "shardPresent", 1, 0n), "shardPresent[1] === 1;", "one shard of two");
    await refuses(withAt(inputs, "shardPresent", 2, 1n), OPENS, "a third shard of two");
    await refuses(
      withAt(inputs, "shardPresent", 2, 2n),
      "present[s] * (present[s - 1] - present[s]) === 0;",
      "a flag that is no bit",
    );
    const three = honest([[2, 1], [2], [1]]).inputs;
    const without = withAt(three, "shardPresent", 2, 0n);
    await refuses(without, "rowTotals[s] * (1 - present[s]) === 0;", "a shard left out, with its rows");
    const empty = array(inputs, "oldSubroot")[2]!;
    let nothing: CircuitInputs = {
      ...without,
      shardPositive: matrix(three, "shardPositive").with(2, [0n, 0n]),
    };
    for (const name of PER_SHARD) nothing = withAt(nothing, name, 2, name.endsWith("Subroot") ? empty : 0n);
    await refuses(nothing, OPENS, "a shard left out");
  });

  it("has nothing of an absent shard", async () => {
    const { inputs } = honest();
    for (const [name, at] of [
      ["shardEarned", "(1 - shardPresent[s]) * shardEarned[s] === 0;"],
      ["oldSubroot", "(1 - shardPresent[s]) * (oldSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;"],
      ["newSubroot", "(1 - shardPresent[s]) * (newSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;"],
      ["shardRows", "rowTotals[s] * (1 - present[s]) === 0;"],
      ["shardOwners", "owners[s] * (1 - present[s]) === 0;"],
      ["shardFeatures", "features[s] * (1 - present[s]) === 0;"],
    ] as const)
      await refuses(withAt(inputs, name, 2, array(inputs, name)[2]! + 1n), at, name);
    await refuses(
      withTotal(inputs, [[2, 1n]]),
      "for (var k = 0; k < draws; k++) { (1 - shardPresent[s]) * shardPositive[s][k] === 0; }",
      "a total",
    );
    expect(honest().settled.proofs[0]!.elements).toHaveLength(7);
  });

  it("shows the roots, totals and earnings of each shard's proof in its link", async () => {
    const world = honest();
    const { inputs } = world;
    await differs(world, swapped(inputs, "oldSubroot"), [0, 5, 6], "old roots swapped");
    await differs(world, swapped(inputs, "newSubroot"), [0, 5, 6], "new roots swapped");
    await differs(world, withTotal(inputs, [[0, 1n]]), [5, 6], "a total that is not its shard's: another μ");
    const moved = withTotal(inputs, [[0, 1n], [1, -1n]]); // biome-ignore format: two changes
    await differs(world, moved, [5, 6], "a total moved, with the same μ");
    const earned = array(inputs, "shardEarned");
    await differs(world, withAt(inputs, "shardEarned", 0, earned[0]! + 1n), [0, 5], "a wei more");
    const traded = { ...inputs, shardEarned: earned.with(0, earned[0]! + 1n).with(1, earned[1]! - 1n) };
    await differs(world, traded, [5, 6], "a wei from another shard");
    await differs(world, withAt(inputs, "isValid", 0, 0n), [0, 1, 3, 5, 6], "a void draw");
  });

  it("gives rows 32 bits each", async () => {
    const { inputs } = honest();
    const rows = array(inputs, "shardRows");
    const carried = { ...inputs, shardRows: rows.with(0, rows[0]! + (1n << 32n)).with(1, rows[1]! - 1n) };
    await refuses(carried, RANGE, "a carry into the next shard's rows");
  });
});

describe("the proof of a shard", () => {
  it("pays by the μ of its link", async () => {
    const world = honest();
    const { inputs } = world.ofShards[0]!;
    const mu = array(inputs, "mu");
    expect(mu[0]).not.toBe(mu[1]);
    await shardRefuses({ ...inputs, mu: mu.toReversed() }, IDENTITY, "μ of another draw");
    await shardRefuses({ ...inputs, muEven: 1n }, IDENTITY, "a part for each row");
    const quantum = 2n * (inputs.quantum as bigint);
    await shardDiffers(world, 0, { ...inputs, quantum }, [0], "another quantum");
  });

  it("pays each payee its own", async () => {
    const world = honest();
    const { inputs } = world.ofShards[0]!;
    const [first, second] = array(inputs, "earned") as [bigint, bigint];
    await shardRefuses(swapped(inputs, "earned"), IDENTITY, "T of another payee");
    const moved = { ...inputs, earned: [first + 1n, second - 1n, 0n] };
    await shardRefuses(moved, IDENTITY, "a quantum of another payee");
    await shardRefuses(withAt(inputs, "owner", 1, 1n), IDENTITY, "a row of another payee");
    const leaf = array(inputs, "leaf");
    await shardDiffers(world, 0, withAt(inputs, "leaf", 0, leaf[0]! + (1n << 48n)), [0], "another old root");
    const counts = { ...inputs, rowCounts: [1n, 2n, 0n], owner: [0n, 1n, 1n, 2n] };
    await shardRefuses(counts, IDENTITY, "another table");
  });

  it("takes a void draw as void, by one statement whatever its query", async () => {
    const query = (i: number) => (i === 0 ? null : Int16Array.of(1, -3, 5));
    const world = honest(SHARDS, { ...WORLD, query, entry: (row) => row + 1 });
    const epoch = shardedEpochOf(SHARDS, { ...WORLD, query, entry: (row) => row + 1 });
    for (const [s, { inputs }] of world.ofShards.entries()) {
      expect(array(inputs, "mu")[0]).toBe(0n);
      await shardRefuses(withAt(inputs, "mu", 0, 1n), IDENTITY, `paid in shard ${s} alone`);
      // Another query and its true scores change nothing, C neither.
      const matrixOf = epoch.features.matrix.subarray(s === 0 ? 0 : 9, s === 0 ? 9 : 15);
      const other = drawInputs(matrixOf, Int16Array.of(3, 3, 3));
      const changed = {
        ...inputs,
        queryBytes: matrix(inputs, "queryBytes").with(0, other.queryBytes.map(BigInt)),
        scores: matrix(inputs, "scores").with(0, [...other.scores, ...(s === 0 ? [0n] : [0n, 0n])]),
        blindScore: array(inputs, "blindScore").with(0, other.blindScore),
      };
      const [own, others] = await Promise.all([inputs, changed].map((all) => shard.calculateWitness(all)));
      expect(others!.slice(0, 4), "another query of a void draw").toEqual(own!.slice(0, 4));
      await shardDiffers(world, s, withAt(inputs, "isValid", 0, 1n), [0], "a void draw as a valid one");
      await shardDiffers(world, s, withAt(inputs, "isValid", 1, 0n), [0], "a valid draw as a void one");
    }
    const chosen = withAt(withTotal(world.inputs, [[0, 7n]]), "queryCommitment", 0, 5n);
    const [own, others] = await Promise.all([world.inputs, chosen].map((all) => draws.calculateWitness(all)));
    expect(others!.slice(0, 4), "a void draw's query and total in the draws' proof").toEqual(
      own!.slice(0, 4),
    );
    // The same draw valid: all its links are others, so no shard's proof of one fits the draws of the other.
    const opened = honest(SHARDS, { ...WORLD, entry: (row) => row + 1 });
    for (const [s, { link }] of world.settled.shards.entries())
      expect(opened.settled.shards[s]!.link).not.toBe(link);
  });

  it("has flags that are bits: no multiple of another query is the link's", async () => {
    // No score is positive, so that 0 is the total of each query.
    const world = honest(SHARDS, { ...WORLD, query: () => Int16Array.of(1, 3, 5), entry: () => -1 });
    const { inputs } = world.ofShards[0]!;
    const matrixOf = new Int8Array(9).fill(-1);
    const other = drawInputs(matrixOf, Int16Array.of(3, 3, 3));
    const queries = [Int16Array.of(1, 3, 5), Int16Array.of(3, 3, 3)];
    const [own, chosen] = queries.map((query) => modelQueryCommitment(query));
    const flag = (own! * invertMod(chosen!, FIELD_ORDER)) % FIELD_ORDER;
    const changed = {
      ...inputs,
      isValid: array(inputs, "isValid").with(0, flag),
      queryBytes: matrix(inputs, "queryBytes").with(0, other.queryBytes.map(BigInt)),
      scores: matrix(inputs, "scores").with(0, [...other.scores, 0n]),
      blindScore: array(inputs, "blindScore").with(0, other.blindScore),
    };
    await shardRefuses(changed, "isValid[k] * (1 - isValid[k]) === 0;", "a multiple of another query");
  });

  it("scores by the link's query and columns", async () => {
    const { inputs } = honest().ofShards[1]!;
    const bytes = matrix(inputs, "queryBytes");
    const other = { queryBytes: bytes.with(0, [BigInt(bytes[0]![0]!) ^ 1n, ...bytes[0]!.slice(1)]) };
    await shardRefuses({ ...inputs, ...other }, SCORES, "another query");
    const foreign = honest().ofShards[0]!.inputs;
    const columns = { columnU: foreign.columnU!, columnV: foreign.columnV! };
    await shardRefuses({ ...inputs, ...columns }, SCORES, "another shard's columns");
  });
});

describe("links", () => {
  it("are of one shard, one model and one epoch, and of every term", () => {
    const world = honest();
    // The same queries and amounts in a later epoch: old roots are others.
    const epoch = shardedEpochOf(SHARDS, WORLD);
    const { newAccruedWei: accruedWei } = world.settled;
    const next = { settled: settleShards({ ...epoch, model: { ...epoch.model, accruedWei } }) };
    const model = honest(SHARDS, { ...WORLD, seed: 7 });
    const links = [world, next, model].flatMap(({ settled }) => settled.shards.map(({ link }) => link));
    expect(new Set(links).size).toBe(6);
    const { terms, link } = world.settled.shards[0]!;
    const changed: ShardTerms[] = Object.keys(terms)
      .filter((name) => name !== "draws")
      .map((name) => ({ ...terms, [name]: (terms[name as keyof ShardTerms] as bigint) + 1n }));
    for (const name of ["queryCommitment", "positiveTotal", "rewardPerUnit"] as const)
      for (const k of [0, 1])
        changed.push({
          ...terms,
          draws: terms.draws.with(k, { ...terms.draws[k]!, [name]: terms.draws[k]![name] + 1n }),
        });
    changed.push({ ...terms, draws: terms.draws.with(0, { ...terms.draws[0]!, isValid: false }) });
    changed.push({ ...terms, draws: terms.draws.toReversed() }, { ...terms, draws: terms.draws.slice(1) });
    // A receipt's query commitment is its payer's choice: 0, and void for the shard's proof alone.
    const zeros = { ...terms.draws[0]!, queryCommitment: 0n, positiveTotal: 0n };
    for (const isValid of [true, false])
      changed.push({ ...terms, draws: terms.draws.with(0, { ...zeros, isValid, rewardPerUnit: 3n }) });
    expect(new Set([link, ...changed.map(shardLink)]).size).toBe(changed.length + 1);
  });
});
