/**
 * Tasks of a thread with a tokenizer of its own, which turns prompts into tokens for the answer server; encoding-lane.ts starts
 * it.
 */

import type { TemplateChat } from "@openledger/attribution/model/model-chat";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { folderSource } from "../../../engine/files/folder-source.ts";
import { chatText } from "../../../engine/tokens/chat-text.ts";
import { openTokenizer } from "../../../engine/tokens/tokenizer.ts";

export interface EncodingSeat {
  readonly basePath: string;
  readonly vocabularySize: number;
}

const { basePath, vocabularySize } = taskSeat<EncodingSeat>();
const tokens = await openTokenizer(folderSource(basePath), vocabularySize);

/** A chat, with the date that its template may write. */
export interface DatedChat {
  readonly chat: TemplateChat;
  readonly date: string;
}

export const encode = (prompt: string | DatedChat): Uint32Array =>
  Uint32Array.from(
    tokens.encode(typeof prompt === "string" ? prompt : chatText(tokens.chat(), prompt.chat, prompt.date)),
  );
