/** Served models whose hidden leaves lead a watcher astray: each leaf that it asks for refutes, or leads one step on. */
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { parseEther } from "viem";
import { expect, test } from "vitest";
import { watchOf } from "../playing/testing/watch-all.ts";
import { type CommittedModel, type TreeName, withTrees } from "../statements/committed-model.ts";
import { directEntry, readNumbers } from "../statements/direct-arithmetic.ts";
import { fixedCurvature, fixedInverse, matrixRow } from "../statements/direct-curvature.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment, mapPlaces } from "../statements/direct-model-commitment.ts";
import { int64Bytes, pairBytes, readFact, readInt64s } from "../statements/leaf-bytes.ts";
import { countRow, ONE } from "../statements/row-arithmetic.ts";
import { type DirectCase, directCase, registeredDirect } from "./testing/direct-case.ts";
import { startDisputes } from "./testing/dispute-fixture.ts";

const ROWS = 160;
const f = started(() => startDisputes({ mostRows: ROWS }));
revertEachTest(() => f);

/** @param isDecoy answered at once; another leaf almost a day later @returns leaves that were asked for, and what was sent last */
async function played(
  { rows }: Pick<DirectCase, "rows">,
  model: DirectCase["model"],
  posted: CommittedModel,
  isDecoy: (tree: TreeName, index: number) => boolean,
) {
  const id = await f.post(posted);
  const show = (place: readonly [TreeName, number]) => f.show(id, posted, [place], rows);
  const files = { model, rows, leaves: null, mismatch: null };
  const watcher = { ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: parseEther("0.5") };
  const watch = await watchOf(f, watcher, async () => files);
  const asked: string[] = [];
  let late: (readonly [tree: TreeName, index: number])[] = [];
  for (let looks = 0; looks < 60; looks++) {
    const { failures, views } = await watch.look();
    const what = views[0]!.sent?.what;
    if (what === "challenge") return { asked, what };
    if (what === undefined && late.length === 0) return { asked, what: String(failures[0]) };
    if (what === undefined) {
      await f.passTime(85_000n);
      for (const place of late) await show(place);
      late = [];
      continue;
    }
    for (const place of (await f.asked()).slice(asked.length)) {
      asked.push(place.join("/"));
      if (isDecoy(...place)) await show(place);
      else late.push(place);
    }
  }
  return { asked, what: "it goes on" };
}

test("a matrix that is false in every row, whose leaves are the right one's but for the digests", {
  timeout: 500_000,
}, async () => {
  const made = await directCase(ROWS, { bucketCount: 16 });
  const { features } = made.trained;
  const { featureCount: width } = features;
  const values = features.values.slice();
  for (let k = 0; k < ROWS; k++) values[k * width + 3] = values[k * width + 3]! > 0 ? -400 : 400;
  const model = registeredDirect({ ...made.trained, features: { ...features, values } } as never);
  const { leaves, statement } = directModelCommitment(model, made.contents, 11);
  const { roots: _, ...numbers } = statement;
  const { digests } = mapPlaces(width);
  const map = made.honest.leaves.map.with(digests, leaves.map[digests]!);
  const { clipLength } = made.honest.statement;
  const posted = withTrees({ ...made.honest.leaves, map }, { ...numbers, clipLength });
  const { asked, what } = await played(made, model, posted, (tree) => tree === "features");
  expect(what).toBe("challenge");
  expect(asked.map((place) => place.split("/")[0])).toEqual(["features", "columns", "points"]);
});

/** Two rows' token lists count a bucket very often, and all that follows from the lists is right: the optimum, too. */
async function consistentLie(rowCount: number, bucketCount: number) {
  const rules = { normQuantile: 1, nearDuplicatesShare: false };
  const made = await directCase(rowCount, { bucketCount, rules });
  const { features } = made.trained;
  const { featureCount: width } = features;
  const weights = readInt64s(made.honest.leaves.weights[0]!, width)!;
  const facts = made.honest.leaves.facts.map((leaf) => readFact(leaf)!);
  const counted = made.contents.map((content) => countRow(content, bucketCount));
  const bucket = 5;
  let best = { gap: Number.POSITIVE_INFINITY, more: new Map<number, number>() };
  for (const [a, { pull: p }] of facts.entries())
    for (const [b, { pull: q }] of facts.entries())
      for (let n = 40; p > 0n && q < 0n && n < 300; n++) {
        const m = Math.round((-n * Number(p)) / Number(q));
        const gap = Math.abs(n * Number(p) + m * Number(q));
        if (m >= 20 && m <= 300 && gap < best.gap)
          best = {
            gap,
            more: new Map([
              [a, n],
              [b, m],
            ]),
          };
      }
  const changed = counted.map((row, k) => {
    const more = best.more.get(k);
    if (more === undefined) return row;
    const counts = new Map(row.counts);
    counts.set(bucket, (counts.get(bucket) ?? 0) + more);
    return { ...row, counts: [...counts].sort(([x], [y]) => x - y) };
  });
  const { damping } = readNumbers(made.honest.leaves.map[0]!);
  const curvature = fixedCurvature(
    changed,
    facts.map(({ residual }) => residual),
    bucketCount,
    damping,
  );
  const inverse = fixedInverse(curvature);
  const entryOf = (k: number, c: number, unit: bigint) =>
    Number(directEntry(counted[k]!, weights, Array.from(matrixRow(inverse, c)), ONE, unit)) / 2 ** 40;
  const places = Array.from(
    { length: rowCount * width },
    (_, i) => [Math.floor(i / width), i % width] as const,
  );
  const most = Math.max(...places.map(([k, c]) => Math.abs(entryOf(k, c, ONE << 10n)) / 2 ** 10));
  const scale = most / 511 / Math.SQRT2;
  const unit = BigInt(Math.floor((1 / (Math.SQRT2 * scale)) * 2 ** 40 + 0.5));
  const values = features.values.slice();
  for (const [k, c] of places)
    values[k * width + c] = Math.max(-511, Math.min(511, Math.round(entryOf(k, c, unit))));
  const model = registeredDirect({ ...made.trained, features: { ...features, values, scale } } as never);
  const own = directModelCommitment(model, made.contents, 11);
  const at = mapPlaces(width);
  const map = own.leaves.map.map((leaf, i) => {
    if (i >= at.inverse && i < at.curvature) return int64Bytes(matrixRow(inverse, i - at.inverse));
    return i >= at.curvature && i < at.digests ? int64Bytes(matrixRow(curvature, i - at.curvature)) : leaf;
  });
  const column = changed.flatMap(({ counts }, k) =>
    counts.flatMap(([b, n]): [number, number][] => (b === bucket ? [[k, n]] : [])),
  );
  const tokens = changed.map(({ counts }) => pairBytes(counts));
  const inputs = own.leaves.inputs.with(bucket, pairBytes(column));
  return { made, model, posted: withTrees({ ...own.leaves, map, tokens, inputs }, own.statement) };
}

test("false token lists beside all that follows from them: the tokens are asked for, and refute", {
  timeout: 500_000,
}, async () => {
  const { made, model, posted } = await consistentLie(24, 64);
  const kinds = new Set([...findDirectFaults(posted, made.rows)].map(({ kind }) => kind));
  expect(kinds).toEqual(new Set(["tokens", "input"]));
  const { inverse, curvature } = mapPlaces(posted.statement.columnCount);
  const isInverse = (tree: TreeName, index: number) =>
    tree === "map" && index >= inverse && index < curvature;
  const { asked, what } = await played(made, model, posted, isInverse);
  expect(what).toBe("challenge");
  expect(asked.some((place) => place.startsWith("tokens"))).toBe(true);
  expect(asked.length).toBeLessThan(9);
});
