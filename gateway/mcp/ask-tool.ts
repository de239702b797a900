/** MCP's tool `ask`: confirms the payment where the gateway demands it, asks, and pays. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { promptOfChat } from "../asking/prompt-of-chat.ts";
import { confirmationOf, excerptOf, type ToolCall } from "./confirmation.ts";
import type { McpModules } from "./mcp-modules.ts";
import type { NoteDelivery } from "./mcp-over-http.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** @throws as `Asker.ask`; GAT_NOT_CONFIRMED */
export async function askAndPay(
  modules: McpModules,
  { model, prompt }: { model: string; prompt: string },
  call: ToolCall,
  note: NoteDelivery,
): Promise<ToolAnswer> {
  const { asker, isConfirmed, locations } = modules;
  const { id, signal } = call.context.mcpReq;
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
  // The SDK aborts its signal also when the answered request ends: what happens then is the connection's to note.
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  const paid = await asker
    .ask(question, { signal: leaving.signal })
    .finally(() => signal.removeEventListener("abort", leave));
  // Who has left gets it when they ask the same again.
  if (signal.aborted) paid.left();
  else await note(id, paid);
  const { finish, openledger, text } = paid;
  return result(text, { text, finish, openledger });
}
