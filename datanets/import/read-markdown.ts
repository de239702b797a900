/** Reader of Markdown: passages by headings and paragraphs, as they are written. */
import { lexer } from "marked";
import type { ReadFile } from "./file-table.ts";
import { type Block, passagesOf } from "./passages.ts";

/** Fields that some tools write before a text. */
const FRONT_MATTER = /^---\r?\n[\s\S]*?\r?\n---\r?\n/;

/** A `#` in a block of code begins no section. */
export function readMarkdown(text: string, file: string): ReadFile {
  const fields = FRONT_MATTER.exec(text)?.[0] ?? "";
  const blocks = lexer(text.slice(fields.length)).map((token): Block => {
    const isHeading = token.type === "heading";
    return {
      kind: isHeading ? "heading" : "paragraph",
      text: isHeading ? (token.text as string) : token.raw,
    };
  });
  return passagesOf(blocks, file, fields === "" ? [] : [`${file}: the fields before the text are left out`]);
}
