/**
 * SQL expressions for a row's state (waiting, disputed, accepted, left out) and its accepted label. They agree with `outcomeOf`
 * of records/record-state.ts; searches, lists and statistics of the host use them.
 */
import type { Card } from "../card/card.ts";

/** SQL of a row's outcome, as `outcomeOf` has it by the row's records. Columns are those of `rows`. */
export interface OutcomeSql {
  readonly state: string;
  /** SQL that is true where the state is "waiting", in a form by which PostgreSQL can estimate how many rows there are. */
  readonly isWaiting: string;
  /** The accepted label; null in all other states, and where the card has no labels. */
  readonly label: string;
  /** The accepted label, else the contributor's once the row has enough labels: before, it would steer who labels it. */
  readonly shown: string;
  /** Number of labels that count towards the card's `annotatorsPerRow`. */
  readonly counted: string;
  /** Minimum `label_count` of a row that has enough labels. */
  readonly minLabelCount: number;
}

/** SQL that is true for a label that counts towards the card's `annotatorsPerRow`. Columns are those of `labels`. */
export const isLabellersSql = ({ labelling }: Pick<Card, "labelling">): string =>
  labelling.ownRows === "allowed" ? "true" : "not labels.is_own";

export function outcomeSql({ labelling, labels }: Pick<Card, "labelling" | "labels">): OutcomeSql {
  const all = "(rows.label_count + (rows.label is not null)::int)";
  const isOwnCounted = labelling.ownRows === "allowed";
  const counted = isOwnCounted ? all : "rows.label_count";
  const enoughCount = Math.floor(labelling.annotatorsPerRow);
  const minLabelCount = isOwnCounted ? enoughCount - 1 : enoughCount;
  if (labels.length === 0)
    return {
      state: `case when rows.decision = 'leftOut' then 'leftOut' else 'accepted' end`,
      isWaiting: "false",
      label: "null::text",
      shown: "null::text",
      counted,
      minLabelCount,
    };
  const needed = labelling.accept === "all" ? all : `${all} / 2 + 1`;
  const isEnough = `${counted} >= ${enoughCount}`;
  const label = `case when rows.decision is not null then rows.decided_label
    when ${isEnough} and rows.top_count >= ${needed} then rows.top_label end`;
  return {
    state: `case when rows.decision is not null then rows.decision when not (${isEnough}) then 'waiting'
      when rows.top_count < ${needed} then 'disputed' else 'accepted' end`,
    isWaiting: `rows.decision is null and ${counted} < ${enoughCount}`,
    label,
    shown: `coalesce(${label}, case when rows.decision is not null or ${isEnough} then rows.label end)`,
    counted,
    minLabelCount,
  };
}
