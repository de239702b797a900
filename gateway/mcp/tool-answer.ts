/** Result of an MCP tool. */
import type { CallToolResult, InputRequiredResult } from "@modelcontextprotocol/server";

/** Result, or what a person has to say first. */
export type ToolAnswer = CallToolResult | InputRequiredResult;

/** Makes a result: words for the model, and the same facts by the tool's schema. */
export const result = (text: string, facts: object): ToolAnswer => ({
  content: [{ type: "text", text }],
  structuredContent: facts as Record<string, unknown>,
});
