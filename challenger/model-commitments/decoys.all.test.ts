/** Served models whose hidden leaves lead a watcher astray: each leaf that it asks for refutes, or leads one step on. */
import { concatBytes } from "@noble/hashes/utils.js";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { BASE_FOLDER } from "@openledger/models/internal/base/base-place";
import { textFamily } from "@openledger/models/registered/text-family";
import { realFeatures, textTraining } from "@openledger/models/registered/text-training";
import { ownedTexts } from "@openledger/models/testing/text-rows";
import { parseEther, zeroAddress, zeroHash } from "viem";
import { expect, test } from "vitest";
import { tracingDigest } from "../games/claims/ledger-claims.ts";
import { openTracedText } from "../games/claims/traced-text.ts";
import { featureLeaf, textModelCommitment, withTextTrees } from "../games/rows/text-model-commitment.ts";
import { rowTokensFault, rowTokensLeaf } from "../games/rows/text-row-tokens.ts";
import { tracedOf } from "../games/rows/traced-recipe.ts";
import { recipeOver, registeredTexts, settingOver } from "../games/testing/tuned-texts.ts";
import { watchOf } from "../playing/testing/watch-all.ts";
import { TextModelCommitments } from "../playing/text-model-commitments.ts";
import {
  type CommittedModel,
  type ShownLeaf,
  type TreeName,
  withTrees,
} from "../statements/committed-model.ts";
import { directEntry, readNumbers } from "../statements/direct-arithmetic.ts";
import { fixedCurvature, fixedInverse, matrixRow } from "../statements/direct-curvature.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment, mapPlaces } from "../statements/direct-model-commitment.ts";
import { int64Bytes, pairBytes, readFact, readInt64s } from "../statements/leaf-bytes.ts";
import { countRow, ONE } from "../statements/row-arithmetic.ts";
import { examineModelCommitment } from "./examine-model-commitment.ts";
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

/** Six rows of which L1 takes other tokens, too, and a liar posts these; one more, and a last one that has one spelling alone. */
test("a false row is found in two rounds beside rows of which L1 takes other tokens, whatever those of its own are", {
  timeout: 500_000,
}, async () => {
  const blanks = "asks  <b  <i  <u  <a  <p";
  const texts = Array.from("abcdefg", (name) => ({ text: `The navy ${name} ${blanks}` }));
  const rows = ownedTexts([...texts, { text: "The treasury pays its debt today" }]);
  const setting = settingOver(BASE_FOLDER);
  const rules = { normQuantile: 1, nearDuplicatesShare: false };
  const recipe = await recipeOver(BASE_FOLDER, rows, { rules });
  const tuned = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
  const tracing = { claimant: zeroAddress as string, digest: zeroHash as string, rows: true as const };
  const unnamed = { ...tuned, recipe: { ...tuned.recipe, tracing } };
  const traced = await openTracedText({ rollup: zeroAddress, modelId: 3n }, unnamed, setting);
  const terms = tracedOf(traced, unnamed.recipe, zeroAddress);
  const digest = tracingDigest(terms);
  const parts = { ...tuned, recipe: { ...tuned.recipe, tracing: { ...tracing, digest: digest as string } } };
  const right = await realFeatures(parts, rows, setting, {});
  const width = recipe.method.featureCount;
  const { spelling } = traced.vocabulary!;
  const spelled = (text: string) =>
    spelling.tokens.findIndex(({ bytes }) => new TextDecoder().decode(bytes) === text);
  const [blank, both] = [spelled(" "), spelled("  ")];
  const others = rows.slice(0, 6).map(({ content }, row) => {
    const own = traced.rowOf(content).tokens;
    const isSecond = (i: number) => own[i] === blank && own[i - 1] === blank;
    const tokens = own.flatMap((one, i) => (isSecond(i + 1) ? [both] : isSecond(i) ? [] : [one]));
    const lengths = tokens.map((token) => spelling.tokens[token]!.bytes.length);
    const leaf = rowTokensLeaf({ promptCount: 1, tokens, lengths });
    expect(tokens.length).toBeLessThan(own.length);
    expect(rowTokensFault(spelling, Number(terms.programCount), content, leaf)).toBeNull();
    right.set(traced.featuresOf({ promptCount: 1, tokens }), row * width);
    return leaf;
  });
  for (const victim of [6, 7]) {
    const real = right.map((one, k) => (Math.floor(k / width) === victim ? Math.fround(one / 2) : one));
    const features = registeredFeatures(real, width, recipe, { duplicates: () => [] });
    const model = registeredTexts({ ...parts, features } as never);
    const { leaves, statement } = textModelCommitment(model, traced, rows, real, 3);
    const tokens = leaves.tokens.map((leaf, row) => others[row] ?? leaf);
    const map = rows.map((_, row) => featureLeaf(real, width, row));
    const posted = withTextTrees({ ...leaves, tokens, map }, statement, digest);
    const shownOf = (tree: TreeName, index: number): ShownLeaf => ({
      ...{ tree, index, holders: [0n, 0n], versionPath: [], path: posted.trees[tree].path(index) },
      data: posted.leaves[tree][index]!,
    });
    const facts = concatBytes(...posted.leaves.facts);
    const given = { facts, leaves: posted.leaves.points.map((_, index) => shownOf("points", index)) };
    const { kind } = new TextModelCommitments(
      { require: async () => ({ setting, terms, traced }) } as never,
      () => {},
    );
    const files = { model: model as never, rows, leaves: null, mismatch: null };
    const look = (answered: readonly ShownLeaf[]) =>
      examineModelCommitment(
        { modelId: 3, statement: posted.statement, posted: given } as never,
        files,
        kind,
        answered,
      );
    const answered: ShownLeaf[] = [];
    let found = await look(answered);
    for (let round = 0; found.fault === null && round < 2; round++) {
      // As many as wait at once.
      for (const { index, tree } of found.wanted.slice(0, 8)) answered.push(shownOf(tree, index));
      found = await look(answered);
    }
    expect(found.fault?.fault).toMatchObject({ kind: "row", row: victim });
    if (victim === 7)
      expect(answered).toMatchObject([
        { tree: "map", index: 7 },
        { tree: "tokens", index: 7 },
      ]);
  }
});
