/** MCP's tools `search_rows` and `contribute_rows`: rows of Datanets, at the host that the gateway knows. */
import { openRowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import {
  bringContribution,
  commitContribution,
  findCommit,
  planContribution,
} from "@openledger/client/tasks/contribute";
import { type Choices, requireDecided, requireKnownChoices } from "@openledger/datanets/import/decision";
import { readImport } from "@openledger/datanets/import/read-import";
import { requireNone } from "@openledger/datanets/import/refusal";
import { hex32 } from "@openledger/foundation/hex";
import { gatewayError } from "../gateway-errors.ts";
import { confirmationOf, excerptOf, type ToolCall } from "./confirmation.ts";
import type { McpModules } from "./mcp-modules.ts";
import { boundedWords, quotedRows } from "./quoted-rows.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** @throws GAT_NO_HOST */
function requireHost({ hostUrl }: McpModules): string {
  if (hostUrl !== null) return hostUrl;
  throw gatewayError("GAT_NO_HOST", "the gateway knows no Datanet host");
}

/** @throws GAT_NO_HOST, and the errors of `findRows` */
export async function searchRows(
  modules: McpModules,
  { datanetId, limit, text }: { datanetId: number; text: string; limit: number },
): Promise<ToolAnswer> {
  const hostUrl = requireHost(modules);
  const page = await findRows(modules.client, { hostUrl, datanetId, text, limit });
  const rows = page.rows.map(({ contributorId, digest, excerpt, label, outcome }) => ({
    digest,
    contributorId,
    label,
    state: outcome.state,
    excerpt: boundedWords(excerpt),
  }));
  const quoted = rows.map(({ contributorId, excerpt }) => ({
    contributor: `leaf ${contributorId}`,
    excerpt,
  }));
  const { isTotalExact, total } = page;
  return {
    content: [{ type: "text", text: `${total} rows match.` }, quotedRows(quoted)],
    structuredContent: { datanetId, total, isTotalExact, rows },
  };
}

interface ContributeRequest {
  readonly datanetId: number;
  readonly rows: readonly object[];
  /** Readings where the rows admit several, by the keys of an earlier refusal. */
  readonly choices: Choices;
}

/**
 * Commits rows, or uploads those that an earlier call has committed.
 * @throws GAT_NO_HOST, GAT_NOT_CONFIRMED, DNT_FILE_UNREADABLE, DNT_READING_OPEN, DNT_READING_UNKNOWN, DNT_TERMS_UNSIGNED before anything is paid; as `commitContribution` and
 *   `bringContribution`
 */
export async function contribute(
  modules: McpModules,
  { choices, datanetId, rows: given }: ContributeRequest,
  call: ToolCall,
): Promise<ToolAnswer> {
  const { asker, budget, client, leafId, rowsFolder } = modules;
  const hostUrl = requireHost(modules);
  const { card } = await getHostedDatanet(client, { hostUrl, datanetId });
  const lines = given.map((row) => JSON.stringify(row)).join("\n");
  const file = { name: "rows.jsonl", content: new TextEncoder().encode(lines) };
  const imported = await readImport(card, [file], {}, { choices });
  const { decisions, labels, refused, rows: contents } = imported;
  requireKnownChoices(choices, decisions);
  requireDecided(decisions);
  requireNone(refused);
  const store = await openRowStore(rowsFolder);
  // Before anything is paid: a tool's caller signs no terms.
  const planned = await planContribution(client, { card, datanetId, labels, rows: contents, store });
  const { rowCount, rowsRoot } = await storeContribution(store, planned.rows);
  const facts = { datanetId, rowsRoot: hex32(rowsRoot), rowCount, contributorId: leafId };
  if ((await findCommit(client, { datanetId, contributorId: leafId, rowsRoot })) === null) {
    const { feeWei } = await budget.feeOf("commitData");
    const message = `Pay ${formatOpen(feeWei)} OPEN of fees and commit ${rowCount} rows to Datanet ${datanetId}: ${excerptOf(lines)}`;
    const question = confirmationOf(modules, call, { key: `commit-${datanetId}-${facts.rowsRoot}`, message });
    if (question !== null) return question;
    // One nonce after another, as payments are signed.
    const { sent } = await asker.inTurn("commitData", () => commitContribution(client, planned));
    return result(`${rowCount} rows are committed; call again once that is final on Ethereum`, {
      ...facts,
      state: "committed",
      operationHash: sent?.hash ?? null,
    });
  }
  if ((await bringContribution(client, { hostUrl, datanetId, store, rowsRoot })) === null) {
    const text = "the rows are committed, and not yet final on Ethereum: call again later";
    return result(text, { ...facts, state: "committed", operationHash: null });
  }
  return result(`the host has ${rowCount} rows`, { ...facts, state: "uploaded", operationHash: null });
}
