/** `openledger datanet preview`: reads a person's files as rows without a server, and lists how they were read. */
import type { Card } from "@openledger/datanets/card/card";
import { decisionAnswer, decisionLines, requireKnownChoices } from "@openledger/datanets/import/decision";
import type { FileTable } from "@openledger/datanets/import/file-table";
import type { ImportMapping } from "@openledger/datanets/import/mapping";
import { refusalOf, refusalText } from "@openledger/datanets/import/refusal";
import { counted } from "@openledger/foundation/counted";
import { rowNumber } from "@openledger/foundation/row-number";
import { CARD_OPTION } from "../../cli/common-options.ts";
import { renderTable } from "../../cli/output.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";
import { IMPORT_OPTIONS, readRequest } from "./import-files.ts";

/** Rows that people are shown. */
const SHOWN_ROWS = 10;
const SHOWN_CHARACTERS = 100;

export const addPreview = command({
  usage: "preview <files...>",
  about:
    "read files as rows, without a server: each place where they admit several readings, with the one taken, then the rows",
  options: { ...CARD_OPTION, ...IMPORT_OPTIONS },
  examples: [
    "datanet preview customers.csv",
    "datanet preview mail.tsv --card card.json --json",
    "datanet preview sales.csv --read number-marks:Revenue=thousands --read first-line:sales.csv=data",
  ],
  run: async ({ args, options, output }) => {
    const { choices, files, mapping, settings } = await readRequest(args, options);
    // Loaded here: it would make every other command slower.
    const { readFiles } = await import("@openledger/datanets/import/read-files");
    const card = options.card === undefined ? null : await readCard(options.card);
    const table = await readFiles(files, settings, card?.labels);
    const proposal = card === null ? await propose(table, choices) : null;
    const rules = card ?? proposal!.card;
    const read = await rowsOf(rules, table, { ...proposal?.mapping, ...mapping }, choices);
    const { labels, places, refused, rows } = read;
    const decisions = proposal === null ? read.decisions : merged(proposal.decisions, read.decisions);
    requireKnownChoices(choices, decisions);
    const { viewRow } = await import("@openledger/datanets/rows/row-view");
    const labelCount = labels.filter((label) => label !== null).length;
    output.answer(
      [
        ...decisionLines(decisions),
        ...table.notices,
        ...(proposal === null || proposal.languages.length === 0
          ? []
          : [`languages of the rows: ${proposal.languages.join(", ")}`]),
        ...read.unused.map((name) => `column "${name}" is not used`),
        `${counted(rows.length, "row")}, ${counted(labelCount, "label")}; ${refused.length} refused`,
        ...renderTable(
          rows.slice(0, SHOWN_ROWS).map((row, i) => {
            const text = viewRow(rules, row).text || counted(row.length, "byte");
            const shown = text.replace(/\s+/g, " ").slice(0, SHOWN_CHARACTERS);
            return [`  row ${rowNumber(i)}`, labels[i] ?? "", shown];
          }),
        ),
        ...refused.map((refusal) => `  refused: ${refusalText(refusal)}`),
      ],
      {
        kind: rules.row.kind,
        rows: rows.map((row, i) => ({ ...places[i]!, label: labels[i]!, row: contentOf(rules, row) })),
        refused,
        decisions: decisions.map(decisionAnswer),
        unused: read.unused,
        mapping: read.mapping,
        ...(proposal === null ? {} : proposedAnswer(proposal)),
      },
    );
  },
});

type Rules = Pick<Card, "row" | "labels">;

async function readCard(path: string): Promise<Card> {
  const { nameCard } = await import("@openledger/datanets/card/card");
  return nameCard(await readJsonFile(path)).card;
}

/** Rows of a table; a card's field without a column is a refusal beside the decisions, which may be its cause. */
async function rowsOf(
  rules: Rules,
  table: FileTable,
  mapping: Partial<ImportMapping>,
  choices: Parameters<typeof requireKnownChoices>[0],
) {
  const { rowsOfTable } = await import("@openledger/datanets/import/read-import");
  try {
    return rowsOfTable(rules, table, mapping, choices);
  } catch (error) {
    const { decisions } = table;
    const isOpen = decisions.some((decision) => decision.isOpen);
    const refused = isOpen ? table.refused : [...table.refused, refusalOf(error, { file: "", line: 0 })];
    return { rows: [], labels: [], places: [], refused, decisions, unused: [], mapping: null };
  }
}

/** The rules of a card that the files suggest. */
async function propose(table: FileTable, choices: Parameters<typeof requireKnownChoices>[0]) {
  const { proposeCard } = await import("@openledger/datanets/import/propose-card");
  const { maxRowBytes } = await import("@openledger/datanets/import/without-card");
  const { decisions, fields, kind, labels, languages, mapping } = proposeCard(table, null, choices);
  const named = (name: string) => ({ name, description: "" });
  const card: Rules = {
    row: {
      kind,
      fields: fields.map(({ name, type }) => ({ ...named(name), type })),
      maxBytes: maxRowBytes(kind),
    },
    labels: labels.map(named),
  };
  return { card, languages, mapping, decisions };
}

/** Fields, labels and languages of a card for the files. */
const proposedAnswer = ({ card, languages }: Awaited<ReturnType<typeof propose>>) => ({
  fields: card.row.fields,
  labels: card.labels,
  languages,
});

/** Decisions about the columns, then those about their values that are not among them. */
function merged<One extends { readonly kind: string; readonly column: string | null }>(
  first: readonly One[],
  second: readonly One[],
): readonly One[] {
  const keyOf = ({ column, kind }: One) => JSON.stringify([kind, column]);
  const known = new Set(first.map(keyOf));
  return [...first, ...second.filter((one) => !known.has(keyOf(one)))];
}

/** A row as a program reads it: a table's values, a text, or the bytes of a picture. */
function contentOf({ row: { kind } }: Rules, row: Uint8Array): unknown {
  if (kind === "image") return { byteCount: row.length };
  const text = new TextDecoder().decode(row);
  return kind === "text" ? text : (JSON.parse(text) as unknown);
}
