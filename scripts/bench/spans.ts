/** Suffix arrays, spans and their evidence, on text that npm has installed: READMEs and type declarations. */
import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { checkCitations } from "@openledger/models/spans/check-citations";
import { citeSpans, findSpans } from "@openledger/models/spans/cite-spans";
import { evidenceToJson, type Openings, type SpanEvidence } from "@openledger/models/spans/evidence";
import { buildSpanIndex, type DocumentInput, type SpanIndex } from "@openledger/models/spans/span-index";
import { buildSuffixArray, type SuffixEngine, suffixEngine } from "@openledger/models/spans/suffix-engine";

export interface SpansBenchOptions {
  /** Megabytes of text at most. */
  megabytes: number;
  rounds: number;
}

const ANSWER_BYTES = 1_024;
const ANSWER_COUNT = 40;

export async function benchSpans({ megabytes, rounds }: SpansBenchOptions) {
  const documents = readDocuments(megabytes * 1e6);
  const text = Buffer.concat(documents.flatMap((document) => [document.text, Buffer.of(0xff)]));
  console.log(`${documents.length} documents, ${(text.length / 1e6).toFixed(1)} MB`);
  const engines: SuffixEngine[] =
    suffixEngine("auto") === "native" ? ["native", "typescript"] : ["typescript"];
  const engineFigures = [];
  for (const engine of engines) {
    // The slow engine takes most of the time: once is enough.
    for (let round = 0; round < (engine === "native" ? rounds : 1); round++) {
      const figures = await measureSort(text, engine);
      console.log(
        `sorted by ${engine}: ${figures.mbPerSecond.toFixed(2)} MB/s, ${figures.mbPerProcessorSecond.toFixed(2)} by processor time`,
      );
      engineFigures.push({ engine, ...figures });
    }
  }
  const best = engineFigures
    .filter(({ engine }) => engine === engines[0])
    .reduce((a, b) => (a.mbPerSecond > b.mbPerSecond ? a : b));
  const startedAtMs = performance.now();
  const index = await buildSpanIndex(documents, { rowsRoot: "00".repeat(32), rowText: "plain" });
  const indexMs = performance.now() - startedAtMs;
  console.log(`whole index with its trees: ${(indexMs / 1000).toFixed(1)} s`);
  const cited = measureAnswers(index, citedAnswers(documents));
  print("answers put together from the text", cited);
  const foreign = measureAnswers(index, foreignAnswers());
  print("answers of other text", foreign);
  return {
    spans: {
      mbPerSecond: round(best.mbPerSecond),
      answerMs: round(cited.findMs),
      openingBytes: Math.round(cited.spanBytes),
    },
    textBytes: text.length,
    engines: engineFigures.map(({ engine, mbPerProcessorSecond, mbPerSecond }) => ({
      engine,
      mbPerSecond: round(mbPerSecond),
      mbPerProcessorSecond: round(mbPerProcessorSecond),
    })),
    indexMs: Math.round(indexMs),
    answers: { cited, foreign },
  };
}

async function measureSort(text: Uint8Array, engine: SuffixEngine) {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await buildSuffixArray(text, engine);
  const { system, user } = process.cpuUsage(before);
  const wallMs = performance.now() - startedAtMs;
  return {
    mbPerSecond: text.length / wallMs / 1e3,
    mbPerProcessorSecond: text.length / (user + system),
  };
}

interface AnswerFigures {
  /** Of the middle answer and of the slowest: of 1,024 bytes. */
  readonly findMs: number;
  readonly slowestFindMs: number;
  readonly citeMs: number;
  readonly checkMs: number;
  readonly spanCount: number;
  /** Of an answer's openings divided by its spans, on average: leaves and hashes. */
  readonly spanBytes: number;
  readonly jsonBytes: number;
  /** The same with what shows that no span was left out. */
  readonly completeJsonBytes: number;
  readonly completeCheckMs: number;
}

function measureAnswers(index: SpanIndex, answers: readonly Uint8Array[]): AnswerFigures {
  const rows = answers.map((answer) => {
    const findStart = performance.now();
    const spans = findSpans(index, answer);
    const citeStart = performance.now();
    const evidence = citeSpans(index, answer, spans, { maxSources: 1, isComplete: false });
    const checkStart = performance.now();
    checkCitations(index.root, answer, evidence);
    const checkEnd = performance.now();
    const complete = citeSpans(index, answer, spans, { maxSources: 1, isComplete: true });
    const completeStart = performance.now();
    checkCitations(index.root, answer, complete);
    return {
      findMs: citeStart - findStart,
      citeMs: checkStart - citeStart,
      checkMs: checkEnd - checkStart,
      spanCount: spans.length,
      openingBytes: openingBytes(evidence.openings),
      jsonBytes: jsonBytes(evidence),
      completeJsonBytes: jsonBytes(complete),
      completeCheckMs: performance.now() - completeStart,
    };
  });
  const sum = (name: keyof (typeof rows)[0]) => rows.reduce((total, row) => total + row[name], 0);
  const middle = (name: keyof (typeof rows)[0]) =>
    rows.map((row) => row[name]).sort((a, b) => a - b)[rows.length >> 1]!;
  return {
    findMs: middle("findMs"),
    slowestFindMs: Math.max(...rows.map(({ findMs }) => findMs)),
    citeMs: middle("citeMs"),
    checkMs: middle("checkMs"),
    spanCount: sum("spanCount") / rows.length,
    spanBytes: sum("openingBytes") / Math.max(1, sum("spanCount")),
    jsonBytes: middle("jsonBytes"),
    completeJsonBytes: middle("completeJsonBytes"),
    completeCheckMs: middle("completeCheckMs"),
  };
}

function print(title: string, figures: AnswerFigures): void {
  console.log(
    `${title}: ${figures.spanCount.toFixed(1)} spans a kilobyte, found in ${figures.findMs.toFixed(2)} ms (slowest ${figures.slowestFindMs.toFixed(1)}), ` +
      `cited in ${figures.citeMs.toFixed(2)} ms, checked in ${figures.checkMs.toFixed(1)} ms`,
  );
  console.log(
    `  openings: ${figures.spanBytes.toFixed(0)} bytes a span; JSON ${figures.jsonBytes} bytes an answer, ` +
      `${figures.completeJsonBytes} with no span left out (checked in ${figures.completeCheckMs.toFixed(0)} ms)`,
  );
}

const jsonBytes = (evidence: SpanEvidence) => JSON.stringify(evidenceToJson(evidence)).length;

function openingBytes(openings: Openings): number {
  return Object.values(openings as unknown as Record<string, Openings["text"]>).reduce(
    (sum, { indices, leaves, siblings }) =>
      sum +
      4 * indices.length +
      leaves.reduce((bytes, leaf) => bytes + leaf.length, 0) +
      siblings.length * 32,
    0,
  );
}

/** In the order of their paths, so that the same packages make the same text. */
function readDocuments(maxBytes: number): DocumentInput[] {
  const root = join(repositoryRoot, "node_modules");
  const paths = (readdirSync(root, { recursive: true, encoding: "utf8" }) as string[])
    .filter((path) => path.endsWith(".d.ts") || path.endsWith("README.md"))
    .sort();
  const documents: DocumentInput[] = [];
  let bytes = 0;
  for (const path of paths) {
    let text: Buffer;
    try {
      text = readFileSync(join(root, path));
      new TextDecoder("utf-8", { fatal: true }).decode(text);
    } catch {
      continue;
    }
    if (text.length === 0 || bytes + text.length >= maxBytes) continue;
    bytes += text.length + 1;
    documents.push({ text, contributorId: 1, validatorId: 2, digest: hash("sha256", text) });
  }
  return documents;
}

/** Pieces of 40 to 200 bytes from all over the text, each with some words of its own between. */
function citedAnswers(documents: readonly DocumentInput[]): Uint8Array[] {
  const random = numbers(1);
  return Array.from({ length: ANSWER_COUNT }, (_, i) => {
    let answer = "";
    while (answer.length < ANSWER_BYTES) {
      const { text } = documents[random() % documents.length]!;
      const from = random() % text.length;
      const piece = Buffer.from(text.subarray(from, from + 40 + (random() % 160))).toString("utf8");
      answer += `${piece} (see ${i} and ${random() % 1_000_000}) `;
    }
    return new TextEncoder().encode(answer.replaceAll("\ufffd", "?")).subarray(0, ANSWER_BYTES);
  }).map(wholeText);
}

/** Prose that no package has: the licence of this project apart, its words are those of docs/. */
function foreignAnswers(): Uint8Array[] {
  const folder = join(repositoryRoot, "docs");
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
  const text = Buffer.concat(pages.sort().map((name) => readFileSync(join(folder, name))));
  const random = numbers(2);
  return Array.from({ length: ANSWER_COUNT }, () => {
    const from = random() % (text.length - ANSWER_BYTES);
    return wholeText(text.subarray(from, from + ANSWER_BYTES));
  });
}

/** Without halves of characters at its ends. */
function wholeText(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(bytes).replaceAll("\ufffd", ""));
}

/** The same numbers each time (Knuth's MMIX generator, upper half). */
function numbers(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 33n);
  };
}

const round = (value: number) => Math.round(value * 100) / 100;
