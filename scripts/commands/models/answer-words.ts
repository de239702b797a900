/**
 * Renders an answer for `openledger models ask`, as lines and as JSON: its text, the rows that it cites, and its verbatim spans in
 * the rows that the model's server publishes.
 */

import type { LabelShare, ModelFamily } from "@openledger/attribution/model/model-family";
import { type RecipeBase, versionsOf } from "@openledger/attribution/model/recipe-fields";
import type { NoRows, SpanStage } from "@openledger/attribution/spans/published-spans";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { counted } from "@openledger/foundation/counted";
import { rowNumber } from "@openledger/foundation/row-number";
import type { Output } from "../../cli/output.ts";
import { renderTable } from "../../cli/output.ts";
import { spanLines, spanViews } from "../spans/span-lines.ts";

export interface AnswerWords {
  readonly lines: readonly string[];
  readonly json: object;
}

/** Characters of a row or passage. */
const EXCERPT_LENGTH = 70;

export interface WordsOptions {
  readonly serverUrl: string;
  readonly recipe: RecipeBase;
  /** Families of models that can be read here. */
  readonly families: readonly ModelFamily[];
  readonly output: Pick<Output, "progress">;
  /** Labels of a direct model with their parts of 1, by the reader's own copy. */
  readonly labels?: readonly LabelShare[] | undefined;
}

/** Labels that are printed; the JSON has all. */
const SHOWN_LABELS = 5;

/**
 * @param answer that has been checked.
 * @throws ATT_ANSWER_INVALID, ATT_SERVER_UNREACHABLE, ATT_ROWS_MISMATCH, ATT_SPANS_TOO_LARGE
 */
export async function answerWords(answer: UncheckedAnswer, options: WordsOptions): Promise<AnswerWords> {
  if (answer.label !== null) return labelWords(answer.label, options.labels ?? []);
  const { text: words = answer.answer } = JSON.parse(answer.answer) as { text?: string };
  const { fetchRow, parseCited } = await import("@openledger/models/tuning/retrieval/citations");
  const cited = parseCited(answer.answer);
  if (cited === null) return withSpans({ lines: [words], json: {} }, words, options);
  const { citations, paidBy } = cited;
  const rows = await Promise.all(
    citations.map(async (one) => ({
      ...one,
      text: (await fetchRow(options.serverUrl, one.row, one.digest))?.text ?? null,
    })),
  );
  const questions = citations.flatMap(({ question }) => (question === undefined ? [] : [question]));
  const lines = [
    words,
    ...questions.map((question) => questionLine(question)),
    `${questions.length > 0 ? "said" : "written"} from ${counted(rows.length, "row")}; ${paidBy === "citation" ? (rows.length === 1 ? "it alone is paid" : "they alone are paid") : "this answer's payment goes by influence"}, if it is drawn`,
    ...renderTable(
      rows.map(({ contributorId, row, shareMillionths, text, validatorId }, k) => [
        `  [${k + 1}] row ${rowNumber(row)}`,
        `${(shareMillionths / 10_000).toFixed(2)} % of citations`,
        `leaf ${contributorId}`,
        `vouched for by leaf ${validatorId}`,
        text === null ? "(not published)" : excerpt(text),
      ]),
    ),
  ];
  return withSpans({ lines, json: { paidBy, citations: rows } }, words, options);
}

/** Line with the question of the row whose answer is said: it may be another than what was asked. */
export const questionLine = (question: string): string => `it answers the question: ${oneLine(question)}`;

function labelWords(label: string, labels: readonly LabelShare[]): AnswerWords {
  const shown = labels.slice(0, SHOWN_LABELS);
  const left = labels.length - shown.length;
  return {
    lines: [
      label,
      ...renderTable(shown.map((one) => [`  ${one.label}`, `${(100 * one.share).toFixed(1)} %`])),
      ...(left === 0 ? [] : [`  and ${left} more ${left === 1 ? "label" : "labels"}`]),
    ],
    json: { labels },
  };
}

async function withSpans(
  { json, lines }: AnswerWords,
  text: string,
  { families, output, recipe, serverUrl }: WordsOptions,
): Promise<AnswerWords> {
  if (text === "") return { lines, json: { ...json, spans: null } };
  const { fetchPublishedRows, findPublishedSpans } = await import(
    "@openledger/attribution/spans/published-spans"
  );
  const onProgress = (stage: SpanStage, share: number) =>
    output.progress(`${STAGES[stage]}${stage === "fetch" ? "" : `: ${Math.floor(100 * share)} %`}`);
  const roots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
  const rows = await fetchPublishedRows(serverUrl, families, roots, { onProgress });
  if (typeof rows === "string")
    return {
      lines: [...lines, `not searched for verbatim spans: ${WITHOUT_ROWS[rows]}`],
      json: { ...json, spans: null, withoutRows: rows },
    };
  const found = await findPublishedSpans(text, rows, { onProgress });
  return {
    lines: [
      ...lines,
      ...spanLines(text, found),
      `  searched ${found.searchedRowCount} of the model's ${counted(rows.rows.length, "published row")}; spans are shown, not paid`,
    ],
    json: { ...json, spans: spanViews(text, found) },
  };
}

const STAGES: Readonly<Record<SpanStage, string>> = {
  fetch: "fetching the model's rows",
  read: "reading the model's rows",
  search: "searching the model's rows",
  check: "comparing the rows with the ledger",
};

const WITHOUT_ROWS: Readonly<Record<NoRows, string>> = {
  "not published": "the model's rows are not published",
  withdrawn: "a row was withdrawn, and the server gives out the rows no more",
  "too large": "the rows are more than a search takes",
};

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

function excerpt(text: string): string {
  const line = oneLine(text);
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH - 1)}…`;
}
