/**
 * Filters of a Datanet's rows, and their SQL; row-search.ts counts and pages the rows that match, row-ranking.ts ranks them.
 */
import type { Card } from "../card/card.ts";
import type { RowOutcome } from "../records/record-state.ts";
import type { FieldFilter } from "../rows/field-filter.ts";
import { fieldConditions } from "./field-filters.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { type OutcomeSql, outcomeSql } from "./row-outcome.ts";
import { configurationsOf, datanetWord, queryOf, querySql } from "./row-words.ts";
import type { SqlValues } from "./sql-values.ts";

export const ROW_STATES = ["waiting", "disputed", "accepted", "leftOut"] as const;

export interface RowFilter {
  readonly text?: string | undefined;
  /** The accepted label, else the contributor's once the row has enough labels. */
  readonly label?: string | undefined;
  readonly contributorId?: number | undefined;
  /** The root of the commit that the row counts for. */
  readonly commit?: string | undefined;
  readonly state?: RowOutcome["state"] | undefined;
  /** Rows that are not of the card's kind, or those that are. */
  readonly isWellFormed?: boolean | undefined;
  /** Conditions on fields of the card, all of them. */
  readonly fields?: readonly FieldFilter[] | undefined;
}

/** A filter of one Datanet's rows. */
export interface Query {
  readonly datanet: HostedDatanet;
  readonly card: Card;
  readonly filter: RowFilter;
  /** Identifies the filter's result at this state of the Datanet. */
  readonly key: string;
  readonly isUnfiltered: boolean;
  readonly hasWordsAlone: boolean;
  /** True if a word is a beginning. */
  readonly hasBeginning: boolean;
}

/** Rows that a filter leaves, in SQL. */
export interface Matching {
  readonly from: string;
  /** Table that has the numbers of rows. */
  readonly base: "rows" | "row_words" | "row_values";
  readonly where: string;
  /** Conditions of which each of the rows meets exactly one. Each has an index of its own. */
  readonly parts: readonly string[];
}

/** SQL of the words of a filter that has some. */
export const wordsSql = ({ card, filter }: Pick<Query, "card" | "filter">, bind: SqlValues["bind"]) =>
  querySql(queryOf(filter.text!), configurationsOf(card), bind);

/** State of the rows that no record is about. */
export const stateWithoutRecords = ({ labels }: Card): RowOutcome["state"] =>
  labels.length === 0 ? "accepted" : "waiting";

/**
 * SQL of the rows whose state is another than without records: by a decision, or by enough labels. Both have an index, so that a
 * million rows with their contributors' labels alone are not read.
 */
export const partsWithRecords = (
  { minLabelCount }: Pick<OutcomeSql, "minLabelCount">,
  isSo: string,
): readonly string[] => [
  `rows.decision is not null and ${isSo}`,
  `rows.begun_at is not null and rows.decision is null and rows.label_count >= ${minLabelCount} and ${isSo}`,
];

/**
 * SQL of the rows that may show a label: that of the contributor, of most, or of a reviewer. Rows that nobody but their
 * contributors has labelled show none, as a rule, and have no part in the indexes of labels.
 */
function partsOfLabel({ minLabelCount }: OutcomeSql, named: string): readonly string[] {
  const isOther = `rows.label is distinct from ${named} and rows.top_label is distinct from ${named}`;
  return [
    `rows.label_count > 0 and rows.label = ${named}`,
    `rows.label_count > 0 and rows.top_label = ${named} and rows.label is distinct from ${named}`,
    `rows.decided_label = ${named} and (rows.label_count = 0 or ${isOther})`,
    `rows.decision is not null and rows.label_count = 0 and rows.label = ${named} and rows.decided_label is distinct from ${named}`,
    ...(minLabelCount > 0
      ? []
      : [
          `rows.begun_at is not null and rows.decision is null and rows.label_count = 0 and rows.label = ${named}`,
        ]),
  ];
}

export function matchingOf({ card, datanet, filter }: Query, bind: SqlValues["bind"]): Matching {
  const { commit, contributorId, fields, isWellFormed, label, state, text } = filter;
  const base = text !== undefined ? "row_words" : fields !== undefined ? "row_values" : "rows";
  const where = [`${base}.datanet_id = ${bind(datanet.id)}`];
  const outcome = outcomeSql(card);
  const commitsOf = (condition: string) =>
    `rows.commit_number in (select number from commits where datanet_id = ${bind(datanet.id)} and ${condition})`;
  let parts: readonly string[] = ["true"];
  // Words of all Datanets lie in one index.
  if (text !== undefined)
    where.push(
      `row_words.words @@ (${wordsSql({ card, filter }, bind)} && ${bind(`'${datanetWord(datanet.id)}'`)}::tsquery)`,
    );
  if (contributorId !== undefined) where.push(commitsOf(`contributor_id = ${bind(contributorId)}::bigint`));
  if (commit !== undefined) where.push(commitsOf(`rows_root = ${bind(commit)}`));
  if (isWellFormed !== undefined)
    where.push(
      `rows.is_well_formed = ${bind(isWellFormed)} and rows.number < ${bind(datanet.describedCount)}::bigint`,
    );
  if (state !== undefined) {
    const isSo = `${outcome.state} = ${bind(state)}`;
    const isBegun = `rows.begun_at is not null and ${isSo}`;
    if (state !== stateWithoutRecords(card)) {
      if (base === "rows" && label === undefined) parts = partsWithRecords(outcome, isSo);
      else where.push(isBegun);
    }
    // Rows without records are known by an index.
    else if (text === undefined && label === undefined) parts = ["rows.begun_at is null", isBegun];
    else where.push(`(rows.begun_at is null or ${isSo})`);
  }
  if (label !== undefined) {
    const named = bind(label);
    where.push(`${outcome.shown} = ${named}`);
    // The outcome depends on the card, so that no index has it: but it is one of these.
    if (text === undefined) parts = partsOfLabel(outcome, named);
  }
  const isOfFacts = [commit, contributorId, isWellFormed, label, state].some((fact) => fact !== undefined);
  if (fields !== undefined) where.push(...fieldConditions(card, fields, bind));
  const joined = [...(isOfFacts ? ["rows"] : []), ...(fields === undefined ? [] : ["row_values"])]
    .filter((table) => table !== base)
    .map(
      (table) =>
        ` join ${table} on ${table}.datanet_id = ${base}.datanet_id and ${table}.number = ${base}.number`,
    );
  return { base, from: `${base}${joined.join("")}`, where: where.join(" and "), parts };
}
