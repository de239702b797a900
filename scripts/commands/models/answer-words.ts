/**
 * Renders an answer for `openledger models ask`, as lines and as JSON: its text, the rows that it cites, and the passages that occur word for word in
 * the version.
 */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
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
  readonly output: Pick<Output, "progress">;
}

/**
 * @param answer that has been checked.
 * @throws ATT_ANSWER_INVALID, ATT_SERVER_UNREACHABLE, MOD_SPANS_EVIDENCE_FALSE, MOD_SOURCE_UNREADABLE
 */
export async function answerWords(answer: UncheckedAnswer, options: WordsOptions): Promise<AnswerWords> {
  if (answer.label !== null) return { lines: [answer.label], json: {} };
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
  const lines = [
    words,
    `written from ${rows.length} rows; ${paidBy === "citation" ? "they alone are paid" : "this answer's payment goes by influence"}, if it is drawn`,
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

async function withSpans(
  { json, lines }: AnswerWords,
  text: string,
  { output, recipe, serverUrl }: WordsOptions,
): Promise<AnswerWords> {
  const { askSpans } = await import("@openledger/models/serving/spans/check-spans");
  output.progress("asking for verbatim spans");
  const rowsRoot = recipe.datanet.rowsRoot.slice(2);
  const spans = text === "" ? null : await askSpans({ serverUrl, text, rowsRoot });
  if (spans === null) return { lines, json: { ...json, spans: null } };
  const bytes = new TextEncoder().encode(text);
  return {
    lines: [
      ...lines,
      ...spanLines(bytes, spans),
      "  checked against the rows of the version; counts are the server's; spans are shown, not paid",
    ],
    json: { ...json, spans: spanViews(bytes, spans) },
  };
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH - 1)}…`;
}
