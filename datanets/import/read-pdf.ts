/** Reader of PDF: passages by headings and paragraphs, in the order of reading that positions show. */
import type { Decisions } from "./decision.ts";
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget, ImportFile } from "./import-file.ts";
import { pageHeads } from "./page-heads.ts";
import { orderLines, type PageText } from "./page-layout.ts";
import { type Block, passagesOf } from "./passages.ts";
import { unreadable } from "./refusal.ts";

/** Factor of the usual size of letters from which on a short line is a heading. */
const HEADING_SIZE = 1.15;
const MAX_HEADING_CHARACTERS = 200;
/** Factor of a line's height: more space between two lines separates paragraphs. */
const PARAGRAPH_GAP = 1.7;

/** Degrees by which a line may slant and still be one of the page's. */
const SLANT = 20;

/** @throws DNT_FILE_UNREADABLE, also for pages without text */
export async function readPdf(
  { content, name }: ImportFile,
  budget: ImportBudget,
  decisions: Decisions,
): Promise<ReadFile> {
  const pages = await readPages(content, name, budget);
  const all = pages.map((texts, i) => texts.flatMap(orderLines).map((line) => ({ ...line, page: i + 1 })));
  if (all.every(({ length }) => length === 0))
    throw unreadable({ file: name, line: 0 }, "it has no text: its pages are pictures, perhaps scanned");
  const usual = usualHeight(all.flat());
  const isHeading = ({ height, text }: PageText) =>
    height > HEADING_SIZE * usual && text.length <= MAX_HEADING_CHARACTERS;
  const heads = takenHeads(all, isHeading, name, decisions);
  const blocks: { kind: Block["kind"]; text: string; page: number }[] = [];
  let joinedCount = 0;
  let last: (PageText & { readonly page: number }) | null = null;
  for (const line of all.flat()) {
    if (heads.has(line)) continue;
    const kind = isHeading(line) ? "heading" : "paragraph";
    const block = blocks.at(-1);
    const gap = last === null ? 0 : last.y - line.y;
    const isNear =
      last?.page === line.page && gap >= 0 && gap <= PARAGRAPH_GAP * Math.max(line.height, last.height);
    // A column or page may end within a sentence.
    const goesOn =
      isNear || (block !== undefined && !/[.!?:;”"]$/.test(block.text) && /^\p{Ll}/u.test(line.text));
    if (block === undefined || block.kind !== kind || !goesOn)
      blocks.push({ kind, text: line.text, page: line.page });
    else if (/\p{L}-$/u.test(block.text) && /^\p{Ll}/u.test(line.text)) {
      block.text = block.text.slice(0, -1) + line.text;
      joinedCount++;
    } else block.text = `${block.text} ${line.text}`;
    last = line;
  }
  const notices = [`${name}: the order of its text follows from positions: look through the first rows`];
  if (joinedCount > 0)
    notices.push(`${name}: ${joinedCount} words with a hyphen at the end of a line were joined`);
  return passagesOf(blocks, name, notices);
}

/** Finds running heads and page numbers, and asks where they may be something else. */
function takenHeads<Line extends PageText>(
  pages: readonly (readonly Line[])[],
  isHeading: (line: Line) => boolean,
  file: string,
  decisions: Decisions,
): ReadonlySet<Line> {
  const { isUnclear, lines } = pageHeads(pages, isHeading);
  const [first] = lines;
  if (first === undefined) return lines;
  const name = decisions.decide({
    ...{ kind: "paragraph-heads", file, column: null, cells: lines.size, seen: first.text, isUnclear },
    readings: [
      {
        name: "left-out",
        text: "a running head or page number, left out: it recurs at one height of the pages",
      },
      { name: "text", text: "a part of the text" },
    ],
  });
  return name === "text" ? new Set() : lines;
}

/** Reads each page's texts, by their directions of writing: that of most letters first, each turned upright. */
async function readPages(content: Uint8Array, file: string, budget: ImportBudget): Promise<PageText[][][]> {
  const { getDocumentProxy } = await import("unpdf");
  try {
    // The library takes the bytes away from its caller.
    const document = await getDocumentProxy(new Uint8Array(content));
    budget.takeRecords(file, document.numPages);
    const pages: PageText[][][] = [];
    for (let number = 1; number <= document.numPages; number++) {
      budget.takeRecords(file, 0);
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const byAngle = new Map<number, PageText[]>();
      for (const item of items) {
        if (!("str" in item) || item.str.trim() === "") continue;
        const angle = angleOf(item.transform as number[]);
        const texts = byAngle.get(angle);
        const text = uprightText(item, angle);
        if (texts === undefined) byAngle.set(angle, [text]);
        else texts.push(text);
      }
      const countOf = (texts: readonly PageText[]) => texts.reduce((sum, { text }) => sum + text.length, 0);
      pages.push([...byAngle.values()].sort((a, b) => countOf(b) - countOf(a)));
      page.cleanup();
    }
    return pages;
  } catch (cause) {
    if ((cause as { readonly code?: string }).code === "DNT_FILE_UNREADABLE") throw cause;
    throw unreadable({ file, line: 0 }, `it cannot be read as PDF: ${(cause as Error).message}`, cause);
  }
}

/** Direction of writing in degrees: of quarter turns, as a scan that slants is of one, too; others to the degree. */
function angleOf([a = 1, b = 0]: readonly number[]): number {
  const degrees = Math.round((Math.atan2(b, a) * 180) / Math.PI);
  const quarter = 90 * Math.round(degrees / 90);
  return ((Math.abs(degrees - quarter) <= SLANT ? quarter : degrees) + 360) % 360;
}

interface PdfItem {
  readonly str: string;
  readonly dir: string;
  readonly transform: readonly unknown[];
  readonly width: number;
  readonly height: number;
}

/** A text at its position on the page as it is turned for reading. */
function uprightText({ dir, height, str, transform, width }: PdfItem, angle: number): PageText {
  const [, , c, d, x, y] = transform as number[];
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return {
    text: str,
    x: x! * cos + y! * sin,
    y: y! * cos - x! * sin,
    width,
    height: height || Math.hypot(c!, d!),
    isRightToLeft: dir === "rtl",
  };
}

/** Height of most letters. */
function usualHeight(lines: readonly { readonly height: number; readonly text: string }[]): number {
  const counts = new Map<number, number>();
  for (const { height, text } of lines) {
    const rounded = Math.round(height * 10) / 10;
    counts.set(rounded, (counts.get(rounded) ?? 0) + text.length);
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0];
}
