/**
 * Reviewers' decisions on findings (what the check of rows has noticed), and the notices that contributors get of them.
 * finding-routes.ts serves both; take-records.ts writes them as records come.
 */
import { integers } from "@openledger/foundation/database/binary-lists";
import type { Finding } from "../cleaning/finding.ts";
import type { RecordState, RowRecords } from "../records/record-state.ts";
import type { HostStore } from "./host-store.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { decisionOf } from "./row-decision.ts";

export const FINDING_STATES = [
  "open",
  "leftOut",
  /** A reviewer has looked, and the row stays. */
  "kept",
  /** Nobody has to decide: the ledger's order does. */
  "byRule",
] as const;
type FindingState = (typeof FINDING_STATES)[number];

export function stateOf({ evidence, kind }: Finding, records: RowRecords, datanetId: number): FindingState {
  if (kind === "copy" && evidence.earlier?.datanetId === datanetId) return "byRule";
  const decision = decisionOf(records);
  if (decision !== null) return decision.isLeftOut ? "leftOut" : "kept";
  const isSettledSo = kind === "contradicted-label" && records.settled?.label === evidence.label;
  return isSettledSo ? "kept" : "open";
}

/** Objection of the contributor to a decision; it is answered once a reviewer has decided again. */
export function objectionOf({ objections, ...records }: RowRecords, contributorId: number | null) {
  const own = objections.find(({ leafId }) => leafId === contributorId);
  if (own === undefined) return null;
  const decision = decisionOf({ objections, ...records });
  const isAnswered = decision !== null && decision.atMs > own.atMs;
  return { note: own.note, atMs: own.atMs, isAnswered };
}

type Notice = {
  readonly datanetId: number;
  readonly note: string;
  readonly byId: number;
  readonly atMs: number;
} & (
  | {
      readonly about: "row";
      readonly row: string;
      readonly isLeftOut: boolean;
      readonly why: string;
      readonly objection: ReturnType<typeof objectionOf>;
    }
  | { readonly about: "contribution"; readonly commit: string }
);

interface StoredNotice {
  readonly datanetId: number;
  readonly number: number | null;
  /** A row's digest, or a commit's root. */
  readonly about: string;
}

/**
 * Notices for a contributor: their rows that a reviewer has decided about, and their rejected contributions; newest first.
 * @param isShown of a Datanet: notes tell what rows are
 */
export async function noticesFor(
  store: HostStore,
  contributorId: number,
  {
    from,
    isShown,
    limit,
  }: { from: number; limit: number; isShown: (datanet: HostedDatanet) => Promise<boolean> },
) {
  const all = `
    select rows.datanet_id, rows.number, encode(digest, 'hex') as about, noticed_at_ms as at_ms
      from commits join rows on rows.datanet_id = commits.datanet_id and rows.commit_number = commits.number
     where contributor_id = $1::bigint and noticed_at_ms is not null
    union all select datanet_id, null, rows_root, rejected_at_ms from commits
     where contributor_id = $1::bigint and rejected_at_ms is not null`;
  const shown: number[] = [];
  for (const { datanetId } of await store.database.query<{ datanetId: number }>(
    `select distinct datanet_id as "datanetId" from (${all}) as notices`,
    [contributorId],
  ))
    if (await isShown(await store.require(datanetId))) shown.push(datanetId);
  const [[counted], found] = await Promise.all([
    store.database.query<{ total: number }>(
      `select count(*)::int as total from (${all}) as notices where datanet_id = any($2::int[])`,
      [contributorId, integers(shown)],
    ),
    store.database.query<StoredNotice>(
      `select datanet_id as "datanetId", number, about from (${all}) as notices
        where datanet_id = any($4::int[]) order by at_ms desc, datanet_id, number offset $2::bigint limit $3`,
      [contributorId, from, limit, integers(shown)],
    ),
  ]);
  const states = new Map<number, RecordState>();
  for (const id of new Set(found.map(({ datanetId }) => datanetId))) {
    const own = found.filter(({ datanetId }) => datanetId === id);
    states.set(
      id,
      await (await store.require(id)).stateOf(
        "(row_number = any($2) and is_current) or (row_number is null and kind = 'verdict' and about = any($3))",
        [
          own.flatMap(({ number }) => (number === null ? [] : [number])),
          own.flatMap(({ about, number }) => (number === null ? [about] : [])),
        ],
      ),
    );
  }
  const notices = found.flatMap(({ about, datanetId, number }): Notice[] => {
    const state = states.get(datanetId)!;
    if (number === null) {
      const verdict = state.verdict(about);
      if (verdict === null) return [];
      const { atMs, leafId, note } = verdict;
      return [{ datanetId, about: "contribution", commit: about, note, byId: leafId, atMs }];
    }
    const records = state.row(about);
    const decision = decisionOf(records);
    if (decision === null) return [];
    const objection = objectionOf(records, contributorId);
    return [{ datanetId, about: "row", row: about, ...decision, objection }];
  });
  return { total: counted!.total, notices };
}
