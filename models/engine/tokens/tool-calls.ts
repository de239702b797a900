/**
 * Calls of tools in an answer's text, in the forms that published templates teach: Qwen's and Hermes' tags, Llama's object, Mistral's
 * list. Servers and customers read the same calls out of the same text.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { AnswerMessage, ChatTool, ToolCall } from "@openledger/attribution/model/model-chat";

const [OPEN, CLOSE] = ["<tool_call>", "</tool_call>"];
/** Mistral's templates take ids of nine letters and digits alone. */
const ID_LENGTH = 9;

/** Reads the calls of these tools out of an answer. A text that calls none of them, or has another form, is a text. */
export function answerMessage(text: string, tools: readonly ChatTool[]): AnswerMessage {
  const plain = { content: text, toolCalls: [] };
  if (tools.length === 0) return plain;
  const at = text.indexOf(OPEN!);
  const found = at < 0 ? jsonCalls(text.trim()) : taggedCalls(text.slice(at));
  if (found === null) return plain;
  const names = new Set(tools.map((tool) => tool.function.name));
  const calls: ToolCall[] = [];
  for (const [i, call] of found.entries()) {
    const { arguments: input, name, parameters } = (call ?? {}) as Record<string, unknown>;
    const own = input ?? parameters ?? {};
    if (typeof name !== "string" || !names.has(name) || typeof own !== "object" || Array.isArray(own))
      return plain;
    const id = bytesToHex(sha256(utf8ToBytes(`${i} ${text}`))).slice(0, ID_LENGTH);
    const written = writtenAgain(own);
    if (written === null) return plain;
    calls.push({ id, type: "function", function: { name, arguments: written } });
  }
  if (calls.length === 0) return plain;
  const before = at < 0 ? "" : text.slice(0, at).trim();
  return { content: before === "" ? null : before, toolCalls: calls };
}

/** Number of characters of a growing text that are certainly no part of a call. */
export function textBeforeCalls(soFar: string): number {
  const start = soFar.length - soFar.trimStart().length;
  if (start === soFar.length || soFar[start] === "{" || soFar[start] === "[") return 0;
  const at = soFar.indexOf(OPEN!);
  if (at >= 0) return at;
  let held = Math.min(soFar.length, OPEN!.length - 1);
  while (held > 0 && !OPEN!.startsWith(soFar.slice(soFar.length - held))) held--;
  return soFar.length - held;
}

function taggedCalls(text: string): unknown[] | null {
  const parts = text.split(OPEN!).slice(1);
  const calls = parts.map((part) => {
    const end = part.indexOf(CLOSE!);
    return parsed(end < 0 ? part : part.slice(0, end));
  });
  return calls.includes(undefined) ? null : calls;
}

function jsonCalls(text: string): unknown[] | null {
  if (!text.startsWith("{") && !text.startsWith("[")) return null;
  const value = parsed(text);
  if (value === undefined) return null;
  return Array.isArray(value) ? value : [value];
}

/** JSON of a call's arguments; null where they are nested too deeply to be written, which parsing does not mind. */
function writtenAgain(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
