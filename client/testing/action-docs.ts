/** The docstrings of the client library's actions: their examples, compiled, and the errors that they name. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";

export interface Action {
  /** The file, from the repository's root. */
  readonly path: string;
  readonly name: string;
  /** Exported for its neighbours, and no action of the library. */
  readonly isInternal: boolean;
  /** The code of `@example`; null where there is none. */
  readonly example: string | null;
  /** Codes, and prefixes such as `PRV_`, that `@throws` names. */
  readonly thrown: readonly string[];
}

const ROOMS = [
  "client/actions",
  "client/datanets",
  "client/tasks",
  "client/x402",
  "models/settling",
  "verifier/exits",
];
/** Libraries that examples may take names from. A name that two folders export means the first one's. */
const LIBRARIES = ["client", "models/settling", "verifier"];
/** Files at the top that come first. */
const FIRST = ["ledger-client", "ledger-actions", "l2-key", "wallet", "contract-wallet"].map(
  (name) => `client/${name}.ts`,
);

/** Every exported function of the folders with actions, and of the files that come before them. */
export function readActions(root: string): Action[] {
  return [...FIRST, ...ROOMS.flatMap((room) => sourcesOf(root, room))].flatMap((path) =>
    statementsOf(root, path).flatMap((statement) => {
      if (!ts.isFunctionDeclaration(statement) || !isExported(statement)) return [];
      const text = docstringOf(statement);
      const thrown = /@throws([\s\S]*?)(?=\n@|$)/.exec(text)?.[1] ?? "";
      const action: Action = {
        path,
        name: statement.name!.text,
        isInternal: /^@internal$/m.test(text),
        example: /@example\n```ts\n([\s\S]*?)\n```/.exec(text)?.[1] ?? null,
        thrown: [...thrown.matchAll(/\b[A-Z]{2,3}_(?:[A-Z0-9_]*[A-Z0-9])?/g)].map(([code]) => code),
      };
      return [action];
    }),
  );
}

/** The literals of every exported `…ErrorCode` type, those of the types that it names included. */
export function readErrorTypes(root: string): ReadonlyMap<string, readonly string[]> {
  const types = new Map<string, ts.TypeNode>();
  for (const path of LIBRARIES.flatMap((folder) => sourcesOf(root, folder))) {
    for (const statement of statementsOf(root, path)) {
      if (ts.isTypeAliasDeclaration(statement) && statement.name.text.endsWith("ErrorCode"))
        types.set(statement.name.text, statement.type);
    }
  }
  const literalsOf = (node: ts.TypeNode): string[] => {
    if (ts.isUnionTypeNode(node)) return node.types.flatMap(literalsOf);
    if (ts.isLiteralTypeNode(node)) return [(node.literal as ts.StringLiteral).text];
    if (ts.isTemplateLiteralTypeNode(node)) return [node.head.text];
    const named = ts.isTypeReferenceNode(node) ? types.get(node.typeName.getText()) : undefined;
    return named === undefined ? [] : literalsOf(named);
  };
  return new Map([...types].map(([name, node]) => [name, literalsOf(node)]));
}

/**
 * Compiles snippets, each in a function of its own, as one file below `.cache/`, where the compiler remembers what it has read. They
 * may use all exports of client/, settling and verifier/, the declarations of example-world.ts, and `createProver`.
 * @returns "name: the compiler's message" for each fault
 */
export async function compileSnippets(
  root: string,
  snippets: ReadonlyMap<string, string>,
): Promise<string[]> {
  const folder = join(root, ".cache/checks/examples");
  const body = [...snippets].map(([name, code]) => `export async function ${name}Example() {\n${code}\n}\n`);
  const source = importsFor(root, body.join("\n"), folder) + body.join("\n");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "examples.ts"), source);
  const faults = await typeFaults(root, folder, {
    include: ["examples.ts", "../../../circuits/**/*.d.ts", "../../../prover/**/*.d.ts"],
  });
  const lines = source.split("\n");
  return faults.map(({ line, message, path }) => {
    if (path !== "examples.ts") return `${path}: ${message}`;
    const before = lines.slice(0, line).join("\n");
    const name = [...before.matchAll(/function (\w+)Example\(/g)].at(-1)?.[1] ?? "imports";
    return `${name}: ${message}`;
  });
}

interface TypeFault {
  /** The file, from the folder. */
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Compiles a program in a folder of `.cache/checks/`, where the compiler remembers what it has read.
 * @param config its `include`, and compiler options beside the repository's
 */
export async function typeFaults(
  root: string,
  folder: string,
  config: { readonly include: readonly string[]; readonly compilerOptions?: object },
): Promise<TypeFault[]> {
  const written = {
    extends: "../../../tsconfig.json",
    include: config.include,
    compilerOptions: { incremental: true, tsBuildInfoFile: "remembered.json", ...config.compilerOptions },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(written));
  // Several threads would each work out the same types.
  const args = ["--noEmit", "--singleThreaded", "-p", folder];
  const compile = promisify(execFile)(join(root, "node_modules/.bin/tsgo"), args, { cwd: folder });
  // It ends with another status where it finds faults, and prints them all the same.
  const { stdout } = await compile.catch((error: { stdout: string }) => error);
  return [...stdout.matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*(?:\n +.*)*)/gm)].map(
    ([, path, line, message]) => ({
      path: path!,
      line: Number(line),
      message: message!.replaceAll(/\n +/g, " "),
    }),
  );
}

function importsFor(root: string, code: string, from: string): string {
  const words = new Set(code.match(/[A-Za-z_$][\w$]*/g));
  const found = new Map<string, string>();
  // A name that two files export means the one nearer to the top.
  const depth = (path: string) => path.split("/").length;
  const sources = LIBRARIES.flatMap((folder) => sourcesOf(root, folder)).sort((a, b) => depth(a) - depth(b));
  for (const path of [...sources, "client/testing/example-world.ts", "prover/backends.ts"]) {
    const names = statementsOf(root, path).flatMap(exportedNames);
    const used = names.filter(({ name }) => words.has(name) && !found.has(name));
    for (const { isType, name } of used) {
      const specifier = `./${relative(from, join(root, path))}`;
      found.set(name, `import ${isType ? "type " : ""}{ ${name} } from "${specifier}";\n`);
    }
  }
  return [...found.values()].join("");
}

function exportedNames(statement: ts.Statement): { name: string; isType: boolean }[] {
  if (!isExported(statement)) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => ({
      name: name.getText(),
      isType: false,
    }));
  }
  const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
  if (!isType && !ts.isFunctionDeclaration(statement) && !ts.isClassDeclaration(statement)) return [];
  return [{ name: statement.name!.text, isType }];
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

/** The text of the comment right before a statement, without stars. */
function docstringOf(statement: ts.Statement): string {
  const text = statement.getSourceFile().text;
  const range = ts.getLeadingCommentRanges(text, statement.pos)?.at(-1);
  if (range === undefined) return "";
  return text
    .slice(range.pos + 3, range.end - 2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n");
}

function sourcesOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !/^(testing|daemon)\//.test(path))
    .map((path) => `${folder}/${path}`)
    .sort();
}

function statementsOf(root: string, path: string): readonly ts.Statement[] {
  return ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.Latest, true)
    .statements;
}
