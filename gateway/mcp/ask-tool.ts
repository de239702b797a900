/** MCP's tool `ask`: confirms the payment where the gateway demands it, asks, and pays. */
import { inputRequired, inputResponse, type ServerContext } from "@modelcontextprotocol/server";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { z } from "zod";
import { promptOfChat } from "../asking/model-chat.ts";
import type { PricedModel } from "../asking/model-places.ts";
import { gatewayError } from "../gateway-errors.ts";
import type { McpModules } from "./mcp-modules.ts";
import { result, type ToolAnswer } from "./tool-answer.ts";

/** Key of the confirmation among the inputs that a client gives. It has the price: another one is confirmed again. */
const keyOf = ({ priceWei }: PricedModel) => `pay-${priceWei}`;
const confirmationSchema = z.object({ pay: z.boolean().describe("true pays for the answer") });

/** @throws as `Asker.ask`; GAT_NOT_CONFIRMED */
export async function askAndPay(
  modules: McpModules,
  { model, prompt }: { model: string; prompt: string },
  { mcpReq }: ServerContext,
): Promise<ToolAnswer> {
  const { asker, isConfirmed, places } = modules;
  const place = await places.find(model);
  if (isConfirmed) {
    const priced = await places.model(model);
    const given = inputResponse(mcpReq.inputResponses, keyOf(priced));
    if (given.kind === "missing") return confirmation(priced, prompt);
    const isAccepted = given.kind === "elicit" && given.action === "accept";
    if (!isAccepted || confirmationSchema.safeParse(given.content).data?.pay !== true)
      throw gatewayError("GAT_NOT_CONFIRMED", "the payment was not confirmed; nothing was asked");
  }
  const opened = await asker.open(place);
  const question = { place, prompt: promptOfChat(opened, { messages: [{ role: "user", content: prompt }] }) };
  const { delivered, finish, openledger, text } = await asker.ask(question, { signal: mcpReq.signal });
  // Who has left gets it when they ask the same again.
  if (!mcpReq.signal.aborted) await delivered();
  return result(text, { text, finish, openledger });
}

function confirmation(model: PricedModel, prompt: string): ToolAnswer {
  const { name, priceWei } = model;
  const excerpt = prompt.length > 200 ? `${prompt.slice(0, 200)}…` : prompt;
  return inputRequired({
    inputRequests: {
      [keyOf(model)]: inputRequired.elicit({
        message: `Pay ${formatOpen(priceWei)} OPEN for an answer of ${name} to: ${excerpt}`,
        requestedSchema: confirmationSchema,
      }),
    },
  });
}
