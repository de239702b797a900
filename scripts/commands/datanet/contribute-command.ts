/**
 * `openledger datanet contribute`: reads files as rows by their format and the card, stores them, and commits their root, signed
 * or forced. A dry run lists what is wrong with the rows.
 */
import { readFile } from "node:fs/promises";
import { linesOf, rowsFromJsonLines } from "@openledger/attribution/rows/rows-from-lines";
import { contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import type { Card } from "@openledger/datanets/card/card";
import {
  FILE_FORMATS,
  type FileFormat,
  readRowsOf,
  requireFormat,
} from "@openledger/datanets/rows/read-rows";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "../../cli/cli-errors.ts";
import { CARD_OPTION, DRY_RUN_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { accountOf, type GlobalOptions, openReader, openSigner, signFor } from "../../cli/context.ts";
import { counted } from "../../cli/counted.ts";
import { withFallback } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command, waitWithProgress } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { FORCED_OPTIONS } from "../money/forced-operation.ts";

export const addContribute = command({
  usage: "contribute <datanet> <files...>",
  about:
    "store files as rows and commit their root to the Datanet; a dry run with a card lists copies, broken rows, secrets and personal numbers",
  options: {
    "--lines":
      "read every line of a file as a row; default: of a .jsonl file every line is a row in JSON (a labelled e-mail or digit, or a text: docs/reference/attribution.md), a text, a mail or an image is one row, and CSV and Parquet need a card",
    ...CARD_OPTION,
    "--format <name>": {
      about:
        "format of the files; default: by their extensions, and a file whose extension says none is refused",
      choices: FILE_FORMATS,
    },
    ...DRY_RUN_OPTION,
    ...FORCED_OPTIONS,
    ...withFallback(STORE_OPTION, workspacePaths.rows),
  },
  examples: [
    "datanet contribute 6 mail/*.eml --account bob",
    "datanet contribute 6 facts.txt --lines --account bob",
    "datanet contribute 6 mails.jsonl --account bob",
    "datanet contribute 6 mails.csv --card card.json --dry-run",
    "datanet contribute 6 mails.csv --card card.json --account bob",
    "datanet contribute 6 facts.txt --lines --forced --account bob",
  ],
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const paths = args.slice(1);
    const contents = await Promise.all(paths.map(readRowFile));
    const card = options.card === undefined ? null : await readCard(options.card);
    const format = options.format ?? (options.lines === true ? ("lines" as const) : undefined);
    const rows: Uint8Array[] = [];
    for (const [i, content] of contents.entries())
      for (const row of await rowsOfFile(card, { path: paths[i]!, content, format })) rows.push(row);
    if (options.dryRun === true) return preview({ options, card, rows, datanetId, output });
    const signer = await openSigner(options);
    const store = await openRowStore(options.rows);
    if (options.forced === true) {
      const { commitThroughL1 } = await import("./forced-rows.ts");
      const committed = { datanetId, store, contents: rows };
      const { contribution, facts, lines } = await commitThroughL1(signer, committed, options, output);
      const rowsRoot = hex32(contribution.rowsRoot);
      const secret = "keep the rows to yourself until a batch with the entry is final";
      output.answer([...lines, `root ${rowsRoot}; ${secret}`], {
        ...facts,
        datanetId,
        rowsRoot,
        rowCount: contribution.rowCount,
      });
      return;
    }
    const payer = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, payer);
    const { contribution, ...sent } = await contributeRows(client, {
      from: payer.id,
      datanetId,
      store,
      rows,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const rowsRoot = hex32(contribution.rowsRoot);
    const lines = [
      `${counted(contribution.rowCount, "row")} for datanet ${datanetId} (${stage}); keep them to yourself until the operation is final`,
      `root ${rowsRoot}, operation ${sent.hash}`,
    ];
    output.answer(lines, {
      ...sent,
      datanetId,
      rowsRoot,
      rowCount: contribution.rowCount,
      stage,
      batchNumber,
    });
  },
});

interface Previewed {
  readonly options: GlobalOptions & { readonly rows: string };
  readonly card: Card | null;
  readonly rows: readonly Uint8Array[];
  readonly datanetId: number;
  readonly output: Output;
}

/** Lists findings in the rows, and signs nothing. @throws CMD_USAGE without a card, which says what a row is */
async function preview({ options, card, rows, datanetId, output }: Previewed): Promise<void> {
  if (card === null) throw commandError("CMD_USAGE", "a dry run checks rows by their card: pass --card");
  const { previewRows } = await import("@openledger/datanets/rows/preview");
  const findings = previewRows(card, rows, await committed(options, datanetId));
  output.answer(
    [
      `${counted(rows.length, "row")}; ${counted(findings.length, "finding")}`,
      ...renderTable(
        findings.map(({ detail, from, kind, row, to }) => [
          `  row ${row + 1}`,
          kind,
          from === undefined ? "" : `characters ${from} to ${to}`,
          detail,
        ]),
      ),
    ],
    { rowCount: rows.length, findings },
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

/** @throws DNT_CARD_INVALID, CMD_USAGE */
async function readCard(path: string): Promise<Card> {
  const { nameCard } = await import("@openledger/datanets/card/card");
  return nameCard(await readJsonFile(path)).card;
}

interface RowsFile {
  readonly path: string;
  readonly content: Uint8Array;
  /** Format of the file; undefined: by the path's ending. */
  readonly format: FileFormat | undefined;
}

/** @throws DNT_FILE_UNREADABLE, ATT_ROW_INVALID, CMD_USAGE for a table without a card: it says which columns make a row */
async function rowsOfFile(
  card: Card | null,
  { content, format: namedFormat, path }: RowsFile,
): Promise<Uint8Array[]> {
  const format = namedFormat ?? requireFormat(path);
  if (card !== null) return readRowsOf(card, format, content, {}, path);
  if (format === "jsonl") return rowsFromJsonLines(content, path);
  if (format === "lines")
    return linesOf(content, path)
      .filter((line) => line !== "")
      .map((line) => new TextEncoder().encode(line));
  if (format === "whole") return [content];
  throw commandError("CMD_USAGE", `${path}: a row of ${format} is what the card says: pass --card`);
}

async function readRowFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  }
}
