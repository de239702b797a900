/** Differences of two papers by their fields: values of a JSON file, or fields, cells and lines of Markdown. */

export interface PaperDifference {
  /** Path in a JSON file, or heading and name in Markdown; "layout" where only spaces or order differ. */
  readonly field: string;
  /** null where the paper does not have it. */
  readonly given: string | null;
  readonly right: string | null;
}

/** Lists what differs, in the order of the right paper. */
export function paperDifferences(input: string, right: string, kind: "json" | "markdown"): PaperDifference[] {
  if (input === right) return [];
  const read = kind === "json" ? jsonFields : markdownFields;
  const [before, after] = [read(input), read(right)];
  const found: PaperDifference[] = [];
  for (const [field, value] of after)
    if (before.get(field) !== value) found.push({ field, given: before.get(field) ?? null, right: value });
  for (const [field, value] of before)
    if (!after.has(field)) found.push({ field, given: value, right: null });
  return found.length === 0 ? [{ field: "layout", given: null, right: null }] : found;
}

/** Name of the whole of a file that is not JSON. */
const WHOLE = "file";

function jsonFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  try {
    // Not by recursion: a stranger's file may be nested deeper than the stack.
    const waiting: [string, unknown][] = [["", JSON.parse(text)]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [path, value] = next;
      const entries =
        typeof value === "object" && value !== null
          ? Object.entries(value).map(([key, inner]): [string, unknown] => [
              Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`,
              inner,
            ])
          : [];
      if (entries.length === 0) fields.set(path, JSON.stringify(value));
      waiting.push(...entries.reverse());
    }
  } catch {
    return new Map([[WHOLE, "no JSON"]]);
  }
  return fields;
}

/** Fields of a paper as markdown.ts writes them, and every other line by its place below its heading. */
function markdownFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let [position, line] = ["front matter", 0];
  for (const row of text.split("\n")) {
    const heading = /^#{1,6} (.*)$/.exec(row)?.[1];
    if (heading !== undefined) [position, line] = [heading, 0];
    if (row === "") continue;
    line += 1;
    const [, name, value] = /^- \*\*(.+?):\*\* (.*)$/.exec(row) ??
      /^\| (.*?) \| (.*) \|$/.exec(row) ?? [null, `line ${line}`, row];
    let field = `${position}: ${name}`;
    while (fields.has(field)) field += "′";
    fields.set(field, value!);
  }
  return fields;
}
