/**
 * `openledger datanet index`: builds the index by which an answer server finds verbatim spans (docs/explanation/spans.md), from
 * a version's rows in the store.
 */

import { decodeTextRow, isTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { readVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, readRow } from "@openledger/client/actions/data/row-store";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { documentText, type RowText } from "@openledger/models/serving/spans/span-documents";
import type { DocumentInput } from "@openledger/models/serving/spans/span-index";
import { commandError } from "../../cli/cli-errors.ts";
import { OUT_FILE_OPTION, STORE_OPTION, VERSION_ROOT_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader } from "../../cli/context.ts";
import { required, withFallback } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";

interface IndexOptions {
  out: string;
  rows: string;
  versionRoot?: bigint;
}

export const addDatanetIndex = command({
  usage: "index <datanet>",
  about: "index the text of the published version's rows, to find verbatim spans of answers",
  options: {
    ...required(OUT_FILE_OPTION),
    ...withFallback(STORE_OPTION, workspacePaths.rows),
    ...VERSION_ROOT_OPTION,
  },
  examples: ["datanet index 10 --out mails.spans", "datanet index 10 --out mails.spans --json"],
  run: async ({ options, args, output }) => {
    const datanetId = parseId(args[0]!);
    const { buildSpanIndex } = await import("@openledger/models/serving/spans/span-index");
    const { writeIndexFile } = await import("@openledger/models/serving/spans/index-file");
    const rowsRoot = await versionRoot(options, datanetId);
    const { documents, rowText } = await readDocuments(options.rows, rowsRoot, (share) =>
      output.progress(`reading the rows: ${percent(share)}`),
    );
    const startedAtMs = performance.now();
    const index = buildSpanIndex(documents, {
      rowsRoot: hex32(rowsRoot).slice(2),
      rowText,
      onShare: (share) => output.progress(`sorting: ${percent(share)}`),
    });
    const buildMs = Math.round(performance.now() - startedAtMs);
    const { fileBytes } = await writeIndexFile(options.out, index);
    const { documentCount } = index;
    const textBytes = index.parts.text.length;
    const lines = [
      `${counted(documentCount, "row")} of datanet ${datanetId}, ${textBytes} bytes of ${rowText} text, indexed in ${(buildMs / 1000).toFixed(1)} s`,
      `${options.out} has ${fileBytes} bytes`,
    ];
    output.answer(lines, {
      datanetId,
      rowsRoot: hex32(rowsRoot),
      rowText,
      documentCount,
      textBytes,
      fileBytes,
      buildMs,
      out: options.out,
    });
  },
});

async function versionRoot(options: GlobalOptions & IndexOptions, datanetId: number): Promise<bigint> {
  if (options.versionRoot !== undefined) {
    await initPoseidon();
    return options.versionRoot;
  }
  const { datanet } = await getLeaf(await openReader(options), datanetId);
  if (datanet == null || datanet.version === 0)
    throw commandError("CMD_USAGE", `leaf ${datanetId} is no datanet with a published version`);
  return datanet.rowsRoot;
}

/** Passages by their text where the first row is one, and then all must be; other rows by their bytes. */
async function readDocuments(
  folder: string,
  rowsRoot: bigint,
  onRead: (share: number) => void,
): Promise<{ documents: DocumentInput[]; rowText: RowText }> {
  const store = await openRowStore(folder);
  const { rows } = await readVersion(store, rowsRoot);
  const documents: DocumentInput[] = [];
  let rowText: RowText = "plain";
  for (const [i, { contributorId, digest, validatorId }] of rows.entries()) {
    const content = await readRow(store, digest);
    if (i === 0) rowText = textOf(content);
    documents.push({ text: documentText(content, rowText), contributorId, validatorId, digest });
    onRead((i + 1) / rows.length);
  }
  return { documents, rowText };
}

/** Returns the kind of text that a row is, which all rows must be. */
function textOf(content: Uint8Array): RowText {
  try {
    if (isTextRow(content)) {
      decodeTextRow(content);
      return "passage";
    }
    return "plain";
  } catch {
    return "plain";
  }
}

const percent = (share: number) => `${Math.floor(share * 100)} %`;
