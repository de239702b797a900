/** What an answer says in words, and what of it occurs word for word in the version: fetched and checked in the page. */

import { askSpans, type CheckedSpan } from "@openledger/models/serving/spans/check-spans";
import { type Problem, problemOf } from "../words/problem.tsx";

/** An answer that this page has checked, and where its words come from. */
export interface ServedAnswer {
  readonly serverUrl: string;
  /** Of the version that the model's recipe names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  /** As the receipt hashes it. */
  readonly answer: string;
}

export interface AnswerWords {
  readonly text: string;
  /** null where the server has no index. */
  readonly spans: readonly CheckedSpan[] | null;
  /** Of spans: a false one is told, and the words are shown without. */
  readonly problem: Problem | null;
}

/** null where the answer is no words but a label. */
export async function readWords({ answer, rowsRoot, serverUrl }: ServedAnswer): Promise<AnswerWords | null> {
  const { text } = JSON.parse(answer) as { text?: unknown };
  if (typeof text !== "string" || text === "") return null;
  try {
    return { text, spans: await askSpans({ serverUrl, text, rowsRoot }), problem: null };
  } catch (error) {
    return { text, spans: null, problem: problemOf(error) };
  }
}

const KEPT = "openledger.said.";

/** In this tab, and nothing more: an answer is its customer's. */
export function keepSaid(receipt: bigint, said: ServedAnswer): void {
  sessionStorage.setItem(KEPT + receipt, JSON.stringify(said));
}

export function storedWords(receipt: bigint): ServedAnswer | null {
  const text = sessionStorage.getItem(KEPT + receipt);
  return text === null ? null : (JSON.parse(text) as ServedAnswer);
}
