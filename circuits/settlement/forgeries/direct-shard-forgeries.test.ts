/**
 * Forged settlements in shards of direct models: what DirectShard has of its own. Payees, μ and links are ShardProof's, lists and
 * roots ShardedSettlement's: shard-forgeries.test.ts. A forgery has no witness, or its link is not that of the other proof.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { countTerms, directQueryCommitment } from "../../ledger/direct-query.ts";
import { payeeShards } from "../../ledger/payee-shards.ts";
import type { CircuitTester } from "../../testing/circuit-tester.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { answeredQuery } from "../../testing/settlement/direct-instance.ts";
import {
  array,
  IDENTITY,
  matrix as listsOf,
  OPENS,
  SCORES,
  withAt,
} from "../../testing/settlement/settlement-forgery-check.ts";
import { differingElements, statedInputs, statedProof } from "../../testing/settlement/settlement-world.ts";
import { compileShards } from "../../testing/settlement/shard-check.ts";
import { DIRECT_SETTLING_SIZE, directShardedEpochOf } from "../../testing/settlement/shard-epochs.ts";
import { commitDirectColumns, directDraw } from "../scores/direct-matrix.ts";
import { pairTree } from "../scores/pair-columns.ts";
import { settleShards } from "../shards/settle-shards.ts";
import { shardMatrix } from "../shards/shard-link.ts";

const SIGN = "DirectScores: -logitDigit[D - 1][0]";
const BUCKETS = DIRECT_SETTLING_SIZE.features;
const ROW_TOTAL = 5;
const COLUMNS = BUCKETS + 1;

let draws: CircuitTester;
let shard: CircuitTester;
beforeAll(async () => {
  ({ draws, shard } = await compileShards(DIRECT_SETTLING_SIZE));
}, 600_000);

/**
 * Epoch of two shards, and a payment for each of two draws. Every answer is 1: the logit's entries are
 * `logit`.
 */
function honest(terms: (payment: number) => readonly number[] | null = (payment) => [payment, 3, 3, 9]) {
  const entry = (row: number, column: number) =>
    row === ROW_TOTAL ? 3 : ((row * 59 + column * 101 + 13) % 401) - 200;
  const options = { seed: 6, amountsWei: [10n ** 18n, 10n ** 18n, 1n], entry, terms };
  const epoch = directShardedEpochOf([[2, 1], [2]], options);
  const settled = settleShards(epoch);
  return { epoch, settled, inputs: statedInputs(settled).inputs, ofShards: settled.shards.map(statedProof) };
}
type World = ReturnType<typeof honest>;

const shardRefuses = (inputs: CircuitInputs, at: string, what: string) =>
  expectRefusedBy(shard, inputs, at, what);
/** A witness exists, and E's first element, the link, is not that of the draws. */
async function expectOtherLink({ settled }: World, s: number, inputs: CircuitInputs, what: string) {
  const layout = { count: 2, last: "main.proof.paid.items[0]" };
  const { elements } = settled.shards[s]!;
  expect(await differingElements(shard, inputs, elements, layout), what).toEqual([0]);
}

const HINTS = ["scores", "logitDigits", "blindScore"];
const negated = (value: unknown): bigint | bigint[] =>
  Array.isArray(value) ? value.map((entry) => -BigInt(entry)) : -BigInt(value as bigint);
/** Draw k with the other class and every hint of the other sign. */
function otherClass(inputs: CircuitInputs, k: number): CircuitInputs {
  const input = inputs as Record<string, readonly unknown[]>;
  const changed = HINTS.map((name) => [name, input[name]!.with(k, negated(input[name]![k]))]);
  const classes = array(inputs, "answeredClass");
  return {
    ...inputs,
    ...Object.fromEntries(changed),
    answeredClass: classes.with(k, 1n - classes[k]!),
  };
}

/** Shard s by columns whose logit has other entries, with the class that these answer. */
function withLogit({ epoch, ofShards }: World, s: number, logit: number): CircuitInputs {
  const { matrix } = epoch.features;
  const values = matrix.values.map((entry, at) => (at < ROW_TOTAL * COLUMNS ? entry : logit));
  const range = payeeShards(epoch.model.payees.map(({ rowCount }) => rowCount))[s]!;
  const ofShard = shardMatrix({ ...matrix, values }, range, COLUMNS);
  const columns = commitDirectColumns(ofShard);
  const path = pairTree(columns, BUCKETS).path(0);
  const { inputs } = ofShards[s]!;
  const scored = listsOf(inputs, "counts").map((counts) =>
    directDraw(ofShard, answeredQuery(ofShard, Uint8Array.from(counts, Number))),
  );
  const scores = scored.map((draw) => Array.from({ length: 4 }, (_, k) => draw.scores[k] ?? 0n));
  return {
    ...inputs,
    columnU: scored.map(() => columns.u),
    columnV: scored.map(() => columns.v),
    path: scored.map(() => path),
    scores,
    answeredClass: scored.map((draw) => BigInt(draw.answeredClass)),
    logitDigits: scored.map((draw) => draw.logitDigits),
    blindScore: scored.map((draw) => draw.blindScore),
  };
}

describe("the proof of a direct model's shard", { timeout: 300_000 }, () => {
  it("shows the answer by its own columns", async () => {
    const world = honest();
    for (const [s, { inputs }] of world.ofShards.entries()) {
      expect(array(inputs, "answeredClass")).toEqual([1n, 1n]);
      await shardRefuses(otherClass(inputs, 1), SIGN, `another class in shard ${s}`);
      await shardRefuses(
        withAt(inputs, "answeredClass", 1, 0n),
        SCORES,
        "another class, with the same scores",
      );
    }
    // Nor has the draw's proof another class or another pair.
    const { query } = world.epoch.openingOf(0)!;
    const at = world.settled.draws.findIndex(({ paymentIndex }) => paymentIndex === 0);
    for (const [what, change] of [
      ["a class of a draw", { answeredClass: 0 }],
      ["a pair of a draw", { pair: 1 }],
    ] as const) {
      const other = directQueryCommitment({ ...query, ...change });
      await expectRefusedBy(draws, withAt(world.inputs, "queryCommitment", at, other), OPENS, what);
    }
  });

  it("with another row of the logit exists only where both answer the same", async () => {
    const world = honest();
    // Columns of another commitment: the link is not this model's. Of a model that has them, it would be.
    await expectOtherLink(world, 1, withLogit(world, 1, 5), "a logit that agrees");
    const differing = withLogit(world, 1, -3);
    expect(array(differing, "answeredClass")).toEqual([0n, 0n]);
    await shardRefuses(differing, IDENTITY, "a logit that differs, with the scores of its own class");
    const asSaid = otherClass(otherClass(differing, 0), 1);
    await shardRefuses(asSaid, SIGN, "a logit that differs, with the class of the other shard");
    await shardRefuses(otherClass(differing, 0), SIGN, "the same for one draw");
  });

  it("scores by its own columns and the draw's prompt", async () => {
    const { ofShards } = honest();
    const { inputs } = ofShards[1]!;
    const foreign = ofShards[0]!.inputs;
    const columns = { columnU: foreign.columnU!, columnV: foreign.columnV!, path: foreign.path! };
    await shardRefuses({ ...inputs, ...columns }, SCORES, "another shard's columns");
    const counts = listsOf(inputs, "counts").toReversed();
    await shardRefuses({ ...inputs, counts }, SCORES, "another draw's prompt");
    const scores = listsOf(inputs, "scores");
    const [first, second, ...rest] = scores[0]! as [bigint, bigint, ...bigint[]];
    const raised = { scores: scores.with(0, [first + 8n, second, ...rest]) };
    await shardRefuses({ ...inputs, ...raised }, SCORES, "a total that is not its own");
    const digits = array(inputs, "logitDigits");
    const taken = { ...raised, logitDigits: digits.with(0, digits[0]! - 16n) };
    await shardRefuses({ ...inputs, ...taken }, SCORES, "a part of the logit");
  });

  it("takes a void draw as void, by one statement whatever its prompt", async () => {
    const world = honest((payment) => (payment === 0 ? null : [3, 3, 9]));
    for (const [s, { inputs, statement }] of world.ofShards.entries()) {
      const k = array(inputs, "mu").indexOf(0n);
      await expectOtherLink(world, s, withAt(inputs, "mu", k, 1n), "no term, paid: it scores nothing");
      const counts = listsOf(inputs, "counts").with(k, [...countTerms([2, 7], BUCKETS)].map(BigInt));
      const ofShards = world.ofShards.with(s, { statement, inputs: { ...inputs, counts } });
      const other = withLogit({ ...world, ofShards }, s, 3);
      const [own, others] = await Promise.all([inputs, other].map((all) => shard.calculateWitness(all)));
      expect(others!.slice(0, 4), "another prompt of a void draw").toEqual(own!.slice(0, 4));
      await expectOtherLink(world, s, withAt(inputs, "isValid", k, 1n), "a void draw as a valid one");
      await shardRefuses(withAt(other, "mu", k, 1n), IDENTITY, `paid in shard ${s} alone`);
    }
  });
});

describe("the draws of a direct model in shards", () => {
  it("have the totals of the shards' proofs", async () => {
    const { inputs, settled } = honest();
    const [first, second, ...absent] = listsOf(inputs, "shardPositive") as [bigint[], bigint[], bigint[]];
    const layout = { count: 5 + DIRECT_SETTLING_SIZE.shards, last: "main.linkIfPresent[2]" };
    for (const [what, moved] of [
      ["a total moved to another shard", 1n],
      ["a total more", 0n],
    ] as const) {
      const shardPositive = [[first[0]! + 1n, first[1]!], [second[0]! - moved, second[1]!], ...absent];
      const forged = { ...inputs, shardPositive };
      expect(await differingElements(draws, forged, settled.proofs[0]!.elements, layout), what).toEqual([
        5, 6,
      ]);
    }
  });
});
