/** Lines and JSON of verbatim spans, for `openledger spans` and `models ask`. Offsets are in bytes of UTF-8. */

import { readFile } from "node:fs/promises";
import { rowNumber } from "@openledger/foundation/row-number";
import type { CheckedSpan } from "@openledger/models/serving/spans/check-spans";
import { commandError } from "../../cli/cli-errors.ts";
import { renderTable } from "../../cli/output.ts";

/** Characters of a span. */
const EXCERPT_LENGTH = 60;

/** The answer that --text or --file names, as UTF-8. @throws CMD_USAGE */
export async function readAnswer({ file, text }: { file?: string; text?: string }): Promise<Uint8Array> {
  if ((file === undefined) === (text === undefined))
    throw commandError("CMD_USAGE", "give the answer with --text or with --file");
  if (text !== undefined) return new TextEncoder().encode(text);
  try {
    return await readFile(file!);
  } catch (cause) {
    throw commandError("CMD_USAGE", `cannot read ${file}`, { cause });
  }
}

export function spanLines(answer: Uint8Array, spans: readonly CheckedSpan[]): string[] {
  return [
    `${spans.length} parts of the text occur word for word in the version`,
    ...renderTable(
      spans.flatMap(({ count, end, sources, start }) => [
        [`  ${count} ×`, JSON.stringify(excerpt(textOf(answer, start, end)))],
        ...sources.map((source) => ["", sourceLine(source)]),
      ]),
    ),
  ];
}

const sourceLine = ({ contributorId, offset, row, validatorId }: CheckedSpan["sources"][number]) =>
  `  row ${rowNumber(row)} from byte ${offset}, of leaf ${contributorId}, vouched for by leaf ${validatorId}`;

export const spanViews = (answer: Uint8Array, spans: readonly CheckedSpan[]): object[] =>
  spans.map((span) => ({ ...span, text: textOf(answer, span.start, span.end) }));

const textOf = (answer: Uint8Array, start: number, end: number) =>
  new TextDecoder().decode(answer.subarray(start, end));

function excerpt(text: string): string {
  const letters = [...text];
  return letters.length <= EXCERPT_LENGTH ? text : `${letters.slice(0, EXCERPT_LENGTH - 1).join("")}…`;
}
