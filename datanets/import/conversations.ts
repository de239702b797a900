/** Conversations as people's files have them, OpenAI's `messages` and ShareGPT's `conversations`: the turns of a row, or a refusal by name. */
import type { ChatMessage } from "@openledger/attribution/rows/text-rows";
import { Numeral, parseStrictJson } from "@openledger/foundation/exact-json";
import { type Cell, CellError } from "./cell.ts";

/** Names of roles in other forms, by that of a row. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ["human", "user"],
  ["gpt", "assistant"],
  ["chatgpt", "assistant"],
  ["bot", "assistant"],
  ["model", "assistant"],
]);

/** True for a list of turns: objects with a role and its content, or with who says it and the value. */
export function isConversation(cell: Cell): boolean {
  if (!Array.isArray(cell) || cell.length === 0) return false;
  return cell.every((turn: unknown) => {
    const { content, from, role, value } = (turn ?? {}) as Record<string, unknown>;
    return (
      (typeof role === "string" && content !== undefined) || (typeof from === "string" && value !== undefined)
    );
  });
}

/**
 * Returns the turns of a conversation: of a list, or of its JSON as a text.
 * @throws CellError for what no row has: tools, pictures, names, and turns that do not count
 */
export function turnsOfCell(cell: Cell): readonly ChatMessage[] {
  let list: unknown = cell;
  try {
    if (typeof cell === "string") list = parseStrictJson(cell);
  } catch (cause) {
    throw new CellError("is no list of messages", { cause });
  }
  if (!Array.isArray(list)) throw new CellError("is no list of messages");
  return (list as unknown[]).map(turnOf);
}

function turnOf(turn: unknown): ChatMessage {
  if (typeof turn !== "object" || turn === null) throw new CellError("has a message that is no object");
  const { content, from, role, value, weight, ...others } = turn as Record<string, unknown>;
  const name = String(role ?? from).toLowerCase();
  const known = ROLES.get(name) ?? name;
  const [other] = Object.entries(others).filter(([, part]) => part !== null && part !== undefined);
  if (other !== undefined) throw new CellError(`has a message with "${other[0]}", which a row cannot have`);
  requireUsualWeight(known, weight);
  return { role: known as ChatMessage["role"], content: textOfContent(content ?? value) };
}

/** A model learns the answers of a row, and no questions: a weight that says so says nothing else. */
function requireUsualWeight(role: string, weight: unknown): void {
  if (weight === null || weight === undefined) return;
  const number = weight instanceof Numeral || typeof weight === "bigint" ? Number(String(weight)) : weight;
  if (number === (role === "assistant" ? 1 : 0)) return;
  throw new CellError(`has a message of ${role} with "weight" ${String(weight)}, which a row cannot have`);
}

function textOfContent(content: unknown): string {
  if (typeof content === "string") return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [];
  const texts = parts.flatMap((part) => {
    const { text, type } = (part ?? {}) as Record<string, unknown>;
    return type === "text" && typeof text === "string" ? [text] : [];
  });
  if (parts.length > 0 && texts.length === parts.length) return texts.join("");
  throw new CellError("has a message whose content is no text");
}
