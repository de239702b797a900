/**
 * `openledger datanet contribute`: reads files as rows by their format and the card, stores them, and commits their root. A dry run lists what is wrong with the rows.
 */

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
import {
  decisionAnswer,
  decisionLines,
  requireDecided,
  requireKnownChoices,
} from "@openledger/datanets/import/decision";
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
import { withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { agreedCard, TERMS_OPTION, termsLines } from "./card-terms.ts";
import { ANY_HOST_OPTION } from "./host-options.ts";
import { IMPORT_OPTIONS, type ImportRequest, readRequest } from "./import-files.ts";
import { CANNOT_BE_UNDONE } from "./withdraw-row-command.ts";

export const addContribute = command({
  usage: "contribute <datanet> <files...>",
  about:
    "store files as rows and commit their root to the Datanet; a dry run lists the first rows, copies, broken rows, secrets and personal numbers",
  options: {
    ...CARD_OPTION,
    ...ANY_HOST_OPTION,
    ...IMPORT_OPTIONS,
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
    "datanet contribute 6 customers.csv --card card.json --read number-marks:Revenue=thousands --account bob",
    "datanet contribute 6 facts.txt --lines --no-commit --account bob",
  ],
  forcedAs: "datanet contribute DATANET FILES --no-commit, then the openledger force that it prints",
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const request = await readRequest(args.slice(1), options);
    const card = await findCard(options, datanetId);
    const imported = await importFiles(card, request);
    requireKnownChoices(request.choices, imported.decisions);
    if (options.dryRun === true) return preview({ options, card, imported, datanetId, output });
    const { decisions, labels, refused, rows: contents } = imported;
    requireDecided(decisions);
    const inputUnder = agreedCard(datanetId, card, options.terms);
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
  const { decisions, labels, mapping, refused, rows, unused } = imported;
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
    {
      ...{ rowCount: rows.length, labelCount, mapping, unused, refused, findings },
      decisions: decisions.map(decisionAnswer),
    },
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

/** Rows of files; without a card there is no mapping to show. */
type ImportedRows = Omit<Imported, "mapping"> & Partial<Pick<Imported, "mapping">>;

/** @throws DNT_FILE_UNREADABLE if a field has no column, CMD_USAGE */
async function importFiles(
  card: Card | null,
  { files, mapping, settings }: ImportRequest,
): Promise<ImportedRows> {
  if (card === null) {
    const { readWithoutCard } = await import("@openledger/datanets/import/without-card");
    return readWithoutCard(files, mapping, settings);
  }
  const { readImport } = await import("@openledger/datanets/import/read-import");
  return readImport(card, files, mapping, settings);
}

/** How the files were read, where there was a choice, and columns that no row has. */
const readLines = ({ decisions, notices, unused }: ImportedRows) => [
  ...decisionLines(decisions),
  ...notices,
  ...unused.map((name) => `column "${name}" is not used`),
];
