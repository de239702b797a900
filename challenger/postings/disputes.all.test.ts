import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { classifierTraining } from "@openledger/attribution/model/trained-model";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { hex32 } from "@openledger/foundation/hex";
import { encodeFunctionData, hexToBytes } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, findFaults } from "../statements/find-faults.ts";
import { pairBytes, readFact, readInt64s, readPairs } from "../statements/leaf-bytes.ts";
import { type Leaves, postedModel, TREES, type TreeName } from "../statements/posted-model.ts";
import { openingOf, statementTuple } from "../statements/posting-calls.ts";
import { countRow, entryValue, integerRoot, ONE } from "../statements/row-arithmetic.ts";
import { challengeData } from "./dispute-calls.ts";
import type { PublishedFiles } from "./examine-posting.ts";
import { readPostings } from "./read-postings.ts";
import {
  BOND_WEI,
  type DisputeFixture,
  lie,
  registered,
  startDisputes,
  type TrainedCase,
  trainedCase,
  watchFiles,
} from "./testing/dispute-fixture.ts";
import { revertBetweenTests } from "./testing/revert-between-tests.ts";

const DAY = 86_400n;
let f: DisputeFixture;
let made: TrainedCase;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes(), trainedCase(48)]);
});
afterAll(() => f?.stop());
revertBetweenTests(() => f.client);

const watch = (files: PublishedFiles) => watchFiles(f, files);

/** One leaf changed. */
function changed(tree: TreeName, index: number, bytes: Uint8Array): Partial<Leaves> {
  return { [tree]: made.honest.leaves[tree].map((leaf, i) => (i === index ? bytes : leaf)) };
}

/** A row of G replaced, with the length that it has. */
function otherRow(index: number, entries: Int8Array): Partial<Leaves> {
  const squares = entries.reduce((sum, entry) => sum + entry * entry, 0);
  const fact = made.honest.leaves.facts[index]!.slice();
  new DataView(fact.buffer).setUint32(24, Number(integerRoot(BigInt(squares))));
  return {
    ...changed("features", index, new Uint8Array(entries.slice().buffer)),
    ...changed("facts", index, fact),
  };
}

const rowOf = (k: number) => new Int8Array(made.honest.leaves.features[k]!);
const withFact = (k: number, write: (view: DataView) => void) => {
  const fact = made.honest.leaves.facts[k]!.slice();
  write(new DataView(fact.buffer));
  return changed("facts", k, fact);
};

/** The direction that most rows' features have in common, as long as row `k` is. */
function frequentDirection(k: number): Int8Array {
  const sums = rowOf(k).map(() => 0);
  const means = Float64Array.from(sums, (_, j) =>
    made.contents.reduce((sum, _row, i) => sum + rowOf(i)[j]! * Math.sign(rowOf(i)[0]! || 1), 0),
  );
  const length = Math.hypot(...rowOf(k)) / Math.hypot(...means);
  return Int8Array.from(means, (x) => Math.max(-127, Math.min(127, Math.round(x * length))));
}

function shuffled(entries: Int8Array): Int8Array {
  const order = new SeededRandom("shuffle").permutation(16);
  return entries.map((entry, j) => (j < 16 ? entries[order[j]!]! : entry));
}

const LIES: readonly [string, () => Partial<Leaves>, Fault["kind"]][] = [
  [
    "a row in the direction of frequent queries, no longer than it was",
    () => otherRow(7, frequentDirection(7)),
    "entry",
  ],
  ["a row copied from another", () => otherRow(3, rowOf(20)), "entry"],
  ["a row's entries shuffled", () => otherRow(9, shuffled(rowOf(9))), "entry"],
  [
    "one entry off by one",
    () =>
      otherRow(
        1,
        rowOf(1).map((x, j) => (j === 2 ? x + 1 : x)),
      ),
    "entry",
  ],
  [
    "a row as long as int8 goes",
    () =>
      otherRow(
        5,
        rowOf(5).map((x) => (x < 0 ? -127 : 127)),
      ),
    "lengths",
  ],
  ["a row's length", () => withFact(4, (view) => view.setUint32(24, 1)), "rowLength"],
  [
    "somebody's row made nothing by its factor",
    () => ({
      ...otherRow(
        6,
        rowOf(6).map(() => 0),
      ),
      ...nothing(6),
    }),
    "factor",
  ],
  [
    "a token list",
    () =>
      changed(
        "tokens",
        2,
        pairBytes([
          [1, 1],
          [5, 3],
        ]),
      ),
    "tokens",
  ],
  [
    "a column of the inputs",
    () => changed("inputs", 8, pairBytes([...readPairs(made.honest.leaves.inputs[8]!)!, [0, 1]])),
    "input",
  ],
  ["a residual", () => withFact(11, (view) => view.setBigInt64(8, view.getBigInt64(8) + 4096n)), "residual"],
  ["weights that are no numbers", () => ({ weights: [Uint8Array.of(1)] }), "residual"],
  ["a map's row that is too short", () => changed("map", 0, Uint8Array.of(1, 2)), "entry"],
  ["a fact that is too short", () => changed("facts", 0, Uint8Array.of(1, 2)), "residual"],
];

function nothing(k: number): Partial<Leaves> {
  return withFact(k, (view) => {
    view.setBigUint64(0, 0n);
    view.setUint32(24, 0);
  });
}

describe("a false posting", () => {
  test.each(LIES)("with %s is found by watch, refused, and its bond paid", async (_, leavesOf, kind) => {
    const { posted, files } = lie(made, leavesOf());
    const id = await f.post(posted.statement);
    const [seen] = await watch(files);
    expect(seen!.examined!.fault!.fault.kind).toBe(kind);
    expect(seen!.sent!.what).toBe("challenge");
    const [after] = await readPostings(f.client as never, f.disputes.address);
    expect(after).toMatchObject({ id, state: "refuted", refutedBy: f.watcher });
    expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n);
    await f.passTime(8n * DAY);
    expect(await f.disputes.read.counts([id])).toBe(false);
    const before = await f.client.getBalance({ address: f.watcher });
    await f.disputes.write.withdraw([f.watcher], { account: f.stranger });
    expect((await f.client.getBalance({ address: f.watcher })) - before).toBe(BOND_WEI / 2n);
    expect(await f.client.getBalance({ address: f.disputes.address })).toBe(0n);
  });

  test("with weights off the optimum, and all else made of them, is refused", async () => {
    const parameters = made.model.parameters.map((x, k) => (k === 21 ? x + 0.01 : x));
    const model = registered({ ...made.model, rows: made.rows, accuracy: null, parameters });
    const posted = postedModel(model, made.contents, 11);
    await f.post(posted.statement);
    const [seen] = await watch({ model, rows: made.rows, leaves: null, mismatch: null });
    // Its G was made of other weights, but the loss's derivative comes first.
    expect(seen!.examined!.fault!.fault.kind).toBe("optimum");
    expect(seen!.sent!.what).toBe("challenge");
  });

  test("of a false map, with a G made of it, is not refuted: watch names the map, and attests nothing", async () => {
    const { contents, rows } = made;
    const { linear } = made.model.map;
    // Half of what an honest map has is left out, the rest is three times as much.
    const matrix = linear.matrix.map((x, i) => (i % 2 === 0 ? 3 * x : 0));
    const changed = { ...made.model, map: { ...made.model.map, linear: { ...linear, matrix } } };
    const features = (await classifierTraining.features(changed, rows, {})) as typeof made.model.features;
    const model = registered({ ...changed, features, rows, accuracy: null });
    expect(features.values).not.toEqual(made.model.features.values);
    const posted = postedModel(model, contents, 11);
    expect([...findFaults(posted, rows)]).toEqual([]);
    await f.post(posted.statement);
    const { rowsRoot, staticsHash } = posted.statement;
    const verified = verifyModel({ model, facts: { staticsHash, rowsRoot }, depth: "train" });
    const mismatch = await verified.then(
      () => null,
      (error: Error) => error.message,
    );
    const [seen] = await watch({ model, rows, leaves: null, mismatch });
    expect(seen).toMatchObject({ sent: null, examined: { fault: null, warnings: [mismatch] } });
    expect(mismatch).toMatch(/map/i);
  });
  test("with a row's digest plus r, which no text opens, hides nothing else, and is demanded", async () => {
    const asNumber = (k: number) => BigInt(`0x${Buffer.from(made.honest.leaves.rows[k]!).toString("hex")}`);
    const row = made.rows.findIndex((_, k) => asNumber(k) + FIELD_ORDER < 1n << 256n);
    const other = row === 3 ? 4 : 3;
    const alias = changed("rows", row, hexToBytes(hex32(asNumber(row) + FIELD_ORDER)));
    await f.post(lie(made, { ...alias, ...otherRow(other, rowOf(20)) }).posted.statement);
    const [seen] = await watch(lie(made, { ...alias, ...otherRow(other, rowOf(20)) }).files);
    expect(seen!.examined!.fault!.fault).toMatchObject({ kind: "entry", row: other });
    expect(seen!.sent!.what).toBe("challenge");
    const { files, posted } = lie(made, alias);
    await f.post(posted.statement);
    const [, demanded] = await watch(files);
    expect(demanded!.examined).toMatchObject({ fault: null, wanted: [{ tree: "rows", index: row }] });
    expect(demanded!.sent!.what).toBe("demand");
  });

  test("of unpublished leaves is demanded, and refused where nobody answers", async () => {
    const { posted } = lie(made, otherRow(3, rowOf(20)));
    const id = await f.post(posted.statement);
    const [seen] = await watch({ model: made.model, rows: made.rows, leaves: null, mismatch: null });
    expect(seen!.sent!.what).toBe("demand");
    const unpublished = { model: made.model, rows: made.rows, leaves: null, mismatch: null };
    // The last leaf of each tree that differs, once: facts, features, columns, points.
    for (const what of ["demand", "demand", "demand", undefined]) {
      const [again] = await watch(unpublished);
      expect([again!.sent?.what, again!.failure]).toEqual([what, null]);
    }
    await f.passTime(DAY + 1n);
    const [later] = await watch(unpublished);
    expect(later!.sent!.what).toBe("unanswered");
    expect((await readPostings(f.client as never, f.disputes.address))[0]).toMatchObject({
      ...{ id, state: "refuted", refutation: { fault: "Unanswered" } },
    });
    expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n + 10n ** 16n);
    // Fees of the other demands come back, too.
    for (let look = 0; look < 4; look++) await watch(unpublished);
    expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n + 4n * 10n ** 16n);
  });
});

describe("an honest posting", () => {
  test("is attested, counts after the window and not before, and gets its bond back", async () => {
    const id = await f.post(made.honest.statement);
    const [seen] = await watch({ model: made.model, rows: made.rows, leaves: null, mismatch: null });
    expect(seen!.sent!.what).toBe("attest");
    const [posting] = await readPostings(f.client as never, f.disputes.address);
    expect(posting).toMatchObject({ state: "open", attestedBy: [f.watcher], bondWei: BOND_WEI });
    await f.passTime(7n * DAY - 60n);
    expect(await f.disputes.read.counts([id])).toBe(false);
    await f.passTime(120n);
    expect(await f.disputes.read.counts([id])).toBe(true);
    await f.disputes.write.returnBond([id], { account: f.stranger });
    expect(await f.disputes.read.owedWei([f.owner])).toBe(BOND_WEI);
  });

  test("survives 1,000 random entries in integers, and a sample of all challenges on L1", async () => {
    const { leaves, statement } = made.honest;
    const random = new SeededRandom("challenges");
    const weights = readInt64s(leaves.weights[0]!, 129)!;
    for (let i = 0; i < 1000; i++) {
      const [row, column] = [random.nextBelow(48), random.nextBelow(statement.columnCount)];
      const counted = countRow(made.contents[row]!, 128);
      const { factor } = readFact(leaves.facts[row]!)!;
      const value = entryValue(counted, weights, readInt64s(leaves.map[column]!, 129)!, factor);
      const gap = value - BigInt(rowOf(row)[column]!) * ONE;
      expect(gap < 0n ? -gap : gap).toBeLessThanOrEqual(ONE / 2n + (1n << 20n));
    }
    expect([...findFaults(made.honest, made.rows)]).toEqual([]);
    const id = await f.post(statement);
    const kinds = ["tokens", "residual", "rowLength", "factor", "rowTooLong"] as const;
    const sample: Fault[] = [
      { kind: "lengths" },
      { kind: "optimum", bucket: 128 },
      ...Array.from({ length: 40 }, (_, i): Fault => {
        const row = random.nextBelow(48);
        if (i % 2 === 0) return { kind: "entry", row, column: random.nextBelow(20) };
        if (i % 3 === 0) return { kind: "optimum", bucket: random.nextBelow(128) };
        if (i % 5 === 0) return { kind: "input", row, bucket: random.nextBelow(128) };
        return { kind: kinds[i % kinds.length]!, row };
      }),
    ];
    for (const fault of sample) expect(await judged(id, fault)).toBe("DisputesNothingWrong");
  });
});

describe("what is not there", () => {
  test("opens nothing: other rows, other statements, other postings", async () => {
    const id = await f.post(made.honest.statement);
    const fault: Fault = { kind: "entry", row: 0, column: 0 };
    expect(await judged(id + 1n, fault)).toBe("DisputesUnknown");
    const other = { ...made.honest, statement: { ...made.honest.statement, clipLength: 1 } };
    expect(await judged(id, fault, other)).toBe("DisputesOtherStatement");
    const swapped = [made.rows[1]!, ...made.rows.slice(1)];
    expect(await judged(id, fault, made.honest, swapped)).toBe("DisputesOpeningInvalid");
    await f.passTime(7n * DAY);
    expect(await judged(id, fault)).toBe("DisputesOver");
  });

  test("is answered by its bytes, and then counts again", async () => {
    const id = await f.post(made.honest.statement);
    const map = TREES.indexOf("map");
    await f.disputes.write.demand([id, map, 3n], { account: f.watcher, value: 10n ** 16n });
    const [tuple, leaf] = [statementTuple(made.honest.statement), openingOf(made.honest, "map", 3)];
    await f.disputes.write.answer([id, tuple, map, 3n, leaf], { account: f.owner });
    expect(await f.disputes.read.owedWei([f.owner])).toBe(10n ** 16n);
    await f.passTime(8n * DAY);
    expect(await f.disputes.read.counts([id])).toBe(true);
  });

  test("is not answered by more bytes than a challenge has room for", async () => {
    const { posted } = lie(made, changed("map", 3, new Uint8Array(8 * 4_097 + 1)));
    const id = await f.post(posted.statement);
    const map = TREES.indexOf("map");
    await f.disputes.write.demand([id, map, 3n], { account: f.watcher, value: 10n ** 16n });
    const args = [id, statementTuple(posted.statement), map, 3n, openingOf(posted, "map", 3)] as const;
    const data = encodeFunctionData({ abi: disputesAbi, functionName: "answer", args });
    const answer = { account: f.owner, to: f.disputes.address, data };
    expect(await f.refusal(answer)).toBe("DisputesOpeningInvalid");
  });
});

/** The name of the error that a challenge reverts with. */
async function judged(id: bigint, fault: Fault, posted = made.honest, rows = made.rows): Promise<string> {
  const data = challengeData(id, posted, rows, fault);
  return (await f.refusal({ account: f.watcher, to: f.disputes.address, data })) ?? "accepted";
}
