/** A thread with a tokenizer of its own: started by encoding-lane.ts. */
import { workerData } from "piscina";
import { folderSource } from "../../../engine/files/folder-source.ts";
import { openTokenizer } from "../../../engine/tokens/tokenizer.ts";

export interface EncodingSeat {
  readonly basePath: string;
  readonly vocabularySize: number;
}

const { basePath, vocabularySize } = workerData as EncodingSeat;
const tokens = await openTokenizer(folderSource(basePath), vocabularySize);

export const encode = (text: string): Uint32Array => Uint32Array.from(tokens.encode(text));
