/** MCP's tool `show_account`: budget, payments and earnings of the gateway's account. */
import { getRewards } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { McpModules } from "./mcp-modules.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** Payments of the answer. */
const MAX_PAYMENTS = 20;

export async function accountFacts({
  budget,
  client,
  journal,
  leafId,
  maxPriceWei,
}: McpModules): Promise<ToolAnswer> {
  const [leftWei, { rewards }] = await Promise.all([budget.leftWei(), getRewards(client, leafId)]);
  const paid = journal.heads.filter(({ state }) => state === "paid");
  const spentWei = paid.reduce((sum, { payment }) => sum + BigInt(payment!.priceWei), 0n);
  const leftOpen = formatOpen(leftWei);
  const spentOpen = formatOpen(spentWei);
  return result(`${leftOpen} OPEN are left; ${paid.length} answers were paid for ${spentOpen} OPEN`, {
    leafId,
    leftWei: `${leftWei}`,
    leftOpen,
    maxPriceOpen: formatOpen(maxPriceWei),
    answerCount: paid.length,
    spentOpen,
    payments: paid
      .slice(-MAX_PAYMENTS)
      .reverse()
      .map(({ askedAtMs, modelId, payment, receipt }) => ({
        modelId,
        receipt,
        priceOpen: formatOpen(BigInt(payment!.priceWei)),
        atMs: askedAtMs,
      })),
    earnings: rewards.map(({ claimableWei, earnedWei, modelId, role, rowCount }) => ({
      modelId,
      role,
      rowCount,
      earnedOpen: formatOpen(earnedWei),
      claimableOpen: formatOpen(claimableWei),
    })),
  });
}
