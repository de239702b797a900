/** Passages of documents: a heading begins one, and a long section is divided between its paragraphs. */
import type { FileRecord, ReadFile } from "./file-table.ts";
import type { FilePosition } from "./refusal.ts";

/** Part of a document, in its order of reading. */
export interface Block {
  readonly kind: "heading" | "paragraph";
  readonly text: string;
  /** Page of a PDF; absent where there are none. */
  readonly page?: number;
}

/** Characters from which on a section is divided. A model reads a passage of about 500 words at once. */
const MAX_PASSAGE_CHARACTERS = 3_000;

/**
 * Makes rows of blocks. Each begins with its headings, also the further ones of a section that is divided; a paragraph is
 * never divided. A heading that another follows at once stands before the other's section.
 */
export function passagesOf(
  blocks: readonly Block[],
  file: string,
  notices: readonly string[] = [],
): ReadFile {
  const records: FileRecord[] = [];
  let headings: string[] = [];
  let hasSection = false;
  let paragraphs: string[] = [];
  let page: number | undefined;
  const end = () => {
    if (paragraphs.length === 0 && (headings.length === 0 || hasSection)) return;
    const position: FilePosition =
      page === undefined
        ? { file, line: records.length + 1, unit: "row" }
        : { file, line: page, unit: "page" };
    const text = [...headings, ...paragraphs].join("\n\n");
    records.push({
      ...position,
      values: new Map([
        ["heading", headings.at(-1) ?? null],
        ["text", text],
      ]),
    });
    [hasSection, paragraphs, page] = [true, [], undefined];
  };
  for (const block of blocks) {
    const text = block.text.trim();
    if (text === "") continue;
    if (block.kind === "heading") {
      if (paragraphs.length > 0) end();
      headings = hasSection ? [text] : [...headings, text];
      hasSection = false;
    } else {
      const length = paragraphs.reduce((sum, part) => sum + part.length, text.length);
      if (paragraphs.length > 0 && length > MAX_PASSAGE_CHARACTERS) end();
      paragraphs.push(text);
    }
    page ??= block.page;
  }
  end();
  return { columns: ["heading", "text"], records, refused: [], notices };
}
