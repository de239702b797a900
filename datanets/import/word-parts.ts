/**
 * Brings a Word document's parts into the form that the library reads: simple fields, text boxes, ruby, and text within marks of direction
 * are there as plain runs, and automatic numbers as text. It counts what it leaves out.
 */
import { readLists, type WordLists, WordNumbers } from "./word-numbers.ts";
import {
  childOf,
  elementsBelow,
  isCompatibility,
  isWord,
  nodesOf,
  parseXml,
  replaceBy,
  wordElement,
  writeXml,
} from "./word-xml.ts";

/** Parts with text, by their names in the package. */
const TEXT_PARTS = /^word\/(document|footnotes|endnotes)\d*\.xml$/;
const VML = "urn:schemas-microsoft-com:vml";
/** Elements around text that the library does not know. */
const WRAPPERS = ["fldSimple", "bdo", "dir"];

export interface WordCounts {
  numbers: number;
  boxes: number;
  rubies: number;
  /** Documents within the document, which Word reads when it opens it. */
  chunks: number;
  /** Forms of numbers that are written as digits. */
  readonly numberFormats: Set<string>;
}

/** @throws Error for a part that is no XML */
export function prepareParts(parts: ReadonlyMap<string, Uint8Array>): {
  readonly parts: ReadonlyMap<string, Uint8Array>;
  readonly counts: WordCounts;
} {
  const counts: WordCounts = { numbers: 0, boxes: 0, rubies: 0, chunks: 0, numberFormats: new Set() };
  const rootOf = (name: string) => {
    const content = parts.get(name);
    return content === undefined ? null : parseXml(content).documentElement;
  };
  const lists = readLists(rootOf("word/numbering.xml"), rootOf("word/styles.xml"));
  const prepared = new Map<string, Uint8Array>();
  for (const [name, content] of parts)
    prepared.set(name, TEXT_PARTS.test(name) ? prepare(content, lists, counts) : content);
  return { parts: prepared, counts };
}

function prepare(content: Uint8Array, lists: WordLists, counts: WordCounts): Uint8Array {
  const document = parseXml(content);
  const root = document.documentElement;
  chooseAlternatives(root);
  for (const drawing of elementsBelow(root, (node) => isWord(node, "drawing")))
    counts.boxes += openBoxes(drawing);
  for (const wrapper of elementsBelow(root, (node) => WRAPPERS.some((name) => isWord(node, name))))
    replaceBy(wrapper, nodesOf(wrapper));
  for (const ruby of elementsBelow(root, (node) => isWord(node, "ruby"))) {
    const base = childOf(ruby, "rubyBase");
    replaceBy(ruby, base === null ? [] : nodesOf(base));
    counts.rubies++;
  }
  for (const end of elementsBelow(root, (node) => isWord(node, "cr")))
    replaceBy(end, [wordElement(end, "br")]);
  counts.chunks += elementsBelow(root, (node) => isWord(node, "altChunk")).length;
  const numbers = new WordNumbers(lists);
  for (const paragraph of elementsBelow(root, (node) => isWord(node, "p")))
    if (writeNumber(paragraph, numbers)) counts.numbers++;
  for (const format of numbers.unknownFormats) counts.numberFormats.add(format);
  return writeXml(document);
}

/** Text of runs below a node. */
const textBelow = (root: Node | null) =>
  root === null
    ? ""
    : elementsBelow(root, (node) => isWord(node, "t"))
        .map(({ textContent }) => textContent ?? "")
        .join("");

/** Takes one of the forms in which a program writes the same: the older one where it has the text, as the library reads it best. */
function chooseAlternatives(root: Element): void {
  // The innermost first: what is around them is chosen with what they have become.
  for (const both of elementsBelow(root, (node) => isCompatibility(node, "AlternateContent")).reverse()) {
    const forms = nodesOf(both);
    const choice = (forms.find((node) => isCompatibility(node, "Choice")) ?? null) as Element | null;
    const fallback = (forms.find((node) => isCompatibility(node, "Fallback")) ?? null) as Element | null;
    const isNewer = fallback === null || (textBelow(fallback) === "" && textBelow(choice) !== "");
    const taken = isNewer ? choice : fallback;
    replaceBy(both, taken === null ? [] : nodesOf(taken));
  }
}

/** Puts the text boxes of a drawing behind it in the older form. Returns their number. */
function openBoxes(drawing: Element): number {
  const isBox = (node: Node) => isWord(node, "txbxContent");
  const all = elementsBelow(drawing, isBox);
  const outermost = all.filter((box) => !all.some((other) => other !== box && contains(other, box)));
  const behind = drawing.nextSibling;
  for (const box of outermost) {
    const picture = wordElement(drawing, "pict");
    const shape = drawing.ownerDocument.createElementNS(VML, "v:shape");
    const textBox = drawing.ownerDocument.createElementNS(VML, "v:textbox");
    picture.appendChild(shape).appendChild(textBox).appendChild(box);
    drawing.parentNode!.insertBefore(picture, behind);
  }
  return outermost.length;
}

function contains(outer: Node, inner: Node): boolean {
  for (let node = inner.parentNode; node !== null; node = node.parentNode) if (node === outer) return true;
  return false;
}

/** Writes a paragraph's number as its first run. */
function writeNumber(paragraph: Element, numbers: WordNumbers): boolean {
  const properties = childOf(paragraph, "pPr");
  // What is left of a deleted paragraph goes into the next one.
  if (childOf(childOf(properties, "rPr"), "del") !== null) return false;
  const number = numbers.next(properties);
  if (number === "" || textBelow(paragraph).trim() === "") return false;
  const run = wordElement(paragraph, "r");
  const text = wordElement(paragraph, "t");
  text.setAttribute("xml:space", "preserve");
  text.appendChild(paragraph.ownerDocument.createTextNode(number));
  run.appendChild(text);
  paragraph.insertBefore(run, properties === null ? paragraph.firstChild : properties.nextSibling);
  return true;
}
