/** What disputes of direct models cost, what an honest owner's floats differ by, and what a liar could gain inside tolerances. */
import { sha256 } from "@noble/hashes/sha2.js";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { sampleRows } from "@openledger/attribution/testing/sample-rows";
import { directChallengeData } from "@openledger/challenger/internal/postings/direct-calls";
import { type DirectCase, directCase } from "@openledger/challenger/internal/postings/testing/direct-case";
import {
  type DisputeFixture,
  startDisputes,
} from "@openledger/challenger/internal/postings/testing/dispute-fixture";
import { entryBytes, numberBytes } from "@openledger/challenger/internal/statements/direct-arithmetic";
import { type DirectFault, findDirectFaults } from "@openledger/challenger/internal/statements/direct-faults";
import { directPosting, mapPlaces } from "@openledger/challenger/internal/statements/direct-posting";
import { int64Bytes, pairBytes } from "@openledger/challenger/internal/statements/leaf-bytes";
import { type Leaves, type PostedModel, withTrees } from "@openledger/challenger/statements/posted-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { directShape } from "@openledger/circuits/ledger/direct-query";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { measureMargins } from "./direct-margins.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";

const BUCKETS = 1_024;
/** The honest model of a short run. */
const [FEW_ROWS, FEW_BUCKETS] = [500, 64];
/** The largest posting: its gas is measured, too. */
const [MOST_ROWS, MOST_BUCKETS] = [2_048, 4_096];

export const directChallenges: DisputesPart = { name: "direct", measure };

async function measure({ challenges, rows }: DisputesBenchOptions) {
  await initPoseidon();
  const mostRows = Math.min(MOST_ROWS, 4 * rows);
  const f = await startDisputes({ mostRows });
  try {
    const gas: Record<string, Record<string, number>> = {};
    for (const [rowCount, bucketCount] of [
      [rows, BUCKETS],
      [mostRows, MOST_BUCKETS],
    ] as const) {
      const named = `${rowCount} rows, ${bucketCount} buckets`;
      gas[named] = await worstGas(f, sampleRows("email", rowCount), bucketCount);
      for (const [name, used] of Object.entries(gas[named]!))
        console.log(`${named}: ${name} ${used.toLocaleString("en")} gas`);
    }
    const made = await directCase(rows, {
      bucketCount: rows < FEW_ROWS ? FEW_BUCKETS : BUCKETS,
      decay: 0.001,
      rules: { normQuantile: 0.99, nearDuplicatesShare: true },
      onProgress: (text) => console.log(text),
    });
    const seconds = measureRecompute(made);
    console.log(`posting made in ${seconds.posting} s, checked in ${seconds.checking} s`);
    const margins = await measureMargins(made);
    console.log(margins);
    const survived = await surviveChallenges(f, made, challenges);
    return { fields: {}, besides: { direct: { gas, seconds, margins, survived } } };
  } finally {
    await f.stop();
  }
}

function measureRecompute({ contents, honest, model, rows }: DirectCase) {
  const startedAtMs = performance.now();
  directPosting(model, contents, 11);
  const builtAtMs = performance.now();
  const faults = [...findDirectFaults(honest, rows)];
  const checkedAtMs = performance.now();
  if (faults.length > 0) throw new Error(`an honest posting is wrong: ${JSON.stringify(faults.slice(0, 3))}`);
  const seconds = (ms: number) => Math.round(ms / 10) / 100;
  return { posting: seconds(builtAtMs - startedAtMs), checking: seconds(checkedAtMs - builtAtMs) };
}

/** Gas of every kind of challenge against a posting of which everything is wrong, and no byte 0 that could be another. */
async function worstGas(
  f: DisputeFixture,
  owned: readonly OwnedRow[],
  bucketCount: number,
): Promise<Record<string, number>> {
  const posted = junkPosting(owned, bucketCount);
  const id = await f.post(posted.statement);
  const order = owned.map((_, k) => k).sort((a, b) => owned[a]!.content.length - owned[b]!.content.length);
  const at = (part: number) => order[Math.floor(part * (order.length - 1))]!;
  const [row, bias] = [at(0.5), bucketCount];
  const fullest = posted.leaves.inputs.reduce(
    (best, leaf, k, all) => (leaf.length > all[best]!.length ? k : best),
    0,
  );
  const { ofGroups, ofPoints } = mapPlaces(bucketCount + 1);
  const faults: readonly [string, DirectFault][] = [
    ...(
      [
        ["short", 0.1],
        ["median", 0.5],
        ["long", 0.9],
        ["longest", 1],
      ] as const
    ).map(([name, part]): [string, DirectFault] => [
      `entry of a ${name} row (${owned[at(part)]!.content.length} bytes)`,
      { kind: "entry", row: at(part), column: 3 },
    ]),
    ["tokens", { kind: "tokens", row }],
    ["residual", { kind: "residual", row }],
    ["rowLength", { kind: "rowLength", row }],
    ["size", { kind: "size", row }],
    ["curvature", { kind: "curvature", a: fullest, b: fullest }],
    ["curvature of the bias", { kind: "curvature", a: fullest, b: bias }],
    ["inverse", { kind: "inverse", a: 1, b: 2 }],
    ["logit", { kind: "logit" }],
    ["peak", { kind: "peak" }],
    ["cell", { kind: "cell", row, column: 3 }],
    ["point", { kind: "point", column: 3 }],
    ["digest of points", { kind: "digest", step: 1 }],
    ["digest of a group", { kind: "digest", step: ofPoints }],
    ["digest of sums", { kind: "digest", step: ofPoints + ofGroups }],
    ["statics", { kind: "statics" }],
    ["lengths", { kind: "lengths" }],
    ["factor", { kind: "factor", row }],
    ["clip", { kind: "clip" }],
    ["optimum", { kind: "optimum", bucket: fullest }],
  ];
  const gas: Record<string, number> = {};
  for (const [name, fault] of faults) {
    const snapshot = await f.client.snapshot();
    const data = directChallengeData(id, posted, owned, fault);
    const hash = await f.client.sendTransaction({ account: f.watcher, to: f.disputes.address, data });
    gas[name] = Number((await f.client.getTransactionReceipt({ hash })).gasUsed);
    await f.client.revert({ id: snapshot });
  }
  return gas;
}

function junkPosting(owned: readonly OwnedRow[], bucketCount: number): PostedModel {
  const random = new SeededRandom("junk");
  const rowCount = owned.length;
  const width = bucketCount + 1;
  const { digestCount } = mapPlaces(width);
  const junk = (size: number) => Uint8Array.from({ length: size }, () => 1 + random.nextBelow(255));
  // Entries that a point can be of, and numbers below the field's order.
  const entries = (count: number) =>
    entryBytes(Int16Array.from({ length: count }, () => 1 - 2 * random.nextBelow(256)));
  const element = () => Uint8Array.from(junk(32), (byte, k) => (k === 0 ? byte & 15 : byte));
  // One row of numbers for all: what is hashed costs the same.
  const [numbers, features] = [junk(8 * width), entries(width)];
  const weights = Array.from({ length: width }, (_, a) => BigInt(2 * (a % 500) + 1) << 39n);
  const logit = Int16Array.from({ length: width }, (_, a) => (a % 500) + 1);
  const inputs = Array.from({ length: bucketCount }, (_, bucket) =>
    // Every row has the first bucket, as frequent words are in most.
    bucket > 0 ? junk(4 * 8).map((byte, k) => (k % 4 < 2 ? 0 : byte)) : pairsOfAll(rowCount),
  );
  const leaves: Leaves = {
    rows: sampleDigests(owned),
    tokens: owned.map(() => junk(4 * 100)),
    facts: owned.map((_, k) => {
      const fact = junk(32);
      new DataView(fact.buffer).setUint32(24, k === 0 ? 0xffffffff : 0x01010101);
      return fact;
    }),
    features: [...owned.map(() => features), entryBytes(logit)],
    map: [
      numberBytes({ unit: 1n << 40n, logitUnit: 1n << 40n, damping: 1n << 30n, peak: 5n }),
      entryBytes(new Int16Array(rowCount).fill(300)),
      ...new Array<Uint8Array>(2 * width).fill(numbers),
      ...Array.from({ length: digestCount }, element),
    ],
    inputs,
    weights: [int64Bytes(weights)],
    columns: Array.from({ length: width }, () => entries(rowCount + 1)),
    points: Array.from({ length: width }, () => Buffer.concat([element(), element()])),
  };
  return withTrees(leaves, {
    modelId: 11,
    staticsHash: 1n,
    rowsRoot: 2n,
    answering: 3n,
    ownersCommitment: 4n,
    earnerRoot: 5n,
    binding: packBinding({
      ...{ datanetId: 4n, version: 1n, rowCount: BigInt(rowCount), predecessorId: 0n, drawBits: 2n },
      featureCount: BigInt(directShape(bucketCount)),
    }),
    split: 15n,
    rowCount,
    bucketCount,
    columnCount: width,
    decay: 1n << 30n,
    clipLength: 0,
    clipQuantile: 1n << 40n,
    sharesDuplicates: false,
  });
}

const sampleDigests = (owned: readonly OwnedRow[]): Uint8Array[] =>
  owned.map(({ content }) => sha256(content));

function pairsOfAll(rowCount: number): Uint8Array {
  return pairBytes(Array.from({ length: rowCount }, (_, row) => [row, 1 + (row % 3)] as const));
}

/** Random challenges of an honest posting, each as a call. @throws where one of them is accepted */
async function surviveChallenges(f: DisputeFixture, made: DirectCase, count: number): Promise<number> {
  const random = new SeededRandom("random challenges");
  const { bucketCount, columnCount, rowCount } = made.honest.statement;
  const { digestCount } = mapPlaces(columnCount);
  const id = await f.post(made.honest.statement);
  const times = new Map<string, number>();
  for (let done = 0; done < count; done++) {
    const [row, a, b] = [rowCount, columnCount, columnCount].map((most) => random.nextBelow(most)) as [
      number,
      number,
      number,
    ];
    const faults: readonly DirectFault[] = [
      ...(["tokens", "residual", "rowLength", "size", "factor", "versionRow"] as const).map((kind) => ({
        kind,
        row,
      })),
      ...(["entry", "entry", "cell"] as const).map((kind) => ({ kind, row, column: a })),
      ...(["curvature", "inverse", "curvature", "inverse"] as const).map((kind) => ({ kind, a, b })),
      ...(["logit", "peak", "lengths", "clip", "statics"] as const).map((kind) => ({ kind })),
      { kind: "digest", step: random.nextBelow(digestCount) },
      { kind: "point", column: a },
      { kind: "optimum", bucket: a },
      { kind: "input", row, bucket: b % bucketCount },
    ];
    const fault = faults[random.nextBelow(faults.length)]!;
    const data = directChallengeData(id, made.honest, made.rows, fault);
    const refusal = await f.refusal({ account: f.watcher, to: f.disputes.address, data });
    if (refusal !== "DisputesNothingWrong")
      throw new Error(`an honest posting is refuted by ${JSON.stringify(fault)}: ${refusal}`);
    times.set(fault.kind, (times.get(fault.kind) ?? 0) + 1);
    if ((done + 1) % 100 === 0) console.log(`${done + 1} of ${count} random challenges refused`);
  }
  console.log([...times].map(([kind, count]) => `${kind} ${count}`).join(", "));
  return count;
}
