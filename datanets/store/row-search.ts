/** Search for rows by words and facts, in the order in which they came to this host, and their views. */
import { LRUCache } from "lru-cache";
import type { Card } from "../card/card.ts";
import { outcomeOf, type RowOutcome } from "../records/record-state.ts";
import { viewRow } from "../rows/row-view.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";

export const ROW_STATES = ["waiting", "disputed", "accepted", "leftOut"] as const;

interface RowFilter {
  readonly text?: string | undefined;
  /** The accepted label, else the row's own. */
  readonly label?: string | undefined;
  readonly contributorId?: number | undefined;
  /** The root of the commit that the row counts for. */
  readonly commit?: string | undefined;
  readonly state?: RowOutcome["state"] | undefined;
  /** Rows that are not of the card's kind, or those that are. */
  readonly isWellFormed?: boolean | undefined;
}

/** Maximum cached results. Pages of one search are cut from one list. */
const MAX_CACHED_RESULTS = 16;

export class RowSearch {
  readonly #datanet: HostedDatanet;
  readonly #results = new LRUCache<string, { readonly revision: number; readonly rows: Int32Array }>({
    max: MAX_CACHED_RESULTS,
  });

  constructor(datanet: HostedDatanet) {
    this.#datanet = datanet;
  }

  /** Row numbers, ascending. */
  find(card: Card, filter: RowFilter): Int32Array {
    const key = JSON.stringify([card.labelling, filter]);
    const { revision } = this.#datanet;
    const known = this.#results.get(key);
    if (known?.revision === revision) return known.rows;
    const rows = this.#search(card, filter);
    this.#results.set(key, { revision, rows });
    return rows;
  }

  #search(card: Card, filter: RowFilter): Int32Array {
    const { rows } = this.#datanet;
    const { commit, contributorId, isWellFormed, label, state, text } = filter;
    const candidates =
      text === undefined ? Int32Array.from({ length: rows.size }, (_, row) => row) : rows.search.find(text);
    if (
      contributorId === undefined &&
      commit === undefined &&
      label === undefined &&
      state === undefined &&
      isWellFormed === undefined
    )
      return candidates;
    const commits = this.#datanet.commits.map(({ facts }) => facts);
    return candidates.filter((row) => {
      const { contributorId: rowsContributor, rowsRoot } = commits[rows.commitOf(row)]!;
      if (contributorId !== undefined && rowsContributor !== contributorId) return false;
      if (commit !== undefined && rowsRoot !== commit) return false;
      const facts = rows.facts(row);
      if (isWellFormed !== undefined && facts.isWellFormed !== isWellFormed) return false;
      if (state === undefined && label === undefined) return true;
      const outcome = outcomeAt(this.#datanet, card, row);
      if (state !== undefined && outcome.state !== state) return false;
      return label === undefined || (outcome.state === "accepted" ? outcome.label : facts.label) === label;
    });
  }
}

/** The place of the first row behind a row's number, in a list that ascends. */
export function placeAfter(rows: Int32Array, row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]! <= row) low = middle + 1;
    else high = middle;
  }
  return low;
}

const WAITING: RowOutcome = { state: "waiting" };

/** The outcome of a row by its number. */
export function outcomeAt({ recordState, touched }: HostedDatanet, card: Card, row: number): RowOutcome {
  const digest = touched.get(row);
  return digest === undefined ? WAITING : outcomeOf(card, recordState.row(digest));
}

/** Row in a list. `label` is in the row itself; `outcome` is the result of labellers and reviewers. */
export async function rowView(datanet: HostedDatanet, card: Card, row: number, excerptCharacters: number) {
  const { commit, index, length } = datanet.rows.place(row);
  const { contributorId, rowsRoot } = datanet.commits[commit]!.facts;
  const digest = datanet.rows.digest(row);
  const records = datanet.recordState.row(digest);
  // Not the table's: it may not have read this row back yet.
  const { isWellFormed, label, text } = viewRow(card, await datanet.content(row));
  return {
    digest,
    commit: rowsRoot,
    index,
    contributorId,
    bytes: length,
    label,
    isWellFormed,
    excerpt: text.slice(0, excerptCharacters),
    isCut: text.length > excerptCharacters,
    labelCount: records.labels.size,
    objectionCount: records.objections.length,
    outcome: outcomeOf(card, records),
  };
}
