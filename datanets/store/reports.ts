/**
 * Reports of bias in a host's database: who has signed one lies among the records, and the texts of those that the Datanet or its
 * team has signed lie here. report-routes.ts serves both.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import { aboutReport, type ReportBody, type SignedRecord } from "../records/record.ts";
import type { NamedReport } from "../report/report.ts";
import { type HostedDatanet, lock } from "./hosted-datanet.ts";

export type ReportRecord = SignedRecord & { readonly body: ReportBody };

const currentRecords = async (
  { query }: Queries,
  datanetId: number,
  about: string,
): Promise<ReportRecord[]> =>
  (
    await query<{ record: string }>(
      "select record from records where datanet_id = $1 and kind = 'report' and about = $2 and row_number is null and is_current",
      [datanetId, about],
    )
  ).map(({ record }) => JSON.parse(record) as ReportRecord);

/** True if a leaf that may bring its text has signed something with this SHA-256 in a report's record: a text is read only then. */
export async function isReportNamed(
  { database, id }: HostedDatanet,
  sha256: string,
  mayBring: (leafId: number) => boolean,
): Promise<boolean> {
  const found = await database.query<{ leafId: number }>(
    `select distinct leaf_id as "leafId" from records
      where datanet_id = $1 and kind = 'report' and row_number is null and is_current and position($2 in record) > 0`,
    [id, sha256],
  );
  return found.some(({ leafId }) => mayBring(leafId));
}

/**
 * Stores a report's text, and drops the texts of the same version and model that no such leaf signs any more: so a Datanet has at most
 * one text for each leaf of its team.
 * @param mayBring true for leaves whose signature is enough
 * @returns false, and stores nothing, if none of these has signed it
 */
export function storeReport(
  { database, id }: HostedDatanet,
  { report, sha256, text }: NamedReport,
  mayBring: (leafId: number) => boolean,
): Promise<boolean> {
  const about = aboutReport({ version: report.version.number, model: report.model });
  return database.transaction(async (queries) => {
    await lock(queries, id);
    const records = await currentRecords(queries, id, about);
    const signed = records.flatMap(({ body }) => (mayBring(body.leafId) ? [body.report] : []));
    if (!signed.includes(sha256)) return false;
    await queries.query(
      "insert into reports (datanet_id, sha256, about, report) values ($1, $2, $3, $4) on conflict do nothing",
      [id, sha256, about, text],
    );
    await queries.query("delete from reports where datanet_id = $1 and about = $2 and sha256 <> all($3)", [
      id,
      about,
      signed,
    ]);
    return true;
  });
}

/** A report's text; null if it is not here. */
export async function reportText({ database, id }: HostedDatanet, sha256: string): Promise<string | null> {
  const [found] = await database.query<{ report: string }>(
    "select report from reports where datanet_id = $1 and sha256 = $2",
    [id, sha256],
  );
  return found?.report ?? null;
}

interface ListedReports {
  readonly records: SignedRecord[];
  /** SHA-256 of the reports among these whose text is here. */
  readonly texts: string[];
  readonly total: number;
}

/** Lists signed reports, the newest first. @param version null for all @param model null for all */
export async function listReports(
  { database, id }: HostedDatanet,
  {
    from,
    limit,
    model,
    version,
  }: { version: number | null; model: number | null; from: number; limit: number },
): Promise<ListedReports> {
  const where = `from records where datanet_id = $1 and kind = 'report' and row_number is null and is_current
      and ($2::text is null or split_part(about, '/', 1) = $2) and ($3::text is null or split_part(about, '/', 2) = $3)`;
  const values = [id, version === null ? null : String(version), model === null ? null : String(model)];
  const [[counted], found] = await Promise.all([
    database.query<{ total: number }>(`select count(*)::int as total ${where}`, values),
    database.query<{ record: string }>(
      `select record ${where} order by number desc offset $4::bigint limit $5`,
      [...values, from, limit],
    ),
  ]);
  const records = found.map(({ record }) => JSON.parse(record) as ReportRecord);
  const texts = await database.query<{ sha256: string }>(
    "select sha256 from reports where datanet_id = $1 and sha256 = any($2) order by sha256",
    [id, records.map(({ body }) => body.report)],
  );
  return { records, texts: texts.map(({ sha256 }) => sha256), total: counted!.total };
}
