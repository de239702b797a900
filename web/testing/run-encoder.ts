/** A page's script for a test: digits of questions by a sentence encoder, which Node compares. */
import "../no-eval.ts";
import { vectorDigits } from "@openledger/models/tuning/retrieval/question-vectors";
import { openSentenceFile } from "@openledger/models/tuning/vectors/sentence-file";

/** @param file bytes of the encoder's file, as base64 */
export async function questionDigits(file: string, questions: readonly string[]): Promise<number[][]> {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const { dimensions, encodeQuestion } = await openSentenceFile(bytes, "wasm");
  return questions.map((question) => [...vectorDigits(encodeQuestion(question).components, dimensions)]);
}

Object.assign(globalThis, { questionDigits });
