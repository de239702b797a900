/** Reader of Word's documents (.docx): passages by headings and paragraphs, tables as lines. */
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget, ImportFile } from "./import-file.ts";
import { type Block, passagesOf } from "./passages.ts";
import { refusalText, unreadable } from "./refusal.ts";
import { unpackZip } from "./unpack-zip.ts";

/** Node of the library's tree of a document, as its transforms get it. */
interface DocumentNode {
  readonly type: string;
  readonly value?: string;
  readonly styleId?: string | null;
  readonly styleName?: string | null;
  readonly children?: readonly DocumentNode[];
}

const HEADING = /^(heading ?[1-6]|title)$/i;
/** Text that Word hides, and the library keeps. */
const HIDDEN_TEXT = /<w:vanish(\s*\/|\s+w:val="(1|true|on)")/;
const CHANGES = /<w:(del|moveFrom) /;

/** @throws DNT_FILE_UNREADABLE */
export async function readDocx(file: ImportFile, budget: ImportBudget): Promise<ReadFile> {
  const { name } = file;
  // Counted and checked before the library unpacks it.
  const { files, refused } = await unpackZip(file, budget);
  if (refused[0] !== undefined) throw unreadable({ file: name, line: 0 }, refusalText(refused[0]));
  const { default: mammoth } = await import("mammoth");
  let tree: DocumentNode = { type: "document" };
  const transformDocument = (found: DocumentNode) => {
    tree = found;
    return found;
  };
  const content = new Uint8Array(file.content);
  // The library has another input in Node than in a page.
  const input = { buffer: content, arrayBuffer: content.buffer };
  await mammoth
    .convertToHtml(input as unknown as Parameters<typeof mammoth.convertToHtml>[0], { transformDocument })
    .catch((cause: Error) => {
      throw unreadable({ file: name, line: 0 }, `it cannot be read as a document: ${cause.message}`, cause);
    });
  const text = files.find((one) => one.name === `${name}/word/document.xml`)?.content;
  const xml = text === undefined ? "" : new TextDecoder().decode(text);
  const notices = [
    ...(HIDDEN_TEXT.test(xml) ? [`${name}: text that is hidden in Word is read, too`] : []),
    ...(CHANGES.test(xml) ? [`${name}: of tracked changes the new text is read`] : []),
  ];
  return passagesOf(blocksOf(tree), name, notices);
}

function blocksOf(node: DocumentNode): Block[] {
  if (node.type === "table") {
    const lines = (node.children ?? []).map((row) =>
      (row.children ?? []).map((cell) => textOf(cell)).join(" | "),
    );
    return [{ kind: "paragraph", text: lines.join("\n") }];
  }
  if (node.type !== "paragraph") return (node.children ?? []).flatMap(blocksOf);
  const isHeading = [node.styleId, node.styleName].some((style) => HEADING.test(style ?? ""));
  return [{ kind: isHeading ? "heading" : "paragraph", text: textOf(node) }];
}

function textOf(node: DocumentNode): string {
  if (node.type === "text") return node.value ?? "";
  if (node.type === "tab") return "\t";
  if (node.type === "break") return "\n";
  const parts = (node.children ?? []).map(textOf);
  return parts.join(node.type === "tableCell" ? " " : "");
}
