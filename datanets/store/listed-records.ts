/**
 * Lists of a Datanet's signed records for record-routes.ts: the public ones a page at a time, and the rows that are left out or
 * objected to.
 */
import type { Card } from "../card/card.ts";
import type { SignedRecord } from "../records/record.ts";
import { outcomeOf } from "../records/record-state.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";

/** Rows whose records are read at once. */
const ROWS_A_PART = 1_000;

/**
 * Records in the order in which they came, as far as everybody may see them: gold rows never, and labels that hold once their row
 * has enough of them. Before, they would tell the next labeller what to say.
 */
export async function publicRecords(
  datanet: HostedDatanet,
  card: Card,
  { from, limit }: { from: number; limit: number },
): Promise<{ records: SignedRecord[]; seenCount: number }> {
  const found = await datanet.database.query<{ record: string; isPublic: boolean }>(
    `select record, kind <> 'gold' and (kind <> 'label' or is_current and ${outcomeSql(card).state} <> 'waiting') as "isPublic"
       from records left join rows on rows.datanet_id = records.datanet_id and rows.number = row_number
      where records.datanet_id = $1 and records.number >= $2::bigint order by records.number limit $3`,
    [datanet.id, from, limit],
  );
  return {
    records: found.flatMap(({ isPublic, record }) => (isPublic ? [JSON.parse(record) as SignedRecord] : [])),
    seenCount: found.length,
  };
}

interface ListedPart {
  readonly from: number;
  readonly limit: number;
}
interface RecordsPage {
  readonly records: SignedRecord[];
  readonly total: number;
}

/** Requests for access and answers to them, outdated ones too, in the order in which they came. */
export const accessRecords = (datanet: HostedDatanet, part: ListedPart): Promise<RecordsPage> =>
  recordsAbout(datanet, "kind in ('accessRequest', 'accessAnswer')", part);

/** Consents of accounts that boards show what they earn, as signed records; those that were taken back are none. */
export const earningsConsents = (datanet: HostedDatanet, part: ListedPart): Promise<RecordsPage> =>
  recordsAbout(
    datanet,
    `kind = 'showEarnings' and about = '' and is_current and (record::jsonb -> 'body' ->> 'isShown')::boolean`,
    part,
  );

/** Records about no row that a condition of SQL picks, a page in the order in which they came. */
async function recordsAbout(
  datanet: HostedDatanet,
  condition: string,
  { from, limit }: ListedPart,
): Promise<RecordsPage> {
  const where = `from records where datanet_id = $1 and row_number is null and ${condition}`;
  const [[counted], found] = await Promise.all([
    datanet.database.query<{ total: number }>(`select count(*)::int as total ${where}`, [datanet.id]),
    datanet.database.query<{ record: string }>(
      `select record ${where} order by number offset $2::bigint limit $3`,
      [datanet.id, from, limit],
    ),
  ]);
  return { total: counted!.total, records: found.map(({ record }) => JSON.parse(record) as SignedRecord) };
}

/** Rows that are left out, or that their contributors object about, in the order in which their first records came. */
export async function leftOutRows(datanet: HostedDatanet, card: Card) {
  const found = await datanet.database.query<{ number: number; digest: Buffer; contributorId: number }>(
    `select rows.number, digest, contributor_id as "contributorId"
       from rows join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
      where rows.datanet_id = $1 and begun_at is not null and (decision = 'leftOut' or has_objections) order by begun_at, rows.number`,
    [datanet.id],
  );
  const listed = [];
  for (let first = 0; first < found.length; first += ROWS_A_PART) {
    const part = found.slice(first, first + ROWS_A_PART);
    const state = await datanet.stateOfRows(part.map(({ number }) => number));
    for (const { contributorId, digest } of part) {
      const name = digest.toString("hex");
      const records = state.row(name);
      listed.push({
        digest: name,
        contributorId,
        outcome: outcomeOf(card, records, contributorId),
        objections: records.objections,
        withdrawnAtMs: records.withdrawals.get(contributorId)?.atMs ?? null,
      });
    }
  }
  return listed;
}
