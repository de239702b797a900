/** Reader of PDF: passages by headings and paragraphs, in the order of reading that positions show. */
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget, ImportFile } from "./import-file.ts";
import { orderLines, type PageText } from "./page-layout.ts";
import { type Block, passagesOf } from "./passages.ts";
import { unreadable } from "./refusal.ts";

/** Factor of the usual size of letters from which on a short line is a heading. */
const HEADING_SIZE = 1.15;
const MAX_HEADING_CHARACTERS = 200;
/** Factor of a line's height: more space between two lines separates paragraphs. */
const PARAGRAPH_GAP = 1.7;

/** @throws DNT_FILE_UNREADABLE, also for pages without text */
export async function readPdf({ content, name }: ImportFile, budget: ImportBudget): Promise<ReadFile> {
  const pages = await readPages(content, name, budget);
  const lines = pages.flatMap((items, i) => orderLines(items).map((line) => ({ ...line, page: i + 1 })));
  if (lines.length === 0)
    throw unreadable({ file: name, line: 0 }, "it has no text: its pages are pictures, perhaps scanned");
  const usual = usualHeight(lines);
  const blocks: { kind: Block["kind"]; text: string; page: number }[] = [];
  let joinedCount = 0;
  let last: (typeof lines)[number] | null = null;
  for (const line of lines) {
    const isHeading = line.height > HEADING_SIZE * usual && line.text.length <= MAX_HEADING_CHARACTERS;
    const kind = isHeading ? "heading" : "paragraph";
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

async function readPages(content: Uint8Array, file: string, budget: ImportBudget): Promise<PageText[][]> {
  const { getDocumentProxy } = await import("unpdf");
  try {
    // The library takes the bytes away from its caller.
    const document = await getDocumentProxy(new Uint8Array(content));
    budget.takeRecords(file, document.numPages);
    const pages: PageText[][] = [];
    for (let number = 1; number <= document.numPages; number++) {
      budget.takeRecords(file, 0);
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      pages.push(
        items.flatMap((item) => {
          if (!("str" in item) || item.str.trim() === "") return [];
          const [, , c, d, x, y] = item.transform as number[];
          return [
            { text: item.str, x: x!, y: y!, width: item.width, height: item.height || Math.hypot(c!, d!) },
          ];
        }),
      );
      page.cleanup();
    }
    return pages;
  } catch (cause) {
    if ((cause as { readonly code?: string }).code === "DNT_FILE_UNREADABLE") throw cause;
    throw unreadable({ file, line: 0 }, `it cannot be read as PDF: ${(cause as Error).message}`, cause);
  }
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
