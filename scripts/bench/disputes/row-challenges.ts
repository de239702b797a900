/** Challenges of logistic models: gas from receipts on a local chain, the time to recompute one, random challenges. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { challengeData } from "@openledger/challenger/internal/postings/dispute-calls";
import {
  BOND_WEI,
  type DisputeFixture,
  lie,
  startDisputes,
  type TrainedCase,
  trainedCase,
} from "@openledger/challenger/internal/postings/testing/dispute-fixture";
import { type Fault, findFaults } from "@openledger/challenger/internal/statements/find-faults";
import { postedModel } from "@openledger/challenger/internal/statements/posted-model";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";

const BUCKET_COUNT = 1_024;
const COLUMN_COUNT = 64;

export const rowChallenges: DisputesPart = { name: "rows", measure };

async function measure({ challenges, rows }: DisputesBenchOptions) {
  const made = await trainedCase(rows, {
    inputs: { kind: "email", bucketCount: BUCKET_COUNT },
    model: { kind: "logistic", decay: 0.001, tolerance: 1e-7 },
    method: { kind: "influence", damping: 0.01, featureCount: COLUMN_COUNT },
    rules: { normQuantile: 0.99, nearDuplicatesShare: true },
    columnCount: COLUMN_COUNT,
  });
  const recompute = measureRecompute(made);
  const f = await startDisputes({ mostRows: rows });
  try {
    const order = made.contents
      .map((_, k) => k)
      .sort((a, b) => made.contents[a]!.length - made.contents[b]!.length);
    const at = (part: number) => order[Math.floor(part * (order.length - 1))]!;
    const places = { short: at(0.1), median: at(0.5), long: at(0.9), longest: at(1) };
    const entryGas: Record<string, number> = {};
    for (const [name, row] of Object.entries(places)) {
      entryGas[name] = await entryChallengeGas(f, made, row);
      console.log(
        `an entry of a row of ${made.contents[row]!.length} bytes (${name}): ${entryGas[name]!.toLocaleString("en")} gas`,
      );
    }
    const others = await otherGas(f, made, places.median);
    for (const [name, gas] of Object.entries(others)) console.log(`${name}: ${gas.toLocaleString("en")} gas`);
    const survived = await surviveChallenges(f, made, challenges);
    const { short, median, long, longest } = entryGas;
    return {
      fields: { entryGas: { short, median, long }, recomputeSeconds: recompute },
      besides: {
        longestEntryGas: longest,
        rowBytes: Object.fromEntries(
          Object.entries(places).map(([name, row]) => [name, made.contents[row]!.length]),
        ),
        otherGas: others,
        constantsGas: Number(f.storedGas),
        survived,
        rows,
        bucketCount: BUCKET_COUNT,
        columnCount: COLUMN_COUNT,
      },
    };
  } finally {
    await f.stop();
  }
}

function measureRecompute({ contents, honest, model, rows }: TrainedCase): number {
  const startedAtMs = performance.now();
  postedModel(model, contents, 11);
  const builtAtMs = performance.now();
  const faults = [...findFaults(honest, rows)];
  const checkedAtMs = performance.now();
  console.log(
    `${contents.length} rows: posting made in ${seconds(builtAtMs - startedAtMs)} s, every place checked in ${seconds(checkedAtMs - builtAtMs)} s, ${faults.length} wrong`,
  );
  return seconds(checkedAtMs - startedAtMs);
}

const seconds = (ms: number) => Math.round(ms / 10) / 100;

/** One entry of the row changed, posted and challenged. */
async function entryChallengeGas(f: DisputeFixture, made: TrainedCase, row: number): Promise<number> {
  const features = made.honest.leaves.features.map((leaf, k) =>
    k === row ? leaf.map((entry, j) => (j === 0 ? (entry + 2) & 0xff : entry)) : leaf,
  );
  const { posted } = lie(made, { features });
  const id = await f.post(posted.statement);
  return send(f, challengeData(id, posted, made.rows, { kind: "entry", row, column: 0 }));
}

/** Posts what is false, and challenges it. @returns gas of the challenge */
const challenger =
  (f: DisputeFixture, made: TrainedCase) =>
  async (
    leaves: Parameters<typeof lie>[1],
    fault: Parameters<typeof challengeData>[3],
    numbers: Parameters<typeof lie>[2] = {},
  ): Promise<number> => {
    const { posted } = lie(made, leaves, numbers);
    return send(f, challengeData(await f.post(posted.statement), posted, made.rows, fault));
  };

async function otherGas(f: DisputeFixture, made: TrainedCase, row: number) {
  const { facts, inputs, tokens } = made.honest.leaves;
  const post = await f.client.estimateContractGas({
    address: f.disputes.address,
    abi: f.disputes.abi,
    functionName: "post",
    args: (await f.postArguments(made.honest.statement)) as never,
    account: f.owner,
    value: BOND_WEI,
  });
  const challenge = challenger(f, made);
  const fullest = inputs.reduce((best, leaf, k) => (leaf.length > inputs[best]!.length ? k : best), 0);
  const wrongFacts = facts.map((fact) => {
    const changed = fact.slice();
    new DataView(changed.buffer).setBigInt64(16, 1n << 40n);
    return changed;
  });
  const longFacts = facts.map((fact, k) => {
    const changed = fact.slice();
    if (k === row) new DataView(changed.buffer).setUint32(24, 2_000_000);
    return changed;
  });
  const emptyTokens = tokens.map((list, k) => (k === row ? new Uint8Array() : list));
  const freeFacts = facts.map((fact, k) => {
    const changed = fact.slice();
    if (k === row) new DataView(changed.buffer).setBigUint64(0, 1n << 50n);
    return changed;
  });
  const bucket = new DataView(tokens[row]!.buffer).getUint16(0);
  return {
    post: Number(post),
    tokens: await challenge({ tokens: emptyTokens }, { kind: "tokens", row }),
    residual: await challenge({ facts: wrongFacts }, { kind: "residual", row }),
    lengths: await challenge({ facts: longFacts }, { kind: "lengths" }),
    factor: await challenge({ facts: freeFacts }, { kind: "factor", row }),
    input: await challenge(
      { inputs: inputs.map((leaf, k) => (k === bucket ? new Uint8Array() : leaf)) },
      { kind: "input", row, bucket },
    ),
    optimum: await challenge({ facts: wrongFacts }, { kind: "optimum", bucket: fullest }),
    rowLength: await challenge({ facts: longFacts }, { kind: "rowLength", row }),
    ...(await ruleGas(made, challenge)),
    ...(await tieGas(f, made, row)),
  };
}

/** Of the clip, and of two texts that are no near-duplicates: the median row's and the one before it by length. */
async function ruleGas({ contents, honest }: TrainedCase, challenge: ReturnType<typeof challenger>) {
  const { facts } = honest.leaves;
  const order = contents.map((_, k) => k).sort((a, b) => contents[a]!.length - contents[b]!.length);
  const middle = order.length >> 1;
  const [other, row] = [order[middle]!, order[middle + 1]!].sort((a, b) => a - b) as [number, number];
  const led = facts.map((fact, k) => {
    const changed = fact.slice();
    if (k === row) new DataView(changed.buffer).setUint32(28, other);
    return changed;
  });
  return {
    clip: await challenge({}, { kind: "clip" }, { clipLength: 1_000_000 }),
    duplicate: await challenge({ facts: led }, { kind: "duplicate", row, other }),
  };
}

/** Of what ties the posting to the ledger. */
async function tieGas(f: DisputeFixture, made: TrainedCase, row: number) {
  const { columns, points, rows } = made.honest.leaves;
  const swapped = (leaves: readonly Uint8Array[], at: number) =>
    leaves.map((leaf, k) => (k === at ? leaves[(at + 1) % leaves.length]! : leaf));
  const challenge = challenger(f, made);
  const differs = columns[0]!.findIndex((entry, k) => entry !== columns[1]![k]);
  return {
    cell: await challenge({ columns: swapped(columns, 0) }, { kind: "cell", row: differs, column: 0 }),
    point: await challenge({ points: swapped(points, 0) }, { kind: "point", column: 0 }),
    statics: await challenge({}, { kind: "statics" }, { decay: 1n }),
    versionRow: await challenge({ rows: swapped(rows, row) }, { kind: "versionRow", row }),
  };
}

/** Random challenges of an honest posting, each as a call. @throws where one of them is accepted */
async function surviveChallenges(f: DisputeFixture, made: TrainedCase, count: number): Promise<number> {
  const random = new SeededRandom("random challenges");
  const { bucketCount, columnCount, rowCount } = made.honest.statement;
  const id = await f.post(made.honest.statement);
  const refusals = new Map<string, number>();
  for (let done = 0; done < count; done++) {
    const [row, column] = [random.nextBelow(rowCount), random.nextBelow(columnCount)];
    const bucket = random.nextBelow(bucketCount);
    const faults: readonly Fault[] = [
      ...[{ kind: "entry", row, column } as const, { kind: "cell", row, column } as const],
      ...(["tokens", "residual", "rowLength", "factor", "versionRow"] as const).map((kind) => ({
        kind,
        row,
      })),
      ...[{ kind: "input", row, bucket } as const, { kind: "optimum", bucket } as const],
      ...[{ kind: "point", column } as const, { kind: "lengths" } as const, { kind: "statics" } as const],
      { kind: "clip" } as const,
    ];
    const fault = faults[random.nextBelow(faults.length)]!;
    const data = challengeData(id, made.honest, made.rows, fault);
    const refusal = await f.refusal({ account: f.watcher, to: f.disputes.address, data });
    if (refusal !== "DisputesNothingWrong")
      throw new Error(`an honest posting is refuted by ${JSON.stringify(fault)}: ${refusal}`);
    refusals.set(fault.kind, (refusals.get(fault.kind) ?? 0) + 1);
    if ((done + 1) % 100 === 0) console.log(`${done + 1} of ${count} random challenges refused`);
  }
  console.log([...refusals].map(([kind, times]) => `${kind} ${times}`).join(", "));
  return count;
}

async function send(f: DisputeFixture, data: `0x${string}`): Promise<number> {
  const hash = await f.client.sendTransaction({ account: f.watcher, to: f.disputes.address, data });
  return Number((await f.client.getTransactionReceipt({ hash })).gasUsed);
}
