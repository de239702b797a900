/**
 * Finds the public names of an npm package in the sources' own exports, so that no list has to be maintained. packages.ts and
 * package-entries.ts use them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export interface PublicFile {
  /** Path from the repository's root. */
  readonly path: string;
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** An entry of the package: its rooms and single files. */
export interface EntrySources {
  readonly rooms: readonly string[];
  readonly files: readonly string[];
}

/** Files of which only types are public: their values serve the library itself, their types are part of its results. */
const TYPES_ONLY =
  /-schemas\.ts$|\/(hex|operation-body|operation-status|preconfirmation|sequencer-request|model-answers|settling-circuit)\.ts$/;

/** @throws where two files export the same name */
export function publicFiles(root: string, { rooms, files }: EntrySources): PublicFile[] {
  const all = [...files, ...rooms.flatMap((room) => sourcesOf(root, room))];
  const owners = new Map<string, string>();
  return all.map((path) => {
    const { values, types } = exportsOf(root, path);
    const offered = TYPES_ONLY.test(path) ? [] : values;
    for (const name of [...offered, ...types]) {
      const other = owners.get(name);
      if (other !== undefined) throw new Error(`${path} and ${other} export ${name}`);
      owners.set(name, path);
    }
    return { path, values: offered, types };
  });
}

function sourcesOf(root: string, room: string): string[] {
  return readdirSync(join(root, room))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .sort()
    .map((name) => `${room}/${name}`);
}

function exportsOf(root: string, path: string): { values: string[]; types: string[] } {
  const text = readFileSync(join(root, path), "utf8");
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const values: string[] = [];
  const types: string[] = [];
  for (const statement of statements) {
    if (!isExported(statement) || isInternal(statement)) continue;
    if (ts.isVariableStatement(statement))
      values.push(...statement.declarationList.declarations.map(({ name }) => name.getText()));
    else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
      types.push(statement.name.text);
    else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
      values.push(statement.name!.text);
  }
  return { values, types };
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

const isInternal = (statement: ts.Statement) =>
  ts.getJSDocTags(statement).some(({ tagName }) => tagName.text === "internal");
