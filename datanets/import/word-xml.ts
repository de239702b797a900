/** Parts of a Word document as trees of elements: what the readers of its text and numbers ask of them. */
import { DOMParser, XMLSerializer } from "@xmldom/xmldom";

export type WordElement = Element;

/** Namespaces of the transitional and the strict form. */
const WORD = [
  "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
  "http://purl.oclc.org/ooxml/wordprocessingml/main",
];
const COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006";
const ELEMENT_NODE = 1;

const isElement = (node: Node): node is Element => node.nodeType === ELEMENT_NODE;

export const isWord = (node: Node, name: string): node is Element =>
  isElement(node) && node.localName === name && WORD.includes(node.namespaceURI ?? "");

export const isCompatibility = (node: Node, name: string): node is Element =>
  isElement(node) && node.localName === name && node.namespaceURI === COMPATIBILITY;

/** @throws Error for what is no XML */
export function parseXml(content: Uint8Array): Document {
  const fail = (message: string) => {
    throw new Error(message);
  };
  const text = new TextDecoder().decode(content);
  return new DOMParser({
    errorHandler: { warning: () => undefined, error: fail, fatalError: fail },
  }).parseFromString(text, "text/xml");
}

export const writeXml = (document: Document): Uint8Array =>
  new TextEncoder().encode(new XMLSerializer().serializeToString(document));

/** All elements below a node for which `isWanted` is true, in the document's order. */
export function elementsBelow(root: Node, isWanted: (node: Node) => boolean): Element[] {
  const found: Element[] = [];
  for (let node = following(root, root); node !== null; node = following(node, root))
    if (isElement(node) && isWanted(node)) found.push(node);
  return found;
}

/** Next node in the document's order below a root; null behind the last. */
function following(node: Node, root: Node): Node | null {
  if (node.firstChild !== null) return node.firstChild;
  for (let at: Node | null = node; at !== null && at !== root; at = at.parentNode)
    if (at.nextSibling !== null) return at.nextSibling;
  return null;
}

/** Children of Word's own names. */
export function childrenOf(element: Element, name: string): Element[] {
  const found: Element[] = [];
  for (let child = element.firstChild; child !== null; child = child.nextSibling)
    if (isWord(child, name)) found.push(child);
  return found;
}

export function childOf(element: Element | null, name: string): Element | null {
  for (let child = element?.firstChild ?? null; child !== null; child = child.nextSibling)
    if (isWord(child, name)) return child;
  return null;
}

/** Value of an attribute by its name without a prefix. */
export function attributeOf(element: Element, name: string): string | null {
  for (let i = 0; i < element.attributes.length; i++) {
    const { localName, nodeName, value } = element.attributes.item(i)!;
    if ((localName ?? nodeName) === name) return value;
  }
  return null;
}

/** Puts nodes in an element's place. */
export function replaceBy(element: Element, nodes: readonly Node[]): void {
  const parent = element.parentNode!;
  for (const node of nodes) parent.insertBefore(node, element);
  parent.removeChild(element);
}

export function nodesOf(element: Element): Node[] {
  const nodes: Node[] = [];
  for (let child = element.firstChild; child !== null; child = child.nextSibling) nodes.push(child);
  return nodes;
}

/** Makes an element of Word's names in the form of another one. */
export const wordElement = (beside: Element, name: string): Element =>
  beside.ownerDocument.createElementNS(
    beside.namespaceURI,
    beside.prefix === null ? name : `${beside.prefix}:${name}`,
  );
