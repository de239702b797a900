/** Lines and JSON of verbatim spans, for `openledger spans` and `models ask`. Offsets are in bytes of UTF-8. */

import { readFile } from "node:fs/promises";
import type { FoundSpans, OwnedSpan } from "@openledger/attribution/spans/verbatim-spans";
import { rowNumber } from "@openledger/foundation/row-number";
import { textOfBytes } from "@openledger/foundation/utf8";
import { commandError } from "../../cli/cli-errors.ts";
import { renderTable } from "../../cli/output.ts";

/** Characters of a span. */
const EXCERPT_LENGTH = 60;

/** The answer that --text or --file names. @throws CMD_USAGE */
export async function readAnswer({ file, text }: { file?: string; text?: string }): Promise<string> {
  if ((file === undefined) === (text === undefined))
    throw commandError("CMD_USAGE", "give the answer with --text or with --file");
  if (text !== undefined) return text;
  try {
    return textOfBytes(await readFile(file!));
  } catch (cause) {
    throw commandError("CMD_USAGE", `cannot read ${file} as UTF-8`, { cause });
  }
}

export function spanLines(answer: string, { omittedCount, spans }: FoundSpans<OwnedSpan>): string[] {
  const bytes = new TextEncoder().encode(answer);
  return [
    `${spans.length} parts of the text occur word for word in the rows${omittedCount === 0 ? "" : `, and ${omittedCount} shorter ones`}`,
    ...renderTable(
      spans.flatMap(({ end, rowCount, sources, start }) => [
        [`  ${rowCount} ×`, JSON.stringify(excerpt(textOf(bytes, start, end)))],
        ...sources.map((source) => ["", sourceLine(source)]),
      ]),
    ),
  ];
}

const sourceLine = ({ contributorId, offset, row, validatorId }: OwnedSpan["sources"][number]) =>
  `  row ${rowNumber(row)} from byte ${offset}, of leaf ${contributorId}, vouched for by leaf ${validatorId}`;

export function spanViews(answer: string, { spans }: FoundSpans<OwnedSpan>): object[] {
  const bytes = new TextEncoder().encode(answer);
  return spans.map((span) => ({ ...span, text: textOf(bytes, span.start, span.end) }));
}

const textOf = (answer: Uint8Array, start: number, end: number) =>
  new TextDecoder().decode(answer.subarray(start, end));

function excerpt(text: string): string {
  const letters = [...text];
  return letters.length <= EXCERPT_LENGTH ? text : `${letters.slice(0, EXCERPT_LENGTH - 1).join("")}…`;
}
