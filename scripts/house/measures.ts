import ts from "typescript";
import { isGenerated, isTest, isTesting, roomOf, type SourceFile } from "./tree.ts";

export interface HouseMeasures {
  readonly filesInLargestFolder: number;
  readonly largestFolder: string;
  /** Per folder, the longest chain of imports between files that lie in it; tests not counted. */
  readonly storeys: Readonly<Record<string, number>>;
  /** Rooms that import each other, directly or by way of others: one list for each circle. */
  readonly circles: readonly (readonly string[])[];
  /** Files that only tests reach, outside `testing/`. */
  readonly testSupportOutsideTesting: readonly string[];
  /** Exported values that no other file names, as `file: name`. */
  readonly exportsWithoutCaller: readonly string[];
  /** Members that the keyword `private` marks, as `file: line`; the style is `#name`. Constructors have no other way. */
  readonly privateKeywords: readonly string[];
}

type Tree = ReadonlyMap<string, SourceFile>;

export function measureHouse(tree: Tree): HouseMeasures {
  const counts = new Map<string, number>();
  for (const { folder } of tree.values()) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  const [largestFolder, filesInLargestFolder] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? ["", 0];
  return {
    filesInLargestFolder,
    largestFolder,
    storeys: storeys(tree),
    circles: circles(tree),
    testSupportOutsideTesting: testSupport(tree),
    exportsWithoutCaller: unusedExports(tree),
    privateKeywords: [...tree.values()].flatMap(privateKeywords),
  };
}

function privateKeywords({ path, text }: SourceFile): string[] {
  if (!path.endsWith(".ts")) return [];
  return [...text.matchAll(/^ +(?:(?:static|override|async) )*private (?!constructor\b).*$/gm)].map(
    ([line]) => `${path}: ${line.trim()}`,
  );
}

const isProduct = (path: string) => !isTest(path) && !isTesting(path) && !isGenerated(path);

function storeys(tree: Tree): Record<string, number> {
  const heights = new Map<string, number>();
  const heightOf = (file: SourceFile): number => {
    const known = heights.get(file.path);
    if (known !== undefined) return known;
    heights.set(file.path, 1); // A circle of files, which another check refuses, ends here.
    const below = file.imports
      .map((path) => tree.get(path)!)
      .filter(({ path, folder }) => folder === file.folder && !isTest(path));
    const height = 1 + Math.max(0, ...below.map(heightOf));
    heights.set(file.path, height);
    return height;
  };
  const highest: Record<string, number> = {};
  for (const file of tree.values()) {
    if (isTest(file.path)) continue;
    highest[file.folder] = Math.max(highest[file.folder] ?? 0, heightOf(file));
  }
  return highest;
}

/** Strongly connected components of more than one room, by Tarjan's algorithm. */
function circles(tree: Tree): string[][] {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of tree.values()) {
    const from = roomOf(path);
    if (from === undefined || isTest(path)) continue;
    for (const target of imports) {
      const to = roomOf(target);
      if (to !== undefined && to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (room: string): void => {
    index.set(room, index.size);
    low.set(room, index.get(room)!);
    stack.push(room);
    for (const next of edges.get(room) ?? []) {
      if (!index.has(next)) {
        visit(next);
        low.set(room, Math.min(low.get(room)!, low.get(next)!));
      } else if (stack.includes(next)) {
        low.set(room, Math.min(low.get(room)!, index.get(next)!));
      }
    }
    if (low.get(room) !== index.get(room)) return;
    const circle = stack.splice(stack.indexOf(room));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const room of [...edges.keys()].sort()) if (!index.has(room)) visit(room);
  return found;
}

/** Files that a person or a process starts, and files that product files load. */
function testSupport(tree: Tree): string[] {
  const isEntry = ({ path, text }: SourceFile) =>
    isProduct(path) &&
    (/^(scripts|examples|e2e|docs\/\.vitepress)\/[^/]+$|(^|[/-])main\.tsx?$|-worker\.ts$|\.browser\.ts$|-entry\.js$|\/build\.js$|\.d\.ts$/.test(
      path,
    ) ||
      /process\.argv\[1\] === fileURLToPath/.test(text) ||
      // The client library's public actions are called by the one who installs it.
      path.startsWith("client/"));
  const isCompiled = (path: string) => /\.(circom|sol|cpp|h)$/.test(path);
  const reached = new Set<string>();
  const queue = [...tree.values()].filter((file) => isEntry(file) || isCompiled(file.path));
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file.path)) continue;
    reached.add(file.path);
    queue.push(...file.imports.map((path) => tree.get(path)!));
  }
  return [...tree.keys()].filter((path) => isProduct(path) && !reached.has(path));
}

function unusedExports(tree: Tree): string[] {
  const namedIn = new Map<string, Set<string>>();
  for (const { path, text } of tree.values()) {
    for (const [word] of text.matchAll(/[A-Za-z_$][\w$]*/g)) {
      const places = namedIn.get(word) ?? new Set<string>();
      if (places.size < 2) namedIn.set(word, places.add(path));
    }
  }
  return [...tree.values()]
    .filter(({ path }) => isProduct(path) && /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .flatMap((file) =>
      exportedValues(file)
        .filter((name) => namedIn.get(name)!.size < 2)
        .map((name) => `${file.path}: ${name}`),
    );
}

function exportedValues({ path, text }: SourceFile): string[] {
  const names: string[] = [];
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) {
        if (ts.isIdentifier(name)) names.push(name.text);
      }
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) names.push(statement.name.text);
    }
  }
  return names;
}
