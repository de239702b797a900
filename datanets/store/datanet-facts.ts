/**
 * Counts that a host shows beside a Datanet: complete commits, the present version, requests for access. card-routes.ts answers
 * with them.
 */
import type { HostedDatanet } from "./hosted-datanet.ts";

interface DatanetFacts {
  readonly completeCommitCount: number;
  readonly hasVersion: boolean;
  /** Last requests for access of all leaves, those without an answer, and the time of the oldest of these. */
  readonly askedCount: number;
  readonly unansweredCount: number;
  readonly oldestUnansweredAtMs: number | null;
}

/** Counts of what is here of a Datanet. @param rowsRoot of the ledger's present version */
export async function datanetFacts(datanet: HostedDatanet, rowsRoot: string): Promise<DatanetFacts> {
  const [facts] = await datanet.database.query<DatanetFacts>(
    `select (select count(*)::int from commits where datanet_id = $1 and received_count = row_count) as "completeCommitCount",
            exists (select 1 from versions where datanet_id = $1 and rows_root = $2) as "hasVersion",
            count(*)::int as "askedCount",
            (count(*) filter (where not is_answered))::int as "unansweredCount",
            (min(at_ms) filter (where not is_answered))::float8 as "oldestUnansweredAtMs"
       from (select (record::json -> 'body' ->> 'atMs')::bigint as at_ms, exists (
               select 1 from records as answer where answer.datanet_id = $1 and answer.row_number is null
                  and answer.kind = 'accessAnswer' and answer.about = asked.id) as is_answered
               from records as asked
              where datanet_id = $1 and row_number is null and kind = 'accessRequest' and is_current) as asked`,
    [datanet.id, rowsRoot],
  );
  return facts!;
}
