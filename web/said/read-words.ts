/** What an answer says in words, and what of it occurs word for word in the version: fetched and checked in the page. */

import { type CitedRow, fetchCitedRows, parseCitations } from "@openledger/models/retrieval/citations";
import { askSpans, type HostedSpans } from "@openledger/models/spans/check-citations";
import { type Problem, problemOf } from "../words/problem.tsx";

/** An answer that this page has checked, and where its words come from. */
export interface SaidAnswer {
  readonly serverUrl: string;
  /** As the recipe names it. */
  readonly family: string;
  /** Of the version that the model's recipe names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  /** As the receipt hashes it. */
  readonly answer: string;
}

export interface Passage {
  readonly text: string;
  /** The row that it is, where the model cites rows. */
  readonly cited: CitedRow | null;
  /** null where the server has no index. */
  readonly spans: HostedSpans | null;
}

export interface SaidWords {
  readonly passages: readonly Passage[];
  /** Rows that are cited, and not published. */
  readonly withheld: readonly CitedRow[];
  /** Of spans: a false one is told, and the words are shown without. */
  readonly problem: Problem | null;
}

/** null where the answer is no words but a label. @throws ATT_ANSWER_INVALID, ATT_SERVER_UNREACHABLE */
export async function readWords({
  answer,
  family,
  rowsRoot,
  serverUrl,
}: SaidAnswer): Promise<SaidWords | null> {
  const cited = family === "retrieval" ? await fetchCitedRows(serverUrl, parseCitations(answer)) : null;
  const text = cited === null ? textOf(answer) : null;
  if (cited === null && text === null) return null;
  const parts = cited === null ? [{ text: text!, cited: null }] : shown(cited);
  const withheld = cited?.filter((one) => one.text === null) ?? [];
  try {
    const passages = await Promise.all(
      parts.map(async (part) => ({
        ...part,
        spans: await askSpans({ serverUrl, text: part.text, rowsRoot }),
      })),
    );
    return { passages, withheld, problem: null };
  } catch (error) {
    return { passages: parts.map((part) => ({ ...part, spans: null })), withheld, problem: problemOf(error) };
  }
}

const shown = (cited: readonly CitedRow[]) =>
  cited.flatMap((one) => (one.text === null ? [] : [{ text: one.text, cited: one }]));

function textOf(answer: string): string | null {
  const { text } = JSON.parse(answer) as { text?: unknown };
  return typeof text === "string" && text !== "" ? text : null;
}

const KEPT = "openledger.said.";

/** In this tab, and nothing more: an answer is its customer's. */
export function keepSaid(receipt: bigint, said: SaidAnswer): void {
  sessionStorage.setItem(KEPT + receipt, JSON.stringify(said));
}

export function keptSaid(receipt: bigint): SaidAnswer | null {
  const text = sessionStorage.getItem(KEPT + receipt);
  return text === null ? null : (JSON.parse(text) as SaidAnswer);
}
