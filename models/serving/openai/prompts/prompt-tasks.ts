/**
 * Tasks of a thread with a tokenizer of its own, which turns prompts into tokens for the answer server; encoding-lane.ts starts
 * it.
 */

import type { Chat } from "@openledger/attribution/model/model-chat";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { folderSource } from "../../../engine/files/folder-source.ts";
import { chatText } from "../../../engine/tokens/chat-text.ts";
import { openTokenizer } from "../../../engine/tokens/tokenizer.ts";
import { tooManyBytes } from "./prompt-limits.ts";

export interface EncodingSeat {
  readonly basePath: string;
  readonly vocabularySize: number;
  /** Maximum bytes of a text that is encoded. */
  readonly maxBytes: number;
}

const { basePath, maxBytes, vocabularySize } = taskSeat<EncodingSeat>();
const tokens = await openTokenizer(folderSource(basePath), vocabularySize);

/** A chat, with the date that its template may write. */
export interface DatedChat {
  readonly chat: Chat;
  readonly date: string;
}

/** @throws RollupError MOD_CHAT_REFUSED, MOD_SERVE_PROMPT_TOO_LONG for a chat whose text cannot fit */
export function encode(prompt: string | DatedChat): Uint32Array {
  if (typeof prompt === "string") return Uint32Array.from(tokens.encode(prompt));
  const text = chatText(tokens.chat(), prompt.chat, prompt.date);
  const byteCount = Buffer.byteLength(text);
  if (byteCount > maxBytes) throw tooManyBytes(byteCount, maxBytes, "messages");
  return Uint32Array.from(tokens.encode(text));
}
