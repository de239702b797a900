/**
 * Writes docs/reference/errors.md and, for the pages, docs/reference/errors.json: the codes of every table. Run it after a
 * change: npx tsx scripts/errors.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { devnetErrors } from "@openledger/e2e/devnet/devnet-errors";
import { drillErrors } from "@openledger/e2e/world/drill-errors";
import type { ErrorTable } from "@openledger/foundation/error-table";
import { ERROR_TABLES } from "./cli/error-tables.ts";

export const ERRORS_PAGE = "docs/reference/errors.md";
export const ERRORS_JSON = "docs/reference/errors.json";

const TABLES: readonly ErrorTable[] = [...ERROR_TABLES, devnetErrors, drillErrors];
const TITLES: Readonly<Record<string, string>> = {
  "SRV, OP, SEQ": "every process, the ledger's rules, the sequencer",
  "BRG, CON, CIR, PRV": "the bridge and readers of L1, contracts, circuits, provers and ceremonies",
  "DNT, ATT, MOD, GAT":
    "Datanets and their hosts, answer servers, language models, the ModelFactory, the gateway",
  "CLI, CMD, DEV, DRL": "the client, the command line, the devnet, drills",
};

/** Characters of a line of the page. */
const MAX_LINE_LENGTH = 150;

export const errorCodes = (): string[] => TABLES.flatMap(({ rows }) => Object.keys(rows));

/** Lines of a list's entry, at most MAX_LINE_LENGTH characters each unless a word is longer. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= MAX_LINE_LENGTH)
      lines[lines.length - 1] += ` ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}

/** Lines of a code: status, retry, meaning, remedy and note. The anchor is what an error's `docs` names. */
function entryOf(table: ErrorTable, code: string): string[] {
  const { isRetryable, meaning, note, remedy } = table.rows[code]!;
  const head = `- <a id="${code.toLowerCase()}"></a>\`${code}\` ${table.statusOf(code)}${isRetryable ? ", retry" : ""}:`;
  return [
    ...wrapped(`${head} ${meaning}.`),
    ...wrapped(`  *Do:* ${remedy}.`),
    ...(note === undefined ? [] : wrapped(`  *Note:* ${note}`)),
  ];
}

export function renderErrors(): string {
  const sections = Object.entries(TITLES).map(([prefixes, title]) => {
    const entries = prefixes.split(", ").flatMap((prefix) =>
      TABLES.flatMap((table) =>
        Object.keys(table.rows)
          .filter((code) => code.startsWith(`${prefix}_`))
          .flatMap((code) => entryOf(table, code)),
      ),
    );
    return [`## ${prefixes}: ${title}`, "", ...entries, ""].join("\n");
  });
  return `# Error codes

For developers and operators. Every error is one class (\`foundation/rollup-error.ts\`): a code, a sentence, and \`data\` with the facts
behind it. Branch on the code, never on the sentence. Where one code has several cases, \`data\` says which. Each entry has the HTTP status, *retry* where
the same call may succeed later without any change of its arguments, the meaning, and what to do. Over HTTP:
\`{"error": {code, message, data, remedy, docs}}\` with that status. Made by \`npx tsx scripts/errors.ts\` from the tables of the code; a test compares them.

${sections.join("\n")}`;
}

/** Renders the error table for pages: each code with its meaning and remedy. */
export function renderErrorsJson(): string {
  const rows = TABLES.flatMap((table) =>
    Object.entries(table.rows).map(([code, { meaning, remedy }]) => [code, { meaning, remedy }]),
  );
  return `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(ERRORS_PAGE, renderErrors());
  writeFileSync(ERRORS_JSON, renderErrorsJson());
}
