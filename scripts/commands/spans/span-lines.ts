import { readFile } from "node:fs/promises";
import type { CheckedAnswer } from "@openledger/models/spans/check-citations";
import type { PresentSource, PresentSpan } from "@openledger/models/spans/row-evidence";
import { commandError } from "../../cli/cli-errors.ts";
import { renderTable } from "../../cli/output.ts";

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

export function spanLines(answer: Uint8Array, { isComplete, spans }: CheckedAnswer): string[] {
  return [
    `${spans.length} parts of the text occur word for word in the version${isComplete ? "; there is no other" : ""}`,
    ...renderTable(
      spans.flatMap(({ count, end, sources, start }) => [
        [`  ${count} ×`, JSON.stringify(excerpt(textOf(answer, start, end)))],
        ...sources.map((source) => ["", sourceLine(source)]),
      ]),
    ),
  ];
}

/** What follows from the version's root alone. */
export const presentLines = (answer: Uint8Array, spans: readonly PresentSpan[]): string[] => [
  `${spans.length} parts of the text occur word for word in rows of the version; counts need --root of the index`,
  ...renderTable(
    spans.flatMap(({ end, sources, start }) => [
      ["", JSON.stringify(excerpt(textOf(answer, start, end)))],
      ...sources.map((source) => ["", sourceLine(source)]),
    ]),
  ),
];

type ShownSource = Pick<PresentSource, "contributorId" | "document" | "offset" | "validatorId">;

const sourceLine = ({ contributorId, document, offset, validatorId }: ShownSource) =>
  `  row ${document} from byte ${offset}, of leaf ${contributorId}, vouched for by leaf ${validatorId}`;

export function spanView(answer: Uint8Array, { isComplete, spans }: CheckedAnswer): object {
  return {
    isComplete,
    spans: spans.map(({ count, end, sources, start }) => ({
      start,
      end,
      text: textOf(answer, start, end),
      count,
      sources: sources.map(({ contributorId, digest, document, offset, validatorId }) => ({
        row: document,
        digest,
        offset,
        contributorId,
        validatorId,
      })),
    })),
  };
}

export const textOf = (answer: Uint8Array, start: number, end: number) =>
  new TextDecoder().decode(answer.subarray(start, end));

function excerpt(text: string): string {
  const letters = [...text];
  return letters.length <= EXCERPT_LENGTH ? text : `${letters.slice(0, EXCERPT_LENGTH - 1).join("")}…`;
}
