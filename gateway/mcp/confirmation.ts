/** Confirmation by a person before a tool spends, where the gateway demands it (`--confirm`). */
import { inputRequired, inputResponse, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { gatewayError } from "../gateway-errors.ts";
import type { McpModules } from "./mcp-modules.ts";
import type { ToolAnswer } from "./tool-answer.ts";

const confirmationSchema = z.object({ pay: z.boolean().describe("true pays") });

/** Call of a tool, with what its client can do. */
export interface ToolCall {
  readonly context: ServerContext;
  /** True if the client can ask a person. */
  readonly hasElicitation: boolean;
}

export interface Confirmation {
  /** Key of the confirmation among the inputs that a client gives: it names what is confirmed, so that another cost is asked anew. */
  readonly key: string;
  readonly message: string;
}

/**
 * Returns the question for the person, or null where they have confirmed, or nobody has to.
 * @throws GAT_NOT_CONFIRMED where they have not, or the client can ask nobody
 */
export function confirmationOf(
  { isConfirmed }: Pick<McpModules, "isConfirmed">,
  { context, hasElicitation }: ToolCall,
  { key, message }: Confirmation,
): ToolAnswer | null {
  if (!isConfirmed) return null;
  if (!hasElicitation)
    throw gatewayError(
      "GAT_NOT_CONFIRMED",
      "a person has to confirm this, and the client has no elicitation",
      {
        data: { reason: "no-elicitation" },
      },
    );
  const input = inputResponse(context.mcpReq.inputResponses, key);
  if (input.kind === "missing")
    return inputRequired({
      inputRequests: { [key]: inputRequired.elicit({ message, requestedSchema: confirmationSchema }) },
    });
  const isAccepted = input.kind === "elicit" && input.action === "accept";
  if (isAccepted && confirmationSchema.safeParse(input.content).data?.pay === true) return null;
  throw gatewayError("GAT_NOT_CONFIRMED", "it was not confirmed; nothing was paid", {
    data: { reason: "declined" },
  });
}

/** First characters of a text, for a person's question. */
export const excerptOf = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
