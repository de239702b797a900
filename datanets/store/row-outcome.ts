/**
 * SQL expressions for a row's state (waiting, disputed, accepted, left out) and its accepted label. They agree with `outcomeOf`
 * of records/record-state.ts; searches, lists and statistics of the host use them.
 */
import type { Card } from "../card/card.ts";

/** SQL of a row's outcome, as `outcomeOf` has it by the row's records. Columns are those of `rows`. */
export interface OutcomeSql {
  readonly state: string;
  /** The accepted label; null in all other states. */
  readonly label: string;
  /** The accepted label, else the row's own. */
  readonly shown: string;
}

export function outcomeSql({ labelling }: Pick<Card, "labelling">): OutcomeSql {
  const { accept, annotatorsPerRow } = labelling;
  const needed = accept === "all" ? "rows.label_count" : "rows.label_count / 2 + 1";
  const isEnough = `rows.label_count >= ${Math.floor(annotatorsPerRow)}`;
  const label = `case when rows.decision is not null then rows.decided_label
    when ${isEnough} and rows.top_count >= ${needed} then rows.top_label end`;
  return {
    state: `case when rows.decision is not null then rows.decision when not (${isEnough}) then 'waiting'
      when rows.top_count < ${needed} then 'disputed' else 'accepted' end`,
    label,
    shown: `coalesce(${label}, rows.label)`,
  };
}
