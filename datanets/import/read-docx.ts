/**
 * Reader of Word's documents (.docx): passages by headings and paragraphs, tables as lines, footnotes and endnotes below the paragraph
 * that they are of. It tells what it leaves out.
 */
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
  /** Notes of the document, by their references. */
  readonly notes?: {
    resolve(reference: DocumentNode): { readonly body: readonly DocumentNode[] } | undefined;
  };
}

const HEADING = /^(heading ?[1-6]|title)$/i;
/** Text that Word hides, and the library keeps. */
const HIDDEN_TEXT = /<w:vanish(\s*\/|\s+w:val="(1|true|on)")/;
const CHANGES = /<w:(del|moveFrom) /;
/** Parts of a document that are not read, with what tells that there is something in them. */
const LEFT_OUT = [
  { what: "headers", part: /\/word\/header\d*\.xml$/, has: /<w:t[ >]/ },
  { what: "footers", part: /\/word\/footer\d*\.xml$/, has: /<w:t[ >]/ },
  { what: "comments", part: /\/word\/comments\.xml$/, has: /<w:t[ >]/ },
  { what: "pictures", part: /\/word\/document\.xml$/, has: /<pic:pic[ >]|<v:imagedata[ >]/ },
  { what: "formulas", part: /\/word\/document\.xml$/, has: /<m:oMath[ >]/ },
] as const;

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
  const decoder = new TextDecoder();
  const text = files.find((one) => one.name === `${name}/word/document.xml`)?.content;
  const xml = text === undefined ? "" : decoder.decode(text);
  const leftOut = LEFT_OUT.filter(({ has, part }) =>
    files.some((one) => part.test(one.name) && has.test(decoder.decode(one.content))),
  ).map(({ what }) => what);
  const notes = new NoteReader(tree.notes);
  const blocks = blocksOf(tree, notes);
  const notices = [
    ...(leftOut.length === 0 ? [] : [`${name}: left out: ${leftOut.join(", ")}`]),
    ...(notes.count === 0
      ? []
      : [`${name}: ${notes.count} footnotes and endnotes are read, each below its paragraph`]),
    ...(HIDDEN_TEXT.test(xml) ? [`${name}: text that is hidden in Word is read, too`] : []),
    ...(CHANGES.test(xml) ? [`${name}: of tracked changes the new text is read`] : []),
  ];
  return passagesOf(blocks, name, notices);
}

/** Numbers notes in the order of their references, and holds their texts until the paragraph ends. */
class NoteReader {
  readonly #notes: DocumentNode["notes"];
  readonly #texts: string[] = [];
  #taken = 0;

  constructor(notes: DocumentNode["notes"]) {
    this.#notes = notes;
  }

  get count(): number {
    return this.#texts.length;
  }

  /** Mark in place of a reference. */
  refer(reference: DocumentNode): string {
    const body = this.#notes?.resolve(reference)?.body ?? [];
    const number = this.#texts.push("");
    const parts = body.map((node) => textOf(node, this).trim()).filter((part) => part !== "");
    this.#texts[number - 1] = `[${number}] ${parts.join(" ")}`;
    return `[${number}]`;
  }

  /** Notes since the last call, a line each. */
  take(): string[] {
    const texts = this.#texts.slice(this.#taken);
    this.#taken = this.#texts.length;
    return texts;
  }
}

function blocksOf(node: DocumentNode, notes: NoteReader): Block[] {
  if (node.type === "table") {
    const lines = (node.children ?? []).map((row) =>
      (row.children ?? []).map((cell) => textOf(cell, notes)).join(" | "),
    );
    return [{ kind: "paragraph", text: [...lines, ...notes.take()].join("\n") }];
  }
  if (node.type !== "paragraph") return (node.children ?? []).flatMap((child) => blocksOf(child, notes));
  const text = textOf(node, notes);
  const below = notes.take();
  if (![node.styleId, node.styleName].some((style) => HEADING.test(style ?? "")))
    return [{ kind: "paragraph", text: [text, ...below].join("\n") }];
  const heading: Block = { kind: "heading", text };
  return below.length === 0 ? [heading] : [heading, { kind: "paragraph", text: below.join("\n") }];
}

function textOf(node: DocumentNode, notes: NoteReader): string {
  if (node.type === "text") return node.value ?? "";
  if (node.type === "tab") return "\t";
  if (node.type === "break") return "\n";
  if (node.type === "noteReference") return notes.refer(node);
  const parts = (node.children ?? []).map((child) => textOf(child, notes));
  return parts.join(node.type === "tableCell" ? " " : "");
}
