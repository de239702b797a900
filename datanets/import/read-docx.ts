/**
 * Reader of Word's documents (.docx): passages by headings and paragraphs, tables as lines, footnotes and endnotes below the paragraph
 * that they are of. It tells what it leaves out.
 */
import { counted } from "@openledger/foundation/counted";
import type { ReadFile } from "./file-table.ts";
import type { ImportBudget, ImportFile } from "./import-file.ts";
import { type Block, passagesOf } from "./passages.ts";
import { refusalText, unreadable } from "./refusal.ts";
import { unpackZip } from "./unpack-zip.ts";
import type { WordCounts } from "./word-parts.ts";

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
const TEXT = /^word\/(document|footnotes|endnotes)\d*\.xml$/;
const CHUNKS = "in embedded documents (altChunk): open it in Word, save it again, and choose that file";
/** Parts of a document that are not read, with what tells that there is something in them. */
const LEFT_OUT = [
  { what: "headers", part: /^word\/header\d*\.xml$/, has: /<w:t[ >]/ },
  { what: "footers", part: /^word\/footer\d*\.xml$/, has: /<w:t[ >]/ },
  { what: "comments", part: /^word\/comments\.xml$/, has: /<w:t[ >]/ },
  { what: "pictures", part: TEXT, has: /<pic:pic[ >]|<v:imagedata[ >]/ },
  { what: "formulas", part: TEXT, has: /<m:oMath[ >]/ },
  { what: "diagrams", part: /^word\/diagrams\/data\d*\.xml$/, has: /<a:t>/ },
  { what: "charts", part: /^word\/charts\/chart\d*\.xml$/, has: /<c:plotArea/ },
] as const;

/** @throws DNT_FILE_UNREADABLE */
export async function readDocx(file: ImportFile, budget: ImportBudget): Promise<ReadFile> {
  const { name } = file;
  // Counted and checked before the library unpacks it.
  const { files, refused } = await unpackZip(file, budget, { isDocument: true });
  if (refused[0] !== undefined) throw unreadable({ file: name, line: 0 }, refusalText(refused[0]));
  const parts = new Map(files.map((one) => [one.name.slice(name.length + 1), one.content]));
  const { counts, messages, tree } = await treeOf(parts).catch((cause: Error) => {
    throw unreadable({ file: name, line: 0 }, `it cannot be read as a document: ${cause.message}`, cause);
  });
  const decoder = new TextDecoder();
  const hasIn = (part: RegExp, pattern: RegExp) =>
    [...parts].some(([path, content]) => part.test(path) && pattern.test(decoder.decode(content)));
  const leftOut = LEFT_OUT.filter(({ has, part }) => hasIn(part, has)).map(({ what }) => what);
  const notes = new NoteReader(tree.notes);
  const blocks = blocksOf(tree, notes);
  if (counts.chunks > 0 && blocks.every(({ text }) => text.trim() === ""))
    throw unreadable({ file: name, line: 0 }, `its text is ${CHUNKS}`);
  const notices = [
    ...(leftOut.length === 0 ? [] : [`left out: ${leftOut.join(", ")}`]),
    ...(counts.chunks === 0 ? [] : [`left out: ${counted(counts.chunks, "place")} whose text is ${CHUNKS}`]),
    ...(counts.rubies === 0
      ? []
      : [`left out: ${counted(counts.rubies, "reading")} above characters (ruby)`]),
    ...(notes.count === 0
      ? []
      : [`${notes.count} footnotes and endnotes are read, each below its paragraph`]),
    ...(counts.numbers === 0
      ? []
      : [`${counted(counts.numbers, "automatic number")} of paragraphs, read as text before them`]),
    ...(counts.numberFormats.size === 0
      ? []
      : [`automatic numbers in the form ${[...counts.numberFormats].join(", ")} are read as digits`]),
    ...(counts.boxes === 0
      ? []
      : [`${counted(counts.boxes, "text box", "text boxes")}, read below the paragraph that holds it`]),
    ...(hasIn(TEXT, HIDDEN_TEXT) ? ["text that is hidden in Word is read, too"] : []),
    ...(hasIn(TEXT, CHANGES) ? ["of tracked changes the new text is read"] : []),
    ...messages,
  ];
  return passagesOf(
    blocks,
    name,
    notices.map((notice) => `${name}: ${notice}`),
  );
}

interface ReadTree {
  readonly tree: DocumentNode;
  readonly counts: WordCounts;
  /** Messages of the library, each once. */
  readonly messages: readonly string[];
}

async function treeOf(all: ReadonlyMap<string, Uint8Array>): Promise<ReadTree> {
  const { default: mammoth } = await import("mammoth");
  const { prepareParts } = await import("./word-parts.ts");
  const { counts, parts } = prepareParts(all);
  const content = await packed(parts);
  let tree: DocumentNode = { type: "document" };
  const transformDocument = (found: DocumentNode) => {
    tree = found;
    // Nothing is left to be written as HTML.
    return { ...found, children: [] };
  };
  // The library has another input in Node than in a page.
  const input = { buffer: content, arrayBuffer: content.buffer };
  const { messages } = await mammoth.convertToHtml(
    input as unknown as Parameters<typeof mammoth.convertToHtml>[0],
    { transformDocument },
  );
  const texts = messages.map(({ message }) => message);
  const said = [...new Set(texts)].map((text) => {
    const count = texts.filter((other) => other === text).length;
    return count === 1 ? text : `${text} (${count} times)`;
  });
  return { tree, counts, messages: said };
}

/** An archive of the parts that the library reads: pictures are left out. */
async function packed(parts: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level: 0 });
  for (const [path, content] of parts)
    if (/\.(xml|rels)$/i.test(path)) await writer.add(path, new Uint8ArrayReader(content));
  return new Uint8Array(await writer.close());
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
  if (node.type === "table") return innerTable(node, notes);
  const parts = (node.children ?? []).map((child) => textOf(child, notes));
  return parts.join(node.type === "tableCell" ? " " : "");
}

/** A table in a table's cell, on the cell's line. */
function innerTable({ children = [] }: DocumentNode, notes: NoteReader): string {
  const rows = children.map((row) =>
    (row.children ?? []).map((cell) => textOf(cell, notes).trim()).join(", "),
  );
  return `(${rows.join("; ")})`;
}
