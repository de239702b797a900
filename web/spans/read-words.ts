/**
 * Text of an answer, and the spans of it that occur word for word in the version: fetched and checked in the page. The Ask page
 * and the page of an answer show it.
 */

import { askSpans, type CheckedSpan } from "@openledger/models/serving/spans/check-spans";
import { type Problem, problemOf } from "../words/problem.tsx";

/** Answer that this page has checked, and the source of its words. */
export interface ServedAnswer {
  readonly serverUrl: string;
  /** Rows root of the version that the model's recipe names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  /** Answer as the receipt hashes it. */
  readonly answer: string;
}

export interface AnswerWords {
  readonly text: string;
  /** null if the server has no index. */
  readonly spans: readonly CheckedSpan[] | null;
  /** Error of the spans: the page shows a false one as an error, and the words without spans. */
  readonly problem: Problem | null;
}

/** null if the answer is no words but a label. */
export async function readWords({ answer, rowsRoot, serverUrl }: ServedAnswer): Promise<AnswerWords | null> {
  const { text } = JSON.parse(answer) as { text?: unknown };
  if (typeof text !== "string" || text === "") return null;
  try {
    return { text, spans: await askSpans({ serverUrl, text, rowsRoot }), problem: null };
  } catch (error) {
    return { text, spans: null, problem: problemOf(error) };
  }
}

const STORAGE_PREFIX = "openledger.said.";

/** Stores an answer in this tab, and nowhere else: it belongs to its customer. */
export function storeServedAnswer(receipt: bigint, answer: ServedAnswer): void {
  sessionStorage.setItem(STORAGE_PREFIX + receipt, JSON.stringify(answer));
}

export function storedWords(receipt: bigint): ServedAnswer | null {
  const text = sessionStorage.getItem(STORAGE_PREFIX + receipt);
  return text === null ? null : (JSON.parse(text) as ServedAnswer);
}
