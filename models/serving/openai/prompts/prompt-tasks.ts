/**
 * Tasks of a thread with a tokenizer of its own, which turns prompts into tokens for the answer server; encoding-lane.ts starts
 * it.
 */
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import { folderSource } from "../../../engine/files/folder-source.ts";
import { openTokenizer } from "../../../engine/tokens/tokenizer.ts";

export interface EncodingSeat {
  readonly basePath: string;
  readonly vocabularySize: number;
}

const { basePath, vocabularySize } = taskSeat<EncodingSeat>();
const tokens = await openTokenizer(folderSource(basePath), vocabularySize);

export const encode = (text: string): Uint32Array => Uint32Array.from(tokens.encode(text));
