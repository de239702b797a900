import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { judgeAbis } from "@openledger/contracts/build/disputes-abi";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { DIRECT_LIES } from "@openledger/e2e/scenarios/disputes/direct-lies";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { encodeFunctionData } from "viem";
import { describe, expect, test } from "vitest";
import { type CommittedModel, factBytes, type Leaves, type TreeName } from "../statements/committed-model.ts";
import { numberBytes, readNumbers } from "../statements/direct-arithmetic.ts";
import { type DirectFault, findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment, mapPlaces } from "../statements/direct-model-commitment.ts";
import { int64Bytes, pairBytes, readFact, readInt64s } from "../statements/leaf-bytes.ts";
import { openingOf, statementTuple } from "../statements/model-commitment-calls.ts";
import { directCase, registeredDirect } from "./testing/direct-case.ts";
import { lie as lieOf, startDisputes, withLeaf } from "./testing/dispute-fixture.ts";

const BUCKETS = 64;
const WIDTH = BUCKETS + 1;
const ROWS = 48;
const PLACES = mapPlaces(WIDTH);
const f = started(() => startDisputes({ mostRows: ROWS }));
const made = started(() => directCase(ROWS, { bucketCount: BUCKETS }));
revertEachTest(() => f);

/** The name of the error that a challenge reverts with. */
const judged = async (id: bigint, fault: DirectFault, posted: CommittedModel = made.honest) =>
  (await f.judged(made, id, posted, fault)) ?? "accepted";
const changed = (tree: TreeName, index: number, bytes: Uint8Array) => withLeaf(made, tree, index, bytes);
const lie = (tree: TreeName, index: number, bytes: Uint8Array) =>
  lieOf(made, changed(tree, index, bytes)).posted;

/** A row of numbers with one of them moved. */
function moved(tree: TreeName, index: number, place: number, by: bigint): CommittedModel {
  const row = readInt64s(made.honest.leaves[tree][index]!, WIDTH)!;
  return lie(tree, index, int64Bytes(row.map((value, i) => (i === place ? value + by : value))));
}

function movedFact(index: number, by: { residual?: bigint; pull?: bigint }): CommittedModel {
  const fact = readFact(made.honest.leaves.facts[index]!)!;
  const [residual, pull] = [fact.residual + (by.residual ?? 0n), fact.pull + (by.pull ?? 0n)];
  return lie("facts", index, factBytes({ ...fact, residual, pull }));
}

function otherNumbers(change: Partial<ReturnType<typeof readNumbers>>): CommittedModel {
  return lie("map", 0, numberBytes({ ...readNumbers(made.honest.leaves.map[0]!), ...change }));
}

/** Another B, registered as it is: its columns, points, digests and statics fit, and its rows' lengths. */
function otherEntries(from: number, to: number, change: (entry: number) => number): CommittedModel {
  const { features } = made.model;
  const values = features.values.map((entry, i) => (i >= from && i < to ? change(entry) : entry));
  const model = registeredDirect({ ...made.trained, features: { ...features, values } });
  return directModelCommitment(model, made.contents, 11);
}

const withoutDigest = (step: number) =>
  lie(
    "map",
    PLACES.digests,
    made.honest.leaves.map[PLACES.digests]!.slice().fill(0, 32 * step, 32 * (step + 1)),
  );

/** Beside those of `npm run drill -- disputes`. */
const LIES: readonly [string, () => CommittedModel, DirectFault["kind"]][] = [
  ["a row turned around", () => otherEntries(9 * WIDTH, 10 * WIDTH, (x) => -x), "entry"],
  ["one entry off by one", () => otherEntries(5 * WIDTH + 11, 5 * WIDTH + 12, (x) => x + 1), "entry"],
  ["half the unit, so that small rows vanish", () => otherEntries(0, ROWS * WIDTH, (x) => x >> 1), "peak"],
  ["an entry of the inverse", () => moved("map", PLACES.inverse + 3, 9, 1n << 22n), "inverse"],
  ["the bias' curvature", () => moved("map", PLACES.curvature + BUCKETS, BUCKETS, -5n), "curvature"],
  ["a pull", () => movedFact(2, { pull: -17n }), "residual"],
  ["the unit", () => otherNumbers({ unit: readNumbers(made.honest.leaves.map[0]!).unit * 2n }), "entry"],
  ["the logit's unit", () => otherNumbers({ logitUnit: 1n }), "logit"],
  ["another λ than that of the rules", () => otherNumbers({ damping: 1n << 30n }), "curvature"],
  ["weights", () => moved("weights", 0, 3, 1n << 32n), "logit"],
  ["the sum of a group", () => withoutDigest(PLACES.ofPoints), "digest"],
  ["the last digest", () => withoutDigest(PLACES.digestCount - 1), "digest"],
  ["digests that are cut", () => lie("map", PLACES.digests, new Uint8Array(32)), "digest"],
];
/** Others need rows of their own, or time. */
const TOLD = DIRECT_LIES.filter(
  ({ fault, name }) => fault !== "Unanswered" && !["duplicate", "long-row"].includes(name),
);

describe("a lie is found and refuted", () => {
  const refuted = async (posted: CommittedModel, kind: string) => {
    const first = findDirectFaults(posted, made.rows).next().value as DirectFault;
    expect(first.kind).toBe(kind);
    const id = await f.post(posted);
    expect(await judged(id, first, posted)).toBe("accepted");
  };

  test.each(LIES)("%s", (_, make, kind) => refuted(make(), kind));

  test.each(TOLD)("$description", async ({ fault, make }) =>
    refuted((await make({ ...made, long: made })).posted(11), fault[0]!.toLowerCase() + fault.slice(1)),
  );

  test("weights that are no optimum, in a model commitment that fits itself", async () => {
    const early = await directCase(ROWS, { bucketCount: BUCKETS, tolerance: 0.05 });
    const kinds = [...findDirectFaults(early.honest, made.rows)].map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["optimum"]));
    const [first] = findDirectFaults(early.honest, made.rows);
    const id = await f.post(early.honest);
    expect(await judged(id, first!, early.honest)).toBe("accepted");
  });
});

describe("leaves of any bytes", () => {
  test("are refuted: cut, lengthened, or with a bit turned", async () => {
    const random = new SeededRandom("hostile leaves");
    // Facts of another length are not taken: L1 is given all of them.
    const trees = (Object.keys(made.honest.leaves) as TreeName[]).filter((tree) => tree !== "facts");
    for (let i = 0; i < 18; i++) {
      const tree = trees[i % trees.length]!;
      const index = random.nextBelow(made.honest.leaves[tree].length);
      const leaf = made.honest.leaves[tree][index]!;
      const bytes =
        tree === "rows" || i % 3 === 0 ? leaf.slice() : leaf.slice(0, random.nextBelow(leaf.length));
      // The highest bit of a number of 8 bytes: far beyond any tolerance.
      if (bytes.length > 0) bytes[8 * random.nextBelow(Math.ceil(bytes.length / 8))]! ^= 0x40;
      const posted = lie(tree, index, bytes);
      const found = findDirectFaults(posted, made.rows).next().value as DirectFault | undefined;
      expect(found, `${tree} ${index}`).toBeDefined();
      const id = await f.post(posted);
      expect([tree, index, found, await judged(id, found!, posted)]).toEqual([
        tree,
        index,
        found,
        "accepted",
      ]);
    }
  });
});

describe("tolerances", () => {
  test("end at the same bit on L1 as in the finder", async () => {
    const cases: [CommittedModel, DirectFault][] = [
      [moved("map", PLACES.curvature + 3, 9, 4n), { kind: "curvature", a: 3, b: 9 }],
      [moved("map", PLACES.curvature + 3, 9, -4n), { kind: "curvature", a: 3, b: 9 }],
      [movedFact(2, { residual: -16n, pull: 16n }), { kind: "residual", row: 2 }],
      ...[14n, 17n, 20n].map((bits): [CommittedModel, DirectFault] => [
        moved("map", PLACES.inverse + 3, 9, 1n << bits),
        { kind: "inverse", a: 3, b: 9 },
      ]),
    ];
    for (const [posted, fault] of cases) {
      const isFound = [...findDirectFaults(posted, made.rows)].some(
        (found) =>
          JSON.stringify({ ...found, gap: undefined, isDoubtful: undefined }) === JSON.stringify(fault),
      );
      const id = await f.post(posted);
      expect([fault, await judged(id, fault, posted)]).toEqual([
        fault,
        isFound ? "accepted" : "DisputesNothingWrong",
      ]);
    }
  });
});

describe("an inverse that is wrong where known probes see nothing", () => {
  test("is found by probes that nobody knows, whatever else is wrong", () => {
    const bad = unseenBy("known");
    const inverse = made.honest.leaves.map.map((leaf, i) => (i === PLACES.inverse ? int64Bytes(bad) : leaf));
    const kindsOf = (leaves: Partial<Leaves>, seed?: string) =>
      new Set(Array.from(findDirectFaults(lieOf(made, leaves).posted, made.rows, seed), ({ kind }) => kind));
    expect(kindsOf({ map: inverse }, "known")).not.toContain("inverse");
    expect(kindsOf({ map: inverse })).toContain("inverse");
    const both = kindsOf({ map: inverse, ...changed("inputs", 3, pairBytes([[0, 0]])) });
    expect(both).toContain("input");
    expect(both).toContain("inverse");
  });
});

/** A row of the inverse, moved across all H s of the probes s of this seed. */
function unseenBy(seed: string): bigint[] {
  const { map } = made.honest.leaves;
  const rowOf = (place: number) => readInt64s(map[place]!, WIDTH)!;
  const curvature = Array.from({ length: WIDTH }, (_, a) =>
    rowOf(PLACES.curvature + a).map((value) => Number(value) / 2 ** 40),
  );
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const basis: number[][] = [];
  const across = (vector: number[]) => {
    let rest = vector;
    // Three times, against rounding.
    for (const unit of [...basis, ...basis, ...basis]) {
      const along = dot(rest, unit);
      rest = rest.map((x, i) => x - along * unit[i]!);
    }
    return rest;
  };
  const random = new SeededRandom(seed);
  for (let probe = 0; probe < 24; probe++) {
    const signs = Array.from({ length: WIDTH }, () => (random.nextBelow(2) === 0 ? 1 : -1));
    const seen = across(curvature.map((row) => dot(row, signs)));
    const length = Math.sqrt(dot(seen, seen));
    basis.push(seen.map((x) => x / length));
  }
  const moved = across(Array.from({ length: WIDTH }, (_, i) => (i === 3 ? 50 : 0)));
  return rowOf(PLACES.inverse).map((value, i) => value + BigInt(Math.round(moved[i]! * 2 ** 40)));
}

describe("an honest model commitment", () => {
  test("has no fault", () => {
    expect([...findDirectFaults(made.honest, made.rows)]).toEqual([]);
  });

  test("survives a challenge of every kind, and random ones", async () => {
    const id = await f.post(made.honest);
    const faults: DirectFault[] = [
      ...[0, 5, BUCKETS].map((column): DirectFault => ({ kind: "entry", row: 3, column })),
      ...(["tokens", "residual", "rowLength", "size", "rowTooLong", "factor", "versionRow"] as const).map(
        (kind): DirectFault => ({ kind, row: 5 }),
      ),
      ...[
        [1, 2],
        [3, 3],
        [3, BUCKETS],
        [BUCKETS, 3],
        [BUCKETS, BUCKETS],
      ].flatMap(([a, b]): DirectFault[] => [
        { kind: "curvature", a: a!, b: b! },
        { kind: "inverse", a: a!, b: b! },
      ]),
      ...(["logit", "peak", "lengths", "clip", "statics"] as const).map((kind): DirectFault => ({ kind })),
      { kind: "cell", row: ROWS, column: BUCKETS },
      { kind: "point", column: BUCKETS },
      ...Array.from({ length: PLACES.digestCount }, (_, step): DirectFault => ({ kind: "digest", step })),
      { kind: "input", row: 9, bucket: 3 },
      ...[3, BUCKETS].map((bucket): DirectFault => ({ kind: "optimum", bucket })),
      ...randomFaults(24),
    ];
    for (const fault of faults)
      expect([fault, await judged(id, fault)]).toEqual([fault, "DisputesNothingWrong"]);
  });

  function randomFaults(count: number): DirectFault[] {
    const random = new SeededRandom("random challenges");
    return Array.from({ length: count }, (_, i): DirectFault => {
      const [row, a, b] = [random.nextBelow(ROWS), random.nextBelow(WIDTH), random.nextBelow(WIDTH)];
      if (i % 4 === 0) return { kind: "entry", row, column: a };
      if (i % 4 === 1) return { kind: "curvature", a, b };
      return i % 4 === 2 ? { kind: "inverse", a, b } : { kind: "residual", row };
    });
  }
});

describe("what is not there", () => {
  test("judges nothing: other statements, other kinds, what is no judge's", async () => {
    const id = await f.post(made.honest);
    const other = { ...made.honest, statement: { ...made.honest.statement, clipLength: 9_999 } };
    expect(await judged(id, { kind: "logit" }, other)).toBe("DisputesOtherStatement");
    expect(await judged(id, { kind: "lengths" }, other)).toBe("DisputesOtherStatement");
    const tuple = statementTuple(made.honest.statement);
    const shown = encodeFunctionData({
      abi: judgeAbis.direct[1],
      functionName: "inverse",
      args: [tuple, 0n, 0n, openingOf(made.honest, "map", 2), openingOf(made.honest, "map", 2 + WIDTH)],
    });
    const ask = (judge: bigint, data: `0x${string}`) => f.refused(f.watcher, "challenge", [id, judge, data]);
    expect(await ask(1n, shown)).toBe("DisputesNothingWrong");
    expect(await ask(0n, shown)).toBe("DisputesJudgeUnknown");
    expect(await ask(0n, "0x12345678")).toBe("DisputesOtherStatement");
    // What the family's first judge says besides is no verdict.
    const sizes = { abi: judgeAbis.direct[0], functionName: "hasSizes", args: [tuple] } as const;
    expect(await ask(0n, encodeFunctionData(sizes))).toBe("DisputesJudgeUnknown");
  });

  test("every function of a judge that answers in three words says a verdict, and takes the statement first", () => {
    const functions = [...judgeAbis.direct.flat(), ...judgeAbis.text.flat()];
    const verdicts = functions.filter(({ outputs }) => outputs.length === 3);
    expect(verdicts.length).toBeGreaterThan(25);
    for (const { inputs, outputs } of verdicts) {
      expect(outputs.map(({ type }) => type)).toEqual(["bool", "uint8", "uint256"]);
      expect(inputs[0]!.type).toBe("tuple");
    }
  });
});
