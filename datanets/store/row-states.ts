/**
 * Columns of a row that say what its signed records say together. take-records.ts writes them as records come, move-rows.ts where
 * a row has got another contributor.
 */
import { bigints, booleans, integers, texts } from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import type { RowRecords } from "../records/record-state.ts";
import { decisionOf } from "./row-decision.ts";

const CHANGE_ROWS = `update rows set begun_at = change.begun_at, label = change.label, label_count = change.label_count, top_label = change.top_label,
          top_count = change.top_count, decision = change.decision, decided_label = change.decided_label,
          gold_label = change.gold_label, suggested_label = change.suggested_label,
          has_objections = change.has_objections, noticed_at_ms = change.noticed_at_ms
     from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::boolean[], $12::bigint[], $13::text[])
          as change (number, begun_at, label_count, top_label, top_count, decision, decided_label, gold_label,
                     suggested_label, has_objections, noticed_at_ms, label)
    where rows.datanet_id = $1 and rows.number = change.number`;

/** A row with all records about it that hold. */
interface RowWithRecords {
  readonly number: number;
  /** Number of the first record that is no suggestion; null if there is none. */
  readonly begunAt: number | null;
  readonly contributorId: number;
  readonly records: RowRecords;
}

/** Writes to each row what its records say together now. */
export async function writeRowStates(
  { query }: Queries,
  datanetId: number,
  rows: readonly RowWithRecords[],
): Promise<void> {
  const changes = rows.map(({ begunAt, contributorId, number, records }) => ({
    number,
    begunAt,
    ...columnsOf(records, contributorId),
  }));
  const column = <T>(read: (change: (typeof changes)[number]) => T): T[] => changes.map(read);
  await query(CHANGE_ROWS, [
    datanetId,
    integers(column(({ number }) => number)),
    integers(column(({ begunAt }) => begunAt)),
    integers(column(({ labelCount }) => labelCount)),
    texts(column(({ topLabel }) => topLabel)),
    integers(column(({ topCount }) => topCount)),
    texts(column(({ decision }) => decision)),
    texts(column(({ decidedLabel }) => decidedLabel)),
    texts(column(({ goldLabel }) => goldLabel)),
    texts(column(({ suggestedLabel }) => suggestedLabel)),
    booleans(column(({ hasObjections }) => hasObjections)),
    bigints(column(({ noticedAtMs }) => noticedAtMs)),
    texts(column(({ ownLabel }) => ownLabel)),
  ]);
}

/** Counts of all that `outcomeOf` reads of a row's records: the rest of it is SQL, since a card may change (row-outcome.ts). */
function columnsOf(records: RowRecords, contributorId: number) {
  const { gold, labels, leaveOut, objections, settled, suggestion, withdrawals } = records;
  const counts = new Map<string, number>();
  for (const { label } of labels.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [top] = [...counts].sort(([, a], [, b]) => b - a);
  const isWithdrawn = withdrawals.has(contributorId);
  const isLeftOut =
    isWithdrawn || leaveOut?.isLeftOut === true || (settled !== null && settled.label === null);
  return {
    labelCount: labels.size - (labels.has(contributorId) ? 1 : 0),
    ownLabel: labels.get(contributorId)?.label ?? null,
    topLabel: top?.[0] ?? null,
    topCount: top?.[1] ?? 0,
    decision: isLeftOut ? "leftOut" : settled === null ? null : "accepted",
    decidedLabel: isLeftOut ? null : (settled?.label ?? null),
    // A withdrawn row tests no labeller, and nobody is to look at what a model said of it.
    goldLabel: isWithdrawn ? null : (gold?.label ?? null),
    suggestedLabel: isWithdrawn ? null : (suggestion?.label ?? null),
    hasObjections: objections.length > 0,
    noticedAtMs: decisionOf(records)?.atMs ?? null,
  };
}
