/**
 * Worker of the contribute tab: reads chosen files as rows, hashes them and finds what is wrong with them. scan-rows.ts
 * starts it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Card } from "@openledger/datanets/card/card";
import { completeMapping, missingFields, unusedColumns } from "@openledger/datanets/import/mapping";
import { proposeCard } from "@openledger/datanets/import/propose-card";
import { readFiles } from "@openledger/datanets/import/read-files";
import { rowsOfTable } from "@openledger/datanets/import/read-import";
import { previewRows } from "@openledger/datanets/rows/preview";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { fitPictures } from "./fit-pictures.ts";
import type { ProposeTask, ScanAnswer, ScanTask } from "./scan-rows.ts";

const { postMessage } = globalThis as unknown as { postMessage(answer: ScanAnswer): void };

globalThis.onmessage = async ({ data }: MessageEvent<ScanTask | ProposeTask>) => {
  try {
    postMessage(await (data.kind === "look" ? look(data) : propose(data)));
  } catch (error) {
    const code = isRollupError(error) ? error.code : null;
    postMessage({ kind: "failed", code, message: error instanceof Error ? error.message : String(error) });
  }
};

async function look({ files, mapping: input, rules, settings }: ScanTask): Promise<ScanAnswer> {
  const read = await readFiles(files, settings, rules.labels);
  const table = rules.row.kind === "image" ? await fitPictures(read, rules.row.maxBytes) : read;
  const { columns, notices } = table;
  const mapping = completeMapping(rules, table, input);
  const missing = table.records.length === 0 ? [] : missingFields(rules.row, mapping);
  const imported =
    missing.length > 0
      ? {
          ...{ rows: [], labels: [], refused: table.refused, decisions: table.decisions },
          unused: unusedColumns(table, mapping),
        }
      : rowsOfTable(rules, table, mapping, settings.choices);
  const { decisions, labels, refused, rows, unused } = imported;
  return {
    kind: "done",
    columns,
    mapping,
    missing,
    unused,
    notices,
    decisions,
    refused,
    rows,
    labels,
    digests: rows.map((row) => bytesToHex(sha256(row))),
    findings: await previewRows(rules as Card, rows),
  };
}

async function propose({ choices, files, rowKind }: ProposeTask): Promise<ScanAnswer> {
  const table = await readFiles(files, choices === undefined ? {} : { choices });
  const { records, refused } = table;
  const proposal = proposeCard(table, rowKind, choices);
  return { kind: "proposed", proposal, rowCount: records.length, refused };
}
