/**
 * `openledger datanet contribute`: reads files as rows by their format and the card, stores them, and commits their root. A dry run lists what is wrong with the rows.
 */

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import type { LedgerClient } from "@openledger/client/ledger-client";
import {
  commitContribution,
  type PlannedContribution,
  planContribution,
  storeContributed,
} from "@openledger/client/tasks/contribute";
import type { Card } from "@openledger/datanets/card/card";
import { FILE_FORMATS, IMPORT_LIMITS, type ImportFile } from "@openledger/datanets/import/import-file";
import type { Separator } from "@openledger/datanets/import/read-csv";
import type { Imported } from "@openledger/datanets/import/read-import";
import { refusalText, requireNone } from "@openledger/datanets/import/refusal";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { rowNumber } from "@openledger/foundation/row-number";
import { commandError } from "../../cli/cli-errors.ts";
import { CARD_OPTION, DRY_RUN_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import {
  accountOf,
  type GlobalOptions,
  knownDatanetHost,
  openReader,
  openSigner,
  type Signer,
  signFor,
} from "../../cli/context.ts";
import { collect, withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { agreedCard, TERMS_OPTION, termsLines } from "./card-terms.ts";
import { ANY_HOST_OPTION } from "./host-options.ts";
import { CANNOT_BE_UNDONE } from "./withdraw-row-command.ts";

/** Names of separators, as a shell takes them. */
const SEPARATORS: Readonly<Record<string, Separator>> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  bar: "|",
};

export const addContribute = command({
  usage: "contribute <datanet> <files...>",
  about:
    "store files as rows and commit their root to the Datanet; a dry run lists the first rows, copies, broken rows, secrets and personal numbers",
  options: {
    ...CARD_OPTION,
    ...ANY_HOST_OPTION,
    "--format <name>": {
      about:
        "format of the files; default: by their extensions, and a file whose extension says none is refused",
      choices: FILE_FORMATS,
    },
    "--lines": "read every line of a file as a row: --format lines",
    "--column <field=column>": {
      about:
        "column of a field, if the file calls it otherwise; field= leaves a field without one; may be given several times",
      fallback: [],
      parse: collect,
    },
    "--label <column>":
      "column of your labels; default: the one whose values are the card's labels; none: none",
    "--decimal-comma": "read 12,5 as a number",
    "--separator <name>": {
      about: "separator of a CSV file's fields; default: the one that divides all its lines alike",
      choices: Object.keys(SEPARATORS),
    },
    ...TERMS_OPTION,
    "--take-rest": "leave out what cannot be read, and contribute the rest",
    ...DRY_RUN_OPTION,
    "--no-commit":
      "store the rows and what you sign with them, and print the forced operation that commits them",
    ...WAIT_OPTION,
    ...withFallback(STORE_OPTION, workspacePaths.rows),
  },
  examples: [
    "datanet contribute 6 mail/*.eml --account bob",
    "datanet contribute 6 facts.txt --lines --account bob",
    "datanet contribute 6 pictures/ more-pictures.zip --dry-run",
    "datanet contribute 6 clauses.csv --column text=Clause --label Kind --dry-run",
    "datanet contribute 6 clauses.csv --column text=Clause --label Kind --account bob",
    "datanet contribute 6 clauses.csv --terms CC-BY-4.0 --account bob",
    "datanet contribute 6 customers.csv --card card.json --decimal-comma --take-rest --account bob",
    "datanet contribute 6 facts.txt --lines --no-commit --account bob",
  ],
  forcedAs: "datanet contribute DATANET FILES --no-commit, then the openledger force that it prints",
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const format = options.format ?? (options.lines === true ? ("lines" as const) : undefined);
    const files = await readImportFiles(args.slice(1), format);
    const card = await findCard(options, datanetId);
    const imported = await importFiles(card, files, options);
    if (options.dryRun === true) return preview({ options, card, imported, datanetId, output });
    const inputUnder = agreedCard(datanetId, card, options.terms);
    const { labels, refused, rows: contents } = imported;
    if (options.takeRest !== true) requireNone(refused);
    if (contents.length === 0) throw commandError("CMD_USAGE", "the files have no rows");
    const signer = await openSigner(options);
    const store = await openRowStore(options.rows);
    const planned = await planContribution(signer.client, {
      ...{ datanetId, store, card, rows: contents, labels },
      agreedLicence: options.terms,
    });
    const labelCount = labels.filter((label) => label !== null).length;
    const labelLines =
      labelCount === 0
        ? []
        : [
            `${counted(labelCount, "label goes with them", "labels go with them")}: datanet upload signs them`,
          ];
    if (!options.commit) {
      const client = await signerOf(signer, planned);
      const { rowCount, rowsRoot } = await storeContributed(client, planned);
      const root = hex32(rowsRoot);
      const instead = `openledger force commitData datanetId=${datanetId} rowsRoot=${root} rowCount=${rowCount}`;
      output.answer(
        [
          `${counted(rowCount, "row")} for datanet ${datanetId} are stored, and not committed: ${instead}`,
          "keep the rows to yourself until a batch with the entry is final",
          ...inputLines(inputUnder),
          ...labelLines,
          ...readLines(imported),
        ],
        { datanetId, rowsRoot: root, rowCount, labelCount, instead },
      );
      return;
    }
    const payer = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, payer);
    const { contribution, sent, target } = await commitContribution(client, { ...planned, from: payer.id });
    const { stage, batchNumber } = await waitWithProgress(client, target, options.wait, output);
    const rowsRoot = hex32(contribution.rowsRoot);
    const until = stage === "final" ? "" : "; keep them to yourself until the operation is final";
    const name = "hash" in target ? `operation ${target.hash}` : `queue entry ${target.queueIndex}`;
    const lines = [
      `${counted(contribution.rowCount, "row")} for datanet ${datanetId} (${stage})${until}`,
      `root ${rowsRoot}, ${name}${sent === null ? ", committed before: nothing was signed" : ""}`,
      ...inputLines(inputUnder),
      ...labelLines,
      ...readLines(imported),
    ];
    output.answer(lines, {
      ...sent,
      ...target,
      wasCommitted: sent === null,
      datanetId,
      rowsRoot,
      rowCount: contribution.rowCount,
      labelCount,
      stage,
      batchNumber,
    });
  },
});

/** Terms are signed by the account's key; without any to sign, no sequencer is asked whose leaf it is. */
const signerOf = async (signer: Signer, { givenUnder }: PlannedContribution): Promise<LedgerClient> =>
  givenUnder === undefined
    ? signer.client
    : signFor(signer, await accountOf(signer.client, signer.account.l1.address));

const inputLines = (card: Card | undefined): string[] =>
  card === undefined ? [] : [`given under ${card.licence}: datanet upload sends what you have signed`];

interface Previewed {
  readonly options: GlobalOptions & { readonly rows: string };
  readonly card: Card | null;
  readonly imported: ImportedRows;
  readonly datanetId: number;
  readonly output: Output;
}

/** Rows of the answer. */
const SHOWN_ROWS = 10;

/** Lists findings in the rows, and signs nothing. @throws CMD_USAGE without a card, which says what a row is */
async function preview({ options, card, imported, datanetId, output }: Previewed): Promise<void> {
  if (card === null)
    throw commandError("CMD_USAGE", "a dry run checks rows by their card: pass --card, or --host");
  const { labels, mapping, refused, rows, unused } = imported;
  const { previewRows } = await import("@openledger/datanets/rows/preview");
  const { viewRow } = await import("@openledger/datanets/rows/row-view");
  const findings = await previewRows(card, rows, await committed(options, datanetId));
  const labelCount = labels.filter((label) => label !== null).length;
  output.answer(
    [
      `${counted(rows.length, "row")}, ${counted(labelCount, "label")}; ${counted(findings.length, "finding")}; ${refused.length} refused`,
      ...readLines(imported),
      ...renderTable(
        rows.slice(0, SHOWN_ROWS).map((row, i) => {
          const text = viewRow(card, row).text || counted(row.length, "byte");
          return [`  row ${rowNumber(i)}`, labels[i] ?? "", text.replace(/\s+/g, " ").slice(0, 100)];
        }),
      ),
      ...refused.map((refusal) => `  refused: ${refusalText(refusal)}`),
      ...termsLines(card),
      `you can withdraw a row later, but ${CANNOT_BE_UNDONE}`,
      ...renderTable(
        findings.map(({ detail, from, kind, row, to }) => [
          `  row ${rowNumber(row)}`,
          kind,
          from === undefined ? "" : `characters ${from} to ${to}`,
          detail,
        ]),
      ),
    ],
    { rowCount: rows.length, labelCount, mapping, unused, refused, findings },
  );
}

/** Digests of all committed rows whose lists are in the store. */
async function committed(options: Previewed["options"], datanetId: number): Promise<Set<string>> {
  const client = await openReader(options);
  const store = await openRowStore(options.rows);
  const digests = new Set<string>();
  for (const { rowsRoot } of await listCommits(client, datanetId)) {
    try {
      for (const digest of (await readContribution(store, rowsRoot)).digests) digests.add(digest);
    } catch (error) {
      if (!isRollupError(error, "CLI_ROWS_MISSING")) throw error;
    }
  }
  return digests;
}

/**
 * Returns the card of the file, else the one that a host has; null without either.
 * @throws DNT_CARD_INVALID, CMD_USAGE, CLI_UNREACHABLE
 */
async function findCard(
  options: GlobalOptions & { readonly card?: string; readonly host?: string; readonly commit: boolean },
  datanetId: number,
): Promise<Card | null> {
  if (options.card !== undefined) {
    const { nameCard } = await import("@openledger/datanets/card/card");
    return nameCard(await readJsonFile(options.card)).card;
  }
  // What goes through Ethereum needs no host.
  const hostUrl = options.host ?? (options.commit ? knownDatanetHost() : undefined);
  if (hostUrl === undefined) return null;
  const { cardOfVersion } = await import("@openledger/client/datanets/datanet-card");
  try {
    return await cardOfVersion(await openReader(options), { hostUrl, datanetId }, 0n);
  } catch (error) {
    // A Datanet without a card has rows of any form.
    if (isRollupError(error, "DNT_NOT_HOSTED") && options.host === undefined) return null;
    throw error;
  }
}

interface ImportOptions {
  readonly column: readonly string[];
  readonly label?: string;
  readonly decimalComma?: boolean;
  readonly separator?: string;
}

/** Rows of files; without a card there is no mapping to show. */
type ImportedRows = Omit<Imported, "mapping"> & Partial<Pick<Imported, "mapping">>;

/** @throws DNT_FILE_UNREADABLE if a field has no column, CMD_USAGE */
async function importFiles(
  card: Card | null,
  files: readonly ImportFile[],
  { column, decimalComma, label, separator }: ImportOptions,
): Promise<ImportedRows> {
  const columns = column.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw commandError("CMD_USAGE", `"${pair}" is no field=column`);
    return [pair.slice(0, at), pair.slice(at + 1) || null] as const;
  });
  const mapping = {
    columns: Object.fromEntries(columns),
    hasDecimalComma: decimalComma === true,
    ...(label === undefined ? {} : { label: label === "none" ? null : label }),
  };
  const known = separator === undefined ? undefined : SEPARATORS[separator];
  const settings = known === undefined ? {} : { separator: known };
  if (card === null) {
    const { readWithoutCard } = await import("@openledger/datanets/import/without-card");
    return readWithoutCard(files, mapping, settings);
  }
  const { readImport } = await import("@openledger/datanets/import/read-import");
  return readImport(card, files, mapping, settings);
}

/** How the files were read, where there was a choice, and columns that no row has. */
const readLines = ({ notices, unused }: ImportedRows) => [
  ...notices,
  ...unused.map((name) => `column "${name}" is not used`),
];

/** Reads the files, and those in folders, which keep the folder in their names. @throws CMD_USAGE, also for too many bytes */
async function readImportFiles(
  paths: readonly string[],
  format: ImportFile["format"],
): Promise<ImportFile[]> {
  const named = (await Promise.all(paths.map(filesAt))).flat();
  const bytes = named.reduce((sum, { size }) => sum + size, 0);
  if (bytes > IMPORT_LIMITS.bytes)
    throw commandError(
      "CMD_USAGE",
      `the files have ${bytes} bytes, and ${IMPORT_LIMITS.bytes} are read at once`,
    );
  return Promise.all(
    named.map(async ({ path }) => {
      const content = await readFile(path).catch((cause: Error) => {
        throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
      });
      return { name: path, content, ...(format === undefined ? {} : { format }) };
    }),
  );
}

/** A file, or all files of a folder by name, without hidden ones. */
async function filesAt(path: string): Promise<{ readonly path: string; readonly size: number }[]> {
  try {
    const { isDirectory, size } = await stat(path).then((found) => ({
      isDirectory: found.isDirectory(),
      size: found.size,
    }));
    if (!isDirectory) return [{ path, size }];
    const names = (await readdir(path)).filter((name) => !name.startsWith(".")).sort();
    return (await Promise.all(names.map((name) => filesAt(join(path, name))))).flat();
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  }
}
