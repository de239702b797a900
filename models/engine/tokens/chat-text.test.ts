/** Tests of which chats are rendered on the thread that serves HTTP. */
import { expect, it } from "vitest";
import { isShortChat } from "./chat-text.ts";

const MAX = { messages: 2, characters: 10 };
const message = { role: "user" as const, content: "12345" };
const long = "1".repeat(6);

it.each([
  ["a content", { content: "1".repeat(11) }],
  ["a name", { name: long }],
  ["the id of a tool's call", { tool_call_id: long }],
])("counts %s to a chat's length", (_, field) => {
  expect(isShortChat({ messages: [message] }, MAX)).toBe(true);
  expect(isShortChat({ messages: [{ ...message, ...field }] }, MAX)).toBe(false);
});

it("takes no chat with tools, calls or many messages for a short one", () => {
  const call = { id: "a", type: "function" as const, function: { name: "f", arguments: "{}" } };
  for (const chat of [
    { messages: [message], tools: [{ type: "function" as const, function: { name: "f" } }] },
    { messages: [{ role: "assistant" as const, content: null, tool_calls: [call] }] },
    { messages: Array.from({ length: 3 }, () => ({ ...message, content: "1" })) },
  ])
    expect(isShortChat(chat, MAX)).toBe(false);
});
