/**
 * Finds object schemas (zod) that are told in two workspaces: the same names of fields, three or more. A form that two sides read is
 * declared once, where both can import it; a copy of it drifts.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A schema's fields, in the order of the alphabet, and where it stands. */
interface ObjectSchema {
  readonly fields: string;
  readonly file: string;
  readonly line: number;
}

const MIN_FIELDS = 3;
const IS_PRODUCT = /^(?!e2e\/|examples\/|docs\/|.*\/testing\/).*(?<!\.(?:test|d|bench))\.tsx?$/;
const CALL = /\b(?:strictObject|looseObject|object)\(\{/g;

/** Object schemas of a source, but those that spread others: their fields are elsewhere. */
export function objectSchemas(file: string, source: string): ObjectSchema[] {
  return [...source.matchAll(CALL)].flatMap(({ 0: call, index }) => {
    const parts = partsOf(source, index + call.length - 1);
    const names = parts.map((part) => /^(?:"([^"]+)"|(\w+))/.exec(part)?.slice(1).find(Boolean) ?? "");
    if (names.length < MIN_FIELDS || names.includes("")) return [];
    return [{ fields: names.sort().join(), file, line: source.slice(0, index).split("\n").length }];
  });
}

/** Schemas that stand in more than one workspace, by their fields. */
export function toldTwice(schemas: readonly ObjectSchema[]): ReadonlyMap<string, readonly string[]> {
  const positions = new Map<string, ObjectSchema[]>();
  for (const one of schemas) positions.set(one.fields, [...(positions.get(one.fields) ?? []), one]);
  const workspaceOf = ({ file }: ObjectSchema) => file.split("/")[0];
  const twice = [...positions].filter(([, all]) => new Set(all.map(workspaceOf)).size > 1);
  return new Map(twice.map(([fields, all]) => [fields, all.map(({ file, line }) => `${file}:${line}`)]));
}

/** Schemas of all product files of the repository. */
export function productSchemas(root: string): ObjectSchema[] {
  const listed = execFileSync("git", ["ls-files", "*.ts", "*.tsx"], { cwd: root, encoding: "utf8" });
  const files = listed.split("\n").filter((file) => IS_PRODUCT.test(file));
  return files.flatMap((file) => objectSchemas(file, readFileSync(join(root, file), "utf8")));
}

/** Ends of what holds no field: texts, comments, regular expressions. */
const SKIPPED =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*|\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])+\/[a-z]*/y;

/** Parts of an object literal between its commas. @param start index of its brace */
function partsOf(source: string, start: number): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (let i = start; i < source.length; i++) {
    SKIPPED.lastIndex = i;
    const skipped = SKIPPED.exec(source)?.[0];
    if (skipped !== undefined) {
      if (!/^\/[/*]/.test(skipped)) part += skipped;
      i += skipped.length - 1;
      continue;
    }
    const letter = source[i]!;
    if ("}])".includes(letter)) depth -= 1;
    if (depth === 0 && i > start) break;
    if (letter === "," && depth === 1) {
      parts.push(part);
      part = "";
    } else if (i > start) part += letter;
    if ("{[(".includes(letter)) depth += 1;
  }
  return [...parts, part].map((one) => one.trim()).filter((one) => one !== "");
}
