/** MCP's tool `explain_answer`: the rows of an answer that this gateway paid for, with their texts by the model's server. */
import { clientError } from "@openledger/client/client-errors";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { rowNumber } from "@openledger/foundation/row-number";
import { fetchRow } from "@openledger/models/tuning/retrieval/citations";
import type { McpModules } from "./mcp-modules.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** Limits of one request for a row. */
const LIMITS = { timeoutMs: 10_000, maxFileBytes: 2 ** 20 };
/** Characters of a row's text. */
const MAX_TEXT = 2_000;

/** @throws CLI_UNKNOWN */
export async function explainAnswer(
  { client, journal, places }: McpModules,
  receipt: string,
): Promise<ToolAnswer> {
  const head = journal.heads.findLast((one) => one.receipt === receipt.toLowerCase() && one.payment !== null);
  if (head === undefined)
    throw clientError("CLI_UNKNOWN", `this gateway has paid for no answer with the receipt ${receipt}`, {
      data: { reason: "receipt" },
    });
  const { modelId, payment, state } = head;
  const { openledger, text } = (await journal.read(head.id)).answer!;
  const [operation, serverUrl] = await Promise.all([
    getOperation(client, payment!.signed.hash as `0x${string}`).catch(() => null),
    // Rows come from a server that the gateway is set up with now, and from no other address.
    places.urlOf(modelId).catch(() => null),
  ]);
  const rows = await Promise.all(
    openledger.rows.map(async (row) => ({
      ...row,
      text: serverUrl === null ? null : await textOf(serverUrl, row.row),
    })),
  );
  const lines = rows.map(
    ({ contributorId, row, share, text: words }) =>
      `row ${rowNumber(row)} of leaf ${contributorId}, ${(100 * share).toFixed(2)} %: ${words ?? "(not published)"}`,
  );
  return result(lines.join("\n"), {
    receipt: openledger.receipt,
    modelId,
    state,
    paymentHash: payment!.signed.hash,
    paymentStage: operation?.status ?? null,
    priceOpen: openledger.priceOpen,
    text,
    rows,
  });
}

/** The text of a row; null where the server publishes none, or none that can be read. */
async function textOf(serverUrl: string, row: number): Promise<string | null> {
  const published = await fetchRow(serverUrl, row, undefined, LIMITS).catch(() => null);
  return published?.text.slice(0, MAX_TEXT) ?? null;
}
