/** What a language model's owner posts of its rows, and every lie about them that one transaction shows. */

import { sha256 } from "@noble/hashes/sha2.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { judgeAbis } from "@openledger/contracts/build/disputes-abi";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import {
  type Changes,
  changedLeaves,
  changedFact as fact,
  ONE,
} from "@openledger/e2e/scenarios/disputes/lie";
import { byteAt, more, TEXT_LIES } from "@openledger/e2e/scenarios/disputes/text-lies";
import { started, testFolder } from "@openledger/foundation/testing/test-fixtures";
import { isWhole, partOf } from "@openledger/foundation/testing/test-random";
import { bytesToHex, type Hex } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { examineModelCommitment } from "../../model-commitments/examine-model-commitment.ts";
import { TextModelCommitments } from "../../playing/text-model-commitments.ts";
import type {
  CommittedModel,
  DisputeStatement,
  LeafPlace,
  ShownLeaf,
} from "../../statements/committed-model.ts";
import { knownLeaves, leavesOf } from "../../statements/known-leaves.ts";
import { readFact } from "../../statements/leaf-bytes.ts";
import { decodeLeaves, encodeLeaves, leafCounts, readLeaves } from "../../statements/leaf-file.ts";
import { versionRowOf } from "../../statements/tie-faults.ts";
import { WordTree, wordsOf } from "../../trace/word-tree.ts";
import { asRow, claimedRoot, traceQuery, tracingKernels } from "../claims/traced-model.ts";
import { engineFeatures } from "../claims/traced-text.ts";
import { MODEL_ID } from "../testing/ledger-fixture.ts";
import { startRowContracts } from "../testing/row-fixture.ts";
import { textCase } from "../testing/text-case.ts";
import { STAKE_WEI } from "../testing/trace-fixture.ts";
import { registeredTexts, settingOver, writeByteBase } from "../testing/tuned-texts.ts";
import { challengeRowCall, type ShownFault, textChallengeData } from "./text-calls.ts";
import { findTextFaults, isEntry, type TextFault } from "./text-faults.ts";
import { textModelCommitment, withTextTrees } from "./text-model-commitment.ts";
import { readRowTokens, rowTokensFault, rowTokensLeaf } from "./text-row-tokens.ts";

const f = started(() => startRowContracts(8));
const made = started(() => textCase(f.owner));
const base = testFolder("text-model-commitment");
beforeAll(() => writeByteBase(base));
const ledger = started(() => f.register(made.traced.model, made.terms, made.honest));
revertEachTest(() => f);

const known = () => made;
const faultsOf = (posted: CommittedModel, owned: readonly OwnedRow[] = made.rows) => [
  ...findTextFaults(posted, owned, known()),
];
const dataOf = (id: bigint, posted: CommittedModel, fault: ShownFault, owned = made.rows) =>
  textChallengeData(id, posted, owned, made, fault);

test("the real features of a row are the bits that its trace has before the largest is taken", async () => {
  const { traced } = made;
  const engineFeaturesOf = await engineFeatures(made.model, settingOver(base));
  const { model } = traced;
  const kernels = tracingKernels("wasm", model);
  const { featureCount } = made.model.recipe.method;
  for (const [k, content] of made.contents.entries()) {
    const row = traced.rowOf(content);
    const real = made.real.subarray(k * featureCount, (k + 1) * featureCount);
    expect(bytesToHex(wordsOf(traced.featuresOf(row)))).toBe(bytesToHex(wordsOf(Float32Array.from(real))));
    // The engine's of any tokens, too: also of such that no tokenizer makes.
    for (const other of [row, { promptCount: 2, tokens: row.tokens.map((token) => token ^ 1) }])
      expect(wordsOf(engineFeaturesOf(other))).toEqual(wordsOf(traced.featuresOf(other)));
  }
  // As a game claims them, of a prompt with its answer.
  const { program, ...query } = asRow(traceQuery(model, traced.rowOf(made.contents[1]!), kernels));
  expect(query.claimedOp).toBe(program.length - 3);
  expect(claimedRoot({ program, ...query })).toBe(bytesToHex(new WordTree(made.honest.leaves.map[1]!).root));
  // Longer than any prompt with its answer.
  const { answers, rowTokens } = made.model.recipe;
  expect(rowTokens).toBeGreaterThan(answers.promptTokens + answers.answerTokens);
  expect(model.programs.count).toBe(rowTokens);
});

test("an honest model commitment has no fault, and is published and read like any other", () => {
  const { honest } = made;
  expect(faultsOf(honest)).toEqual([]);
  const facts = honest.leaves.facts.map((leaf) => readFact(leaf)!);
  expect(facts.map(({ leader }) => leader)).toEqual([0, 1, 2, 0, 4, 0, 2, 7]);
  // The clip cuts one of eight.
  const shares = [3, 1, 2, 3, 1, 3, 2, 1].map((size) => ONE / BigInt(size));
  expect(facts.filter(({ factor }, k) => factor < shares[k]!)).toHaveLength(1);
  expect(facts.some(({ factor }, k) => factor > shares[k]!)).toBe(false);
  const read = decodeLeaves(encodeLeaves(honest.leaves), honest.statement, "text");
  expect(read.statement).toEqual(honest.statement);
  // Attack: a file of brackets, of which a parser makes two hundred times its bytes.
  const brackets = new TextEncoder().encode(`{"rows":[${"[],".repeat(1_000)}[]]}`);
  expect(() => readLeaves(brackets, honest.statement, "text")).toThrow("has more than 79 leaves");
  const counts = leafCounts(honest.statement, "text");
  for (const [tree, leaves] of Object.entries(honest.leaves))
    expect(leaves).toHaveLength(counts[tree as keyof typeof counts]);
  // What is no tree is asked of nobody.
  const whole = knownLeaves(honest.statement, honest, null, [], "text");
  expect([whole.posted === whole.partly, leavesOf(whole.unknown)]).toEqual([true, []]);
  const lost = { ...honest.leaves, map: [] };
  const half = knownLeaves(
    honest.statement,
    withTextTrees(lost, honest.statement, digest()),
    null,
    [],
    "text",
  );
  expect([...half.unknown.keys()]).toEqual(["map"]);
  expect(leavesOf(half.unknown)[0]).toEqual({ tree: "map", index: 7 });
});

const digest = () => bytesToHex(made.honest.statement.roots.weights);

/** What a liar posts instead: leaves of some trees, by their place, and numbers. */
interface Lie {
  readonly leaves?: Changes;
  readonly numbers?: (honest: DisputeStatement) => Partial<DisputeStatement>;
}

const postedLie = ({ leaves = {}, numbers }: Lie): CommittedModel => {
  const { honest } = made;
  const changed = changedLeaves(honest.leaves, leaves);
  return withTextTrees(changed, { ...honest.statement, ...numbers?.(honest.statement) }, digest());
};

const cut = (count: number) => (leaf: Uint8Array) => leaf.subarray(0, leaf.length - count);
const tokenAt = (place: number, token: number) => (leaf: Uint8Array) => {
  const own = readRowTokens(leaf)!;
  return rowTokensLeaf({ ...own, tokens: own.tokens.map((one, i) => (i === place ? token : one)) });
};

/** Each lie with the kinds of faults that it has, which L1 takes all. Beside those of `npm run drill -- disputes`. */
const lies: Record<string, readonly [Lie, readonly TextFault["kind"][]]> = {
  "a token outside the vocabulary": [{ leaves: { tokens: { 1: tokenAt(3, 256) } } }, ["tokens"]],
  "a prompt without tokens": [{ leaves: { tokens: { 4: byteAt(3, () => 0) } } }, ["tokens"]],
  "a prompt one token longer": [{ leaves: { tokens: { 1: byteAt(3, more) } } }, ["tokens", "row"]],
  "a list of tokens cut short": [{ leaves: { tokens: { 0: cut(1) } } }, ["tokens"]],
  "a row longer than the clip": [
    { leaves: { facts: { 3: fact(() => ({ length: 100_000 })) } } },
    ["rowLength", "lengths"],
  ],
  "a number where an e-mail has a pull": [{ leaves: { facts: { 3: fact(() => ({ pull: 1n })) } } }, ["peak"]],
  "a size beyond int8": [{ leaves: { facts: { 3: fact(() => ({ residual: -1n })) } } }, ["peak", "scale"]],
  "a factor of nothing": [{ leaves: { facts: { 7: fact(() => ({ factor: 0n })) } } }, ["entry"]],
  "a leader that leads itself no more": [
    { leaves: { facts: { 3: fact(() => ({ leader: 5 })) } } },
    ["factor"],
  ],
  "a row that shares with a stranger": [
    { leaves: { facts: { 7: fact(() => ({ leader: 4 })) } } },
    ["duplicate"],
  ],
  "a row of G cut short": [{ leaves: { features: { 2: cut(1) } } }, ["cell", "rowLength", "peak", "entry"]],
  "an entry of a column": [{ leaves: { columns: { 5: byteAt(2, more) } } }, ["cell", "point"]],
  "a column cut short": [{ leaves: { columns: { 5: cut(1) } } }, ["cell"]],
  "an entry of G that is in its column, too": [
    { leaves: { features: { 2: byteAt(5, more) }, columns: { 5: byteAt(2, more) } } },
    ["point", "entry"],
  ],
  "a point": [{ leaves: { points: { 0: byteAt(5 * 64 + 63, more) } } }, ["statics", "point"]],
  "a point cut short": [{ leaves: { points: { 0: cut(1) } } }, ["point"]],
  "a real feature's last bit": [{ leaves: { map: { 2: byteAt(7, (byte) => byte ^ 1) } } }, ["row"]],
  "a real feature": [{ leaves: { map: { 2: byteAt(4, (byte) => byte ^ 0x40) } } }, ["entry", "row"]],
  "a real feature that is no number": [
    { leaves: { map: { 2: (leaf) => leaf.with(4, 0x7f).with(5, 0xc0).with(6, 0).with(7, 0) } } },
    ["entry", "row"],
  ],
  "real features cut short": [{ leaves: { map: { 2: cut(4) } } }, ["entry"]],
  "another unit": [{ numbers: ({ decay }) => ({ decay: decay + (1n << 52n) }) }, ["entry"]],
  "fewer features": [
    { numbers: ({ bucketCount }) => ({ bucketCount: bucketCount - 8 }) },
    ["statics", "entry"],
  ],
  "another quantile": [{ numbers: () => ({ clipQuantile: ONE / 4n }) }, ["clip", "statics"]],
  "no sharing": [{ numbers: () => ({ sharesDuplicates: false }) }, ["factor", "statics"]],
};

/** Of the drill's those that one transaction shows. */
const TOLD = TEXT_LIES.filter(({ fault, name }) => fault !== "Row" && name !== "frequent").map(
  ({ description, fault, make }) => {
    const posted = async () => {
      const trained = { ...made.tuned, recipe: made.model.recipe };
      return (await make({ ...made, trained, register: registeredTexts })).posted(MODEL_ID);
    };
    return [description, posted, [fault[0]!.toLowerCase() + fault.slice(1)]] as const;
  },
);
const OWN = Object.entries(lies).map(
  ([name, [lie, kinds]]) => [name, async () => postedLie(lie), kinds] as const,
);

describe("every lie has its faults, and L1 takes them", () => {
  for (const [name, make, kinds] of partOf([...OWN, ...TOLD], 4))
    test(name, async () => {
      const posted = await make();
      const first = new Map<string, TextFault>();
      for (const fault of faultsOf(posted)) if (!first.has(fault.kind)) first.set(fault.kind, fault);
      expect([...first.keys()].sort()).toEqual(expect.arrayContaining([...kinds]));
      const id = await ledger.post(posted);
      for (const fault of first.values()) {
        const refused =
          fault.kind === "row"
            ? await f.refusal(f.watcher, f.games, rowCall(id, posted, fault.row), STAKE_WEI)
            : await f.refusal(f.watcher, f.disputes, dataOf(id, posted, fault));
        expect([fault, refused]).toEqual([fault, null]);
      }
    });
});

const rowCall = (id: bigint, posted: CommittedModel, row: number) =>
  challengeRowCall(id, posted, ledger.model, made.terms, row);

test("a row that is too long for a transaction is found", async () => {
  const content = new Uint8Array(16_385).fill(97);
  const owned = made.rows.map((row, k) => (k === 1 ? { ...row, content } : row));
  const posted = postedLie({ leaves: { rows: { 1: () => sha256(content) } } });
  const fault = findTextFaults(posted, owned, known()).next().value as ShownFault;
  expect(fault).toEqual({ kind: "rowTooLong", row: 1 });
  const id = await ledger.post(posted);
  expect(await f.refusal(f.watcher, f.disputes, dataOf(id, posted, fault, owned))).toBeNull();
});

test("of an honest model commitment random challenges show nothing", async () => {
  const id = await ledger.post();
  const random = new SeededRandom("challenges of the honest");
  const row = () => random.nextBelow(made.rows.length);
  const column = () => random.nextBelow(made.honest.statement.columnCount);
  const placeOf = (k: number) =>
    random.nextBelow(readRowTokens(made.honest.leaves.tokens[k]!)!.tokens.length);
  const challenges: (() => ShownFault)[] = [
    () => ({ kind: "entry", row: row(), column: column() }),
    () => ({ kind: "cell", row: row(), column: column() }),
    () => ({ kind: "point", column: column() }),
    () => ({ kind: "peak", row: row() }),
    () => ({ kind: "rowLength", row: row() }),
    () => ({ kind: "rowTooLong", row: row() }),
    () => ({ kind: "factor", row: row() }),
    () => ({ kind: "versionRow", row: row() }),
    () => ({ kind: "duplicate", row: row(), other: row() }),
    () => ({ kind: "tokens", row: row(), found: { kind: "shape" } }),
    () => {
      const k = row();
      return { kind: "tokens", row: k, found: { kind: "spelling", place: placeOf(k) } };
    },
    () => ({ kind: (["lengths", "clip", "scale", "statics"] as const)[random.nextBelow(4)]! }),
  ];
  const refusals = new Map<string, Set<string | null>>();
  for (let i = 0; i < (isWhole ? 200 : 96); i++) {
    const fault = challenges[i % challenges.length]!();
    const refused = await f.refusal(f.watcher, f.disputes, dataOf(id, made.honest, fault));
    refusals.set(fault.kind, (refusals.get(fault.kind) ?? new Set()).add(refused));
  }
  for (const [kind, names] of refusals) {
    // Which rows can be compared is asked first.
    if (kind === "duplicate") names.delete("DisputesOpeningInvalid");
    expect([kind, [...names]]).toEqual([kind, ["DisputesNothingWrong"]]);
  }
});

test("an entry's rounding is the same in TypeScript and on L1: at random, at ties, and at the edges of floats", async () => {
  const families = await f.read<readonly { judges: readonly Hex[] }[]>(f.disputes, "families");
  const address = families[FAMILY_NUMBERS.text]!.judges[0]!;
  const random = new SeededRandom("entries");
  const doubles = new DataView(new ArrayBuffer(8));
  const floats = new DataView(new ArrayBuffer(4));
  const unitBits = (unit: number) => {
    doubles.setFloat64(0, unit);
    return doubles.getBigUint64(0);
  };
  const numberBits = (number: number) => {
    floats.setFloat32(0, number);
    return floats.getUint32(0);
  };
  const word = () => BigInt(random.nextBelow(2 ** 32));
  const cases: [number: number, factor: bigint, unit: bigint, given: number][] = [];
  // Values near an entry: right and wrong ones.
  for (let i = 0; i < 150; i++) {
    const given = random.nextBelow(256) - 128;
    const unit = 2 ** (random.nextBelow(60) - 30) * (1 + random.nextFraction());
    const factor = ONE / BigInt(1 + random.nextBelow(2_048));
    const offset = [0, 0.5, -0.5, 0.5 + 2 ** -21, 0.5 + 2 ** -19, -0.5 - 2 ** -19][i % 6]!;
    const number = ((given + offset) * unit * 2 ** 40) / Number(factor);
    cases.push([numberBits(number), factor, unitBits(unit), given]);
  }
  // Exact ties, and one unit in the last place beside what is allowed.
  for (const sign of [1, -1])
    for (const offset of [0.5, 0.5 + 2 ** -20, 0.5 + 2 ** -20 + 2 ** -23, 0.5 + 2 ** -19])
      for (const given of [0, 1])
        cases.push([numberBits(sign * (given + offset)), ONE, unitBits(1), sign * given]);
  // Any bits: zeros, subnormal numbers, infinities, no numbers; units from the least to the largest.
  const numbers = [0, 1, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0xffffffff];
  const units = [1n << 52n, 0x3ff0000000000000n, 0x7fefffffffffffffn, 0x3690000000000000n];
  for (const number of numbers)
    for (const signed of [number, (number | 0x80000000) >>> 0])
      for (const unit of units)
        cases.push([
          signed,
          [0n, 1n, ONE, 2n ** 64n - 1n][random.nextBelow(4)]!,
          unit,
          random.nextBelow(3) - 1,
        ]);
  for (let i = 0; i < 80; i++) {
    const unit = ((1n + (word() % 0x7fen)) << 52n) | (((word() << 20n) ^ word()) % (1n << 52n));
    cases.push([Number(word()), (word() << 32n) | word(), unit, random.nextBelow(256) - 128]);
  }
  const call = (args: readonly unknown[]) =>
    f.client.readContract({ address, abi: judgeAbis.text[0], functionName: "isEntry", args } as never);
  const onL1 = await Promise.all(
    cases.map(([number, factor, unit, given]) => call([BigInt(number), factor, unit, BigInt(given)])),
  );
  expect(cases.map((one) => isEntry(...one))).toEqual(onL1);
  expect(new Set(onL1).size).toBe(2);
});

test("rows that a recipe holds out have features, as on L1", async () => {
  const { honest, model, terms, traced } = made;
  const opened = { require: async () => ({ setting: settingOver(base), terms, traced }) };
  const { kind } = new TextModelCommitments(opened as never, () => {});
  const held = { ...model, recipe: { ...model.recipe, heldOut: 5 } };
  const own = await kind.honestModelCommitment(held, made.rows, honest.statement.modelId);
  expect(own.leaves.map).toEqual(honest.leaves.map);
});

test.each([
  ["a version that has one row twice", "tokens"],
  ["a model that the engine cannot compute", "tokens"],
  ["a model that the engine cannot compute", "row"],
])("of %s false leaves are found, too: %s", async (what, fault) => {
  const { honest, model, terms, traced } = made;
  const setting = settingOver(base);
  const isTwice = what.startsWith("a version");
  const rows = isTwice ? made.rows.with(5, { ...made.rows[5]!, content: made.rows[3]!.content }) : made.rows;
  const tokens = honest.leaves.tokens.map((leaf) => {
    const read = readRowTokens(leaf)!;
    return rowTokensLeaf({ ...read, tokens: read.tokens.map((token) => (token === 65 ? 66 : 65)) });
  });
  const changed =
    fault === "tokens" ? { tokens } : { map: honest.leaves.map.map((leaf) => leaf.with(7, leaf[7]! ^ 1)) };
  const leaves = { ...honest.leaves, ...changed, rows: rows.map(({ content }) => sha256(content)) };
  const numbers = { ...honest.statement, rowsRoot: versionRowsRoot(rows.map(versionRowOf)) };
  const posted = withTextTrees(leaves, numbers, model.recipe.tracing!.digest as Hex);
  const opened = {
    require: async () => ({ setting: isTwice ? setting : { ...setting, bases: [] }, terms, traced }),
  };
  const commitments = new TextModelCommitments(opened as never, () => {});
  const files = { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null };
  const commitment = { modelId: posted.statement.modelId, statement: posted.statement, posted: null };
  const found = await examineModelCommitment(commitment as never, files as never, commitments.kind);
  expect(commitments.of({ own: null, posted })!.real === null).toBe(!isTwice);
  // A blank text, which no tokenizer takes for a row, and L1 does: shown in place of one that is served.
  const blank = new TextEncoder().encode(JSON.stringify({ text: "   " }));
  const shown = rows.with(0, { ...rows[0]!, content: blank });
  expect([...findTextFaults(posted, shown, made)].map((one) => one.kind)).toContain(fault);
  expect([found.fault!.fault, ...found.fault!.others].map((one) => one.kind)).toContain(fault);
  // Attack: fewer rows under the same digest.
  const fewer = { ...files, rows: rows.slice(0, -1) };
  const seen = await examineModelCommitment(commitment as never, fewer as never, commitments.kind);
  expect(seen.wanted).toContainEqual({ tree: "rows", index: rows.length - 1 });
});

test.each([6, 7])(
  "row %i is found false in two rounds beside rows of which L1 takes other tokens, too",
  async (victim) => {
    const { honest, model, rows, terms, traced, tuned } = made;
    // As if a second token spelled "k", which rows 1 and 7 alone do not have.
    const [letter, other] = [107, 1];
    const { spelling, tree } = traced.vocabulary!;
    const vocabulary = {
      spelling: { ...spelling, tokens: spelling.tokens.with(other, spelling.tokens[letter]!) },
      tree,
    };
    const width = model.recipe.method.featureCount;
    const real = made.real.slice();
    const tokens = honest.leaves.tokens.map((leaf, row) => {
      const own = readRowTokens(leaf)!;
      const changed = own.tokens.map((token) => (row !== victim && token === letter ? other : token));
      const right = traced.featuresOf({ ...own, tokens: changed });
      real.set(row === victim ? right.map((one) => one / 2) : right, row * width);
      const found = rowTokensLeaf({ ...own, tokens: changed });
      const { content } = rows[row]!;
      expect(rowTokensFault(vocabulary.spelling, Number(terms.programCount), content, found)).toBeNull();
      return found;
    });
    const pairOf = (earlier: number, later: number) => ({ earlier, later, similarity: 1 });
    const duplicates = () => [pairOf(0, 3), pairOf(0, 5), pairOf(2, 6)];
    const features = registeredFeatures(real, width, model.recipe, { duplicates });
    const served = registeredTexts({ ...tuned, recipe: model.recipe, features });
    const { leaves, statement } = textModelCommitment(served, traced, rows, real, MODEL_ID);
    const posted = withTextTrees({ ...leaves, tokens }, statement, digest());
    const shownOf = ({ index, tree }: LeafPlace): ShownLeaf => ({
      ...{ tree, index, holders: [0n, 0n], versionPath: [], path: posted.trees[tree].path(index) },
      data: posted.leaves[tree][index]!,
    });
    const points = posted.leaves.points.map((_, index) => shownOf({ tree: "points", index }));
    const commitment = {
      ...{ modelId: MODEL_ID, statement: posted.statement },
      posted: { facts: Buffer.concat(posted.leaves.facts), leaves: points },
    };
    const one = { setting: settingOver(base), terms, traced: { ...traced, vocabulary } };
    const { kind } = new TextModelCommitments({ require: async () => one } as never, () => {});
    const files = { model: served, rows, leaves: null, mismatch: null };
    const look = () => examineModelCommitment(commitment as never, files as never, kind, answered);
    const answered: ShownLeaf[] = [];
    for (let round = 0; round < 2; round++)
      // As many as wait at once.
      answered.push(...(await look()).wanted.slice(0, 8).map(shownOf));
    expect((await look()).fault?.fault).toMatchObject({ kind: "row", row: victim });
    // What is sure comes first.
    if (victim === 7) expect(answered.map(({ index }) => index)).toEqual([7, 7]);
  },
);
