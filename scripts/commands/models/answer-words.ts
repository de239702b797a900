/** What an answer says in words, whose rows it cites, and what of it occurs word for word in the version. */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import type { Output } from "../../cli/output.ts";
import { renderTable } from "../../cli/output.ts";
import { spanLines, spanView } from "../spans/span-lines.ts";

export interface AnswerWords {
  readonly lines: readonly string[];
  readonly json: object;
}

const EXCERPT_LENGTH = 70;

export interface WordsOptions {
  readonly serverUrl: string;
  readonly recipe: RecipeBase;
  /** Of an index that the customer has made or trusts; default: the server's. */
  readonly spansRoot?: string | undefined;
  readonly output: Pick<Output, "progress">;
}

/** @param answer that has been checked. @throws ATT_ANSWER_INVALID, ATT_SERVER_UNREACHABLE, MOD_SPANS_EVIDENCE_FALSE, ATT_SERVER_UNREACHABLE */
export async function answerWords(answer: UncheckedAnswer, options: WordsOptions): Promise<AnswerWords> {
  if (answer.label !== null) return { lines: [answer.label], json: {} };
  if (options.recipe.family !== "retrieval") {
    const text = (JSON.parse(answer.answer) as { text?: string }).text ?? answer.answer;
    return withSpans({ lines: [text], json: {} }, text, options);
  }
  const [{ parseCitations }, { fetchCitedRows }] = await Promise.all([
    import("@openledger/models/retrieval/citations"),
    import("@openledger/models/retrieval/citations"),
  ]);
  const rows = await fetchCitedRows(options.serverUrl, parseCitations(answer.answer));
  const lines = [
    `${rows.length} rows answer this; they alone are paid, if the payment is drawn`,
    ...renderTable(
      rows.map(({ contributorId, row, shareMillionths, text, validatorId }) => [
        `  row ${row}`,
        `${(shareMillionths / 10_000).toFixed(2)} %`,
        `leaf ${contributorId}`,
        `vouched for by leaf ${validatorId}`,
        text === null ? "(not published)" : excerpt(text),
      ]),
    ),
  ];
  const said = rows.flatMap(({ text }) => (text === null ? [] : [text])).join("\n");
  return withSpans({ lines, json: { citations: rows } }, said, options);
}

async function withSpans(
  { json, lines }: AnswerWords,
  text: string,
  { output, recipe, serverUrl, spansRoot }: WordsOptions,
): Promise<AnswerWords> {
  const { askSpans } = await import("@openledger/models/spans/check-citations");
  output.progress("asking for verbatim spans");
  const rowsRoot = recipe.datanet.rowsRoot.slice(2);
  const spans = text === "" ? null : await askSpans({ serverUrl, text, rowsRoot, root: spansRoot });
  if (spans === null) return { lines, json: { ...json, spans: null } };
  const whose =
    spansRoot === undefined
      ? `by the server's own index ${spans.root}: compare it with yours (datanet index), or give --spans-root`
      : "by the index that you named";
  return {
    lines: [
      ...lines,
      ...spanLines(new TextEncoder().encode(text), spans),
      `  ${whose}; spans are shown, not paid`,
    ],
    json: { ...json, spans: { root: spans.root, ...spanView(new TextEncoder().encode(text), spans) } },
  };
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH - 1)}…`;
}
