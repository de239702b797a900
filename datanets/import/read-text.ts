/** Reader of texts: the file, its lines or what is between empty lines is a row. fastText's lines begin with their labels. */
import { lineWithoutFeed } from "@openledger/foundation/utf8";
import type { Decisions, Reading } from "./decision.ts";
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { ImportBudget } from "./import-file.ts";
import { type FilePosition, type Refusal, refusalOf, unreadable } from "./refusal.ts";

/** Column of files that are texts, and of texts' parts. */
const TEXT_COLUMN = "text";
const LABEL_COLUMN = "label";

/** Part of a text file that is a row. */
type TextUnit = "whole" | "lines" | "paragraphs";

export interface TextFile {
  readonly text: string;
  readonly file: string;
  /** Unit that a person has named; null if only the file's ending says that it is a text. */
  readonly unit: TextUnit | null;
  /** True for one of many text files: each is a row, and nobody is asked. */
  readonly isOneOfMany: boolean;
}

/** Lines from which on a text may as well be a list of rows. */
const MIN_LIST_LINES = 3;
const BETWEEN: Readonly<Record<Exclude<TextUnit, "whole">, string>> = {
  lines: "\\r?\\n",
  paragraphs: "\\r?\\n(?:[ \\t]*\\r?\\n)+",
};

/** @throws DNT_FILE_UNREADABLE for old line ends, or over a limit */
export function readText(given: TextFile, budget: ImportBudget, decisions: Decisions): ReadFile {
  const { file, text } = given;
  if (given.unit !== "paragraphs") {
    const labelled = readFastText(text, file, budget, decisions);
    if (labelled !== null) return labelled;
  }
  const unit = given.unit ?? decideUnit(given, decisions);
  if (unit === "whole") return tableOf([textRecord({ file, line: 0 }, text)]);
  const records = partsOf(text, file, unit).map(({ line, part }) => textRecord({ file, line }, part));
  budget.takeRecords(file, records.length);
  return tableOf(records);
}

/** Decides what a row of a text is whose name does not say it. */
function decideUnit({ file, isOneOfMany, text }: TextFile, decisions: Decisions): TextUnit {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const filled = lines.filter((line) => line !== "");
  if (filled.length < 2) return "whole";
  const paragraphs: Reading = { name: "paragraphs", text: "a row for each paragraph, between empty lines" };
  const hasParagraphs = text.trim().split(new RegExp(BETWEEN.paragraphs)).length > 1;
  return decisions.decide({
    ...{ kind: "row-unit", file, column: null, cells: filled.length, seen: filled[0]! },
    readings: [
      { name: "whole", text: "the whole file is one row" },
      { name: "lines", text: "a row for each line" },
      ...(hasParagraphs ? [paragraphs] : []),
    ],
    isUnclear: filled.length >= MIN_LIST_LINES && !isOneOfMany,
  }) as TextUnit;
}

/** Parts of a text between the separators, each with the line that it begins on. @throws DNT_FILE_UNREADABLE */
function partsOf(text: string, file: string, unit: Exclude<TextUnit, "whole">) {
  const unfinished = lineWithoutFeed(text);
  if (unfinished !== null) throw unreadable({ file, line: unfinished }, "a line ends without a line feed");
  const parts: { readonly line: number; readonly part: string }[] = [];
  let line = 1;
  // Separators are parts, too, so that their lines are counted.
  for (const [i, part] of text.split(new RegExp(`(${BETWEEN[unit]})`)).entries()) {
    if (i % 2 === 0 && part.trim() !== "") parts.push({ line, part: part.replace(/[\r\n]+$/, "") });
    line += part.split("\n").length - 1;
  }
  return parts;
}

/** A label of fastText: https://fasttext.cc/docs/en/supervised-tutorial.html */
const FAST_TEXT_LABEL = /(^|\s)__label__(\S+)/g;

/**
 * Reads lines that begin with their labels, as fastText is trained on them; null if the lines are others. A line without a label is
 * refused.
 */
function readFastText(
  text: string,
  file: string,
  budget: ImportBudget,
  decisions: Decisions,
): ReadFile | null {
  // No other text is divided for it.
  if (!/^\s*__label__\S/m.test(text)) return null;
  const lines = partsOf(text, file, "lines");
  const without = lines.filter(({ part }) => !part.trimStart().startsWith("__label__"));
  if (2 * without.length > lines.length) return null;
  const [odd] = without;
  const name = decisions.decide({
    ...{ kind: "tool-records", file, column: null, isUnclear: false },
    cells: odd === undefined ? lines.length : without.length,
    seen: (odd ?? lines[0]!).part.trim(),
    readings: [
      {
        name: "tool",
        text:
          odd === undefined
            ? "a line of fastText, with its label"
            : "refused: other lines begin with a label of fastText",
      },
      { name: "plain", text: "a text like others" },
    ],
  });
  if (name === "plain") return null;
  budget.takeRecords(file, lines.length);
  const refused: Refusal[] = [];
  const records = lines.flatMap(({ line, part }): FileRecord[] => {
    const labels = [...part.matchAll(FAST_TEXT_LABEL)].map((found) => found[2]!);
    const position = { file, line };
    if (part.trimStart().startsWith("__label__")) {
      const own = part.replace(FAST_TEXT_LABEL, "$1").trim();
      return [
        {
          ...position,
          values: new Map<string, string | string[]>([
            [TEXT_COLUMN, own],
            [LABEL_COLUMN, labels],
          ]),
        },
      ];
    }
    refused.push(
      refusalOf(unreadable(position, "it begins with no __label__, as the file's other lines do"), position),
    );
    return [];
  });
  return { ...tableOf(records), refused };
}

const textRecord = (position: FilePosition, text: string): FileRecord => ({
  ...position,
  values: new Map([[TEXT_COLUMN, text]]),
});

/** A table of rows that all have the columns of the first. */
const tableOf = (records: readonly FileRecord[]): ReadFile => ({
  columns: [...(records[0]?.values.keys() ?? [])],
  records,
  refused: [],
  notices: [],
});
