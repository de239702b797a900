/** Running heads and page numbers: lines that recur at one height of most pages. In a sentence that goes on to the next page they cut it. */
import type { PageText } from "./page-layout.ts";

/** Lines at either end of a page that may be heads. */
const EDGE_LINES = 3;
/** Distance, in heights of letters, within which two pages' lines are at one height. */
const SAME_HEIGHT = 0.7;
/** Part of the pages that have a head: nearly half, as left and right pages may have two. */
const MIN_PART = 0.4;
/** Space, in heights of letters, above which a head stands apart from the text. */
const APART = 1.7;

export interface PageHeads<Line> {
  readonly lines: ReadonlySet<Line>;
  /** True if some may be titles that are numbered page by page: "Question 1". */
  readonly isUnclear: boolean;
}

interface Edge<Line> {
  readonly line: Line;
  readonly page: number;
  readonly isTop: boolean;
  /** True if the text begins at once below it. */
  readonly isClose: boolean;
  /** Words without their numbers. */
  readonly pattern: string;
}

/** @param isHeading true for a line in larger letters, which only recurs as a head if it is always the same */
export function pageHeads<Line extends PageText>(
  pages: readonly (readonly Line[])[],
  isHeading: (line: Line) => boolean,
): PageHeads<Line> {
  const withText = pages.filter(({ length }) => length > 0);
  const edges = withText.flatMap((lines, page) => edgesOf(lines, page));
  const lines = new Set<Line>();
  let isUnclear = false;
  const minCount = Math.max(2, Math.ceil(MIN_PART * withText.length));
  const textsOf = (group: readonly Edge<Line>[]) => new Set(group.map(({ line }) => line.text));
  const recurring = groupsOf(edges).filter(
    (group) =>
      new Set(group.map(({ page }) => page)).size >= 2 &&
      (textsOf(group).size === 1 || !group.some(({ line }) => isHeading(line))),
  );
  for (const group of recurring) {
    // Each chapter may have a head of its own.
    const atHeight = recurring.filter((other) => isAtHeight(group[0]!.line, other[0]!.line)).flat();
    if (new Set(atHeight.map(({ page }) => page)).size < minCount) continue;
    for (const { line } of group) lines.add(line);
    const hasWords = /\p{L}{2}/u.test(group[0]!.pattern);
    const isNumbered = textsOf(group).size > 1 && hasWords;
    if (isNumbered && group.some(({ isClose, isTop }) => isTop && isClose)) isUnclear = true;
  }
  // Pages that are the same form over and over have no head that could be told from the rest.
  const lineCount = withText.reduce((sum, { length }) => sum + length, 0);
  return 2 * lines.size > lineCount ? { lines: new Set(), isUnclear: false } : { lines, isUnclear };
}

/** Outermost lines of a page that stand above or below all others. */
function edgesOf<Line extends PageText>(lines: readonly Line[], page: number): Edge<Line>[] {
  const byHeight = [...lines].sort((a, b) => b.y - a.y);
  // A page of few lines has no edge that is not its text.
  const count = Math.min(EDGE_LINES, Math.floor(byHeight.length / 2));
  return byHeight.flatMap((line, i) => {
    const isTop = i < count;
    if (!isTop && i < byHeight.length - count) return [];
    const next = byHeight[i + 1];
    const isClose = next !== undefined && line.y - next.y <= APART * Math.max(line.height, next.height);
    const pattern = line.text
      .replace(/\d+/g, "0")
      .replace(/^\W*[ivxlc]+\W*$/i, "0")
      .trim();
    return [{ line, page, isTop, isClose, pattern }];
  });
}

const isAtHeight = (a: PageText, b: PageText) => Math.abs(a.y - b.y) <= SAME_HEIGHT * a.height;

/** Edges with the same words at one height. */
function groupsOf<Line extends PageText>(edges: readonly Edge<Line>[]): Edge<Line>[][] {
  const byPattern = new Map<string, Edge<Line>[]>();
  for (const edge of edges) {
    const known = byPattern.get(edge.pattern);
    if (known === undefined) byPattern.set(edge.pattern, [edge]);
    else known.push(edge);
  }
  return [...byPattern.values()].flatMap((own) => {
    const groups: Edge<Line>[][] = [];
    for (const edge of [...own].sort((a, b) => b.line.y - a.line.y)) {
      const last = groups.at(-1)?.at(-1)?.line;
      if (last !== undefined && isAtHeight(last, edge.line)) groups.at(-1)!.push(edge);
      else groups.push([edge]);
    }
    return groups;
  });
}
