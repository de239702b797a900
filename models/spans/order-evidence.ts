/**
 * What a count and an owner rest on, beside the root: the array is sorted, and documents lie one behind the other.
 * Anyone who knows two neighbours that are not can show it to anybody who has the root.
 *
 * Sorted means strictly: no place twice. An array of n different places below n has every place, so a sorted one
 * leaves nothing out. Documents that end where the next begins share no byte, so each byte has one owner.
 */
import { type OpenedIndex, openAll } from "./check-citations.ts";
import { OpenedPlaces } from "./cite-spans.ts";
import type { OrderEvidence } from "./evidence.ts";
import { ENTRY_BYTES, type IndexHeader, readDocument } from "./evidence.ts";
import { falseEvidence } from "./span-errors.ts";
import type { SpanIndex } from "./span-index.ts";

/** The rank of a place that no entry has. */
const MISSING = -2;

/**
 * Looks through a host's index for neighbours that are out of order.
 * @returns null where there are none: then every count and every owner that the index gives is right
 */
export function findDisorder(index: SpanIndex): OrderEvidence | null {
  const { array, text } = index.parts;
  const { documentCount } = index.header;
  for (let first = -1; first < documentCount; first++) {
    if (isTiled(index.header, (i) => index.document(i), first)) continue;
    return evidenceOf(index, "documents", first);
  }
  // Of suffixes with the same first letter the next places' ranks tell which is greater, so hardly any text is compared.
  // Of all pairs out of order, that with the shortest common part is not hidden by false ranks: its next places stand
  // the wrong way round only if a pair with a shorter common part is between them.
  const ranks = new Int32Array(text.length).fill(MISSING);
  for (const [entry, position] of array.entries()) ranks[position] = entry;
  const rank = (position: number) => (position === text.length ? -1 : ranks[position]!);
  for (let first = 0; first + 1 < array.length; first++) {
    const [a, b] = [array[first]!, array[first + 1]!];
    if (text[a] !== undefined && text[b] !== undefined && a !== b) {
      if (text[a]! < text[b]!) continue;
      const [nextOfA, nextOfB] = [rank(a + 1), rank(b + 1)];
      const areThere = nextOfA !== MISSING && nextOfB !== MISSING;
      if (text[a] === text[b] && areThere && nextOfA < nextOfB) continue;
    }
    if (isOutOfOrder(text.length, (place) => text[place]!, a, b)) return evidenceOf(index, "entries", first);
  }
  return null;
}

/**
 * @returns what is wrong with the index of this root
 * @throws MOD_SPANS_EVIDENCE_FALSE where the evidence does not show that anything is
 */
export function checkDisorder(root: string, evidence: OrderEvidence): string {
  const { first, header, openings, what } = evidence;
  const opened: OpenedIndex = openAll(root, header, openings);
  if (what === "documents") {
    if (!Number.isInteger(first) || first < -1 || first >= header.documentCount)
      throw falseEvidence("there is no such document", { first });
    if (isTiled(header, (i) => readDocument(opened.documents, i), first))
      throw falseEvidence("the documents lie one behind the other", { first });
    return `document ${first + 1} does not begin where the one before ends`;
  }
  if (!Number.isInteger(first) || first < 0 || first + 1 >= header.textBytes)
    throw falseEvidence("there are no two such entries", { first });
  const [a, b] = [first, first + 1].map((entry) => opened.array.number(entry * ENTRY_BYTES)) as [
    number,
    number,
  ];
  if (!isOutOfOrder(header.textBytes, (place) => opened.text.at(place), a, b))
    throw falseEvidence("the entries are in order", { first });
  return `entry ${first} of the array (place ${a}) does not come before the next one (place ${b})`;
}

/** Whether a document ends where the next begins, the first one begins at 0 and the last ends the text. */
function isTiled(
  { documentCount, textBytes }: IndexHeader,
  document: (index: number) => { start: number; end: number },
  first: number,
): boolean {
  const end = first < 0 ? 0 : document(first).end + 1;
  return first >= 0 && document(first).start >= document(first).end
    ? false
    : end === (first + 1 === documentCount ? textBytes : document(first + 1).start);
}

function isOutOfOrder(textBytes: number, at: (place: number) => number, a: number, b: number): boolean {
  if (a === b || a >= textBytes || b >= textBytes) return true;
  for (let i = 0; ; i++) {
    // What ends first is smaller.
    if (a + i === textBytes) return false;
    if (b + i === textBytes) return true;
    const difference = at(a + i) - at(b + i);
    if (difference !== 0) return difference > 0;
  }
}

function evidenceOf(index: SpanIndex, what: OrderEvidence["what"], first: number): OrderEvidence {
  const places = new OpenedPlaces(index);
  const { array, text } = index.parts;
  if (what === "documents") {
    for (const i of [first, first + 1]) if (i >= 0 && i < index.header.documentCount) places.document(i);
  } else {
    const [a, b] = [array[first]! >>> 0, array[first + 1]! >>> 0];
    let size = 0;
    while (Math.max(a, b) + size < text.length && text[a + size] === text[b + size]) size++;
    places.entry(first);
    places.entry(first + 1);
    for (const from of [a, b]) if (from < text.length && a !== b) places.text(from, from + size + 1);
  }
  return { header: index.header, what, first, openings: places.open() };
}
