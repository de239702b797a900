/** MCP's tool `ask`: confirms the payment where the gateway demands it, asks, and pays. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { promptOfChat } from "../asking/prompt-of-chat.ts";
import { confirmationOf, excerptOf, type ToolCall } from "./confirmation.ts";
import type { McpModules } from "./mcp-modules.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** @throws as `Asker.ask`; GAT_NOT_CONFIRMED */
export async function askAndPay(
  modules: McpModules,
  { model, prompt }: { model: string; prompt: string },
  call: ToolCall,
): Promise<ToolAnswer> {
  const { asker, isConfirmed, locations } = modules;
  const { signal } = call.context.mcpReq;
  const place = await locations.find(model);
  const opened = await asker.open(place);
  const question = { place, prompt: promptOfChat(opened, { messages: [{ role: "user", content: prompt }] }) };
  if (isConfirmed) {
    const { priceWei } = await locations.model(model);
    // A row's answer is paid also where the row asks something else.
    const answered = opened.model.rowQuestionOf?.(question.prompt);
    const row = answered === undefined ? "" : `. A row answers whose question is: ${excerptOf(answered)}`;
    const message = `Pay ${formatOpen(priceWei)} OPEN for an answer of ${model} to: ${excerptOf(prompt)}${row}`;
    const confirmation = confirmationOf(modules, call, { key: `pay-${priceWei}`, message });
    if (confirmation !== null) return confirmation;
  }
  const { delivered, finish, openledger, text } = await asker.ask(question, { signal });
  // Who has left gets it when they ask the same again.
  if (!signal.aborted) await delivered();
  return result(text, { text, finish, openledger });
}
