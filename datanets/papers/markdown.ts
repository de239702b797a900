/**
 * Markdown of papers: fields, tables and quotes in one form, with every text of a stranger escaped. paper-differences.ts reads the
 * form back.
 */

/** Escapes what Markdown and HTML read as marks, and GitHub's Markdown as links, in one line. */
export const plain = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_{}[\]()#+!|~&<>@]|:(?=\/\/)|(?<=www)\./gi, (mark) => `\\${mark}`);

/** A named value. The name has no colon. @param value in Markdown */
export const field = (name: string, value: string | number): string => `- **${name}:** ${value}`;

/** Cells in Markdown; the first names the row. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);

/** A text of several lines as a quote. */
export const quote = (text: string): string[] =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => plain(line))
    .map((line) => (line === "" ? ">" : `> ${line}`));

/** Lines of a document, with an empty line around each heading. */
export function document(lines: readonly string[]): string {
  const spaced = lines.flatMap((line, i) =>
    /^#+ /.test(line) ? [...(i === 0 || lines[i - 1] === "" ? [] : [""]), line, ""] : [line],
  );
  return `${spaced
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}
