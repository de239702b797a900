/** MCP's tool `explain_answer`: the rows of an answer that this gateway paid for, with their texts by the model's server. */
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { fetchPublishedRows, findPublishedSpans } from "@openledger/attribution/spans/published-spans";
import type { Assurance } from "@openledger/client/actions/answers/model-answers";
import { clientError } from "@openledger/client/client-errors";
import { downloadVersionList } from "@openledger/client/datanets/download-rows";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { rowNumber } from "@openledger/foundation/row-number";
import { fetchRow } from "@openledger/models/tuning/retrieval/citations";
import type { z } from "zod";
import type { McpModules } from "./mcp-modules.ts";
import { type explainResult, MAX_SPANS, type ROW_CHECKS } from "./mcp-schemas.ts";
import { boundedWords, quotedRows } from "./quoted-rows.ts";
import type { ToolAnswer } from "./tool-answer.ts";

/** Limits of one request for a row; its bytes are those of the largest kind of rows. */
const LIMITS = { timeoutMs: 10_000 };
/** Limits of the rows that are searched for spans: a tool's caller waits. */
const ROWS_LIMITS = { timeoutMs: 10_000, maxFileBytes: 2 ** 24 };

/** @throws CLI_UNKNOWN */
export async function explainAnswer(modules: McpModules, receipt: string): Promise<ToolAnswer> {
  const { client, journal, locations } = modules;
  const head = journal.heads.findLast(
    (one) => one.receipt === receipt.toLowerCase() && one.payment !== null && one.hasAnswer,
  );
  if (head === undefined)
    throw clientError("CLI_UNKNOWN", `this gateway has paid for no answer with the receipt ${receipt}`, {
      data: { reason: "receipt" },
    });
  const { modelId, payment, state } = head;
  const { cited = [], openledger, text } = (await journal.read(head.id)).answer!;
  const [operation, serverUrl] = await Promise.all([
    getOperation(client, payment!.signed.hash as `0x${string}`).catch(() => null),
    // Rows come from a server that the gateway is set up with now, and from no other address.
    locations.urlOf(modelId).catch(() => null),
  ]);
  const ofVersion = serverUrl === null ? [] : await versionDigests(modules, { modelId, serverUrl });
  const rows = await Promise.all(
    openledger.rows.map(async (row) => {
      const ofReceipt = cited.find((one) => one.row === row.row)?.digest;
      const digest = ofReceipt ?? ofVersion[row.row];
      const check: RowCheck = ofReceipt !== undefined ? "receipt" : digest !== undefined ? "version" : "none";
      return { ...row, text: serverUrl === null ? null : await textOf(serverUrl, row.row, digest), check };
    }),
  );
  const quoted = rows.map(({ check, contributorId, row, share, text: words }) => ({
    row: rowNumber(row),
    contributor: `leaf ${contributorId}`,
    share: `${(100 * share).toFixed(2)} %`,
    text: words ?? null,
    check,
  }));
  const { rows: how } = openledger.assurance;
  const summary = `The answer pays ${rows.length} rows, the largest share first; their shares are ${SHARES[how]}.`;
  return {
    content: [{ type: "text", text: summary }, quotedRows(quoted)],
    structuredContent: {
      receipt: openledger.receipt,
      modelId,
      state,
      paymentHash: payment!.signed.hash,
      paymentStage: operation?.status ?? null,
      priceOpen: openledger.priceOpen,
      text,
      rows,
      spans: await spansOf(modules, { modelId, serverUrl }, text),
    },
  };
}

/** Searches the rows that the model's server publishes. A search that is not possible says why. */
async function spansOf(
  { asker }: McpModules,
  { modelId, serverUrl }: { modelId: number; serverUrl: string | null },
  text: string,
): Promise<Spans> {
  const none = (whyNot: string): Spans => ({ whyNot, searchedRowCount: 0, found: [] });
  if (serverUrl === null) return none("not published");
  try {
    const { family, recipe } = await asker.open({ modelId, serverUrl });
    const roots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
    const rows = await fetchPublishedRows(serverUrl, [family], roots, ROWS_LIMITS);
    if (typeof rows === "string") return none(rows);
    const { searchedRowCount, spans } = await findPublishedSpans(text, rows);
    const bytes = new TextEncoder().encode(text);
    const found = spans.slice(0, MAX_SPANS).map(({ end, rowCount, sources, start }) => ({
      text: boundedWords(new TextDecoder().decode(bytes.subarray(start, end))),
      rowCount,
      rows: sources.map(({ row }) => row),
    }));
    return { whyNot: null, searchedRowCount, found };
  } catch (error) {
    if (isRollupError(error)) return none(error.code);
    throw error;
  }
}

type Spans = z.output<typeof explainResult>["spans"];
type RowCheck = (typeof ROW_CHECKS)[number];

const SHARES: Readonly<Record<Assurance, string>> = {
  believed: "the model's server's word",
  recomputed: "computed by this gateway",
  proven: "proven",
};

/**
 * Digests of the version's rows in their order, which make the root that the ledger has; none where no host is known, the host does
 * not help, or the model has several Datanets.
 */
async function versionDigests(
  { asker, client, hostUrl }: McpModules,
  location: { modelId: number; serverUrl: string },
): Promise<readonly string[]> {
  if (hostUrl === null) return [];
  try {
    const { recipe } = await asker.open(location);
    if (recipe.furtherDatanets !== undefined) return [];
    const { id: datanetId, rowsRoot } = recipe.datanet;
    const rows = await downloadVersionList(client, { hostUrl, datanetId, rowsRoot: BigInt(rowsRoot) });
    return rows.map(({ digest }) => digest);
  } catch {
    // A list that is not there compares nothing, which each row says.
    return [];
  }
}

/** The beginning of a row's text; null where the server publishes none, or another row than the digest's. */
async function textOf(serverUrl: string, row: number, digest: string | undefined): Promise<string | null> {
  const published = await fetchRow(serverUrl, row, digest, LIMITS).catch(() => null);
  return published === null ? null : boundedWords(published.text);
}
