/**
 * Recomputations in a host's database: signed records that say somebody has trained a model, or computed a settlement, again.
 * The last one of each leaf is stored, within limits.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import type { RecordBody, SignedRecord, VerifiedBody } from "../records/record.ts";
import type { RecordOffer } from "./record-offer.ts";

/**
 * Strangers whose recomputations of one model are stored: who is not the Datanet, of its team, or a contributor of rows that count. Each
 * of these has room of its own, and where strangers are more, those go who signed longest ago. So nobody is refused, and nobody is pushed
 * out for nothing: it takes as many leaves that sign anew, and whoever was pushed out signs once.
 */
export const MAX_VERIFIED_LEAVES = 1_000;
/** Settlements of one model that a leaf has recomputed: the oldest epoch goes. */
export const MAX_VERIFIED_EPOCHS = 64;

export type VerifiedRecord = SignedRecord & { readonly body: VerifiedBody };

export const isVerifiedRecord = (record: SignedRecord): record is VerifiedRecord =>
  record.body.kind === "verified";

/** The first epoch that is paid is 1: 0 is the model itself. */
const epochOf = ({ epoch }: VerifiedBody) => epoch ?? 0;

/** Recomputations of the same models and epochs by the same leaves. */
export async function knownRecomputations(
  queries: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
): Promise<{ readonly id: string; readonly record: SignedRecord }[]> {
  const question = bodies.filter((body) => body.kind === "verified");
  if (question.length === 0) return [];
  const found = await queries.query<{ id: string; record: string }>(
    `select id, record from verified join unnest($2::int[], $3::int[], $4::bigint[]) as asked (model_id, leaf_id, epoch)
        using (model_id, leaf_id, epoch) where datanet_id = $1`,
    [
      datanetId,
      question.map(({ modelId }) => modelId),
      question.map(({ leafId }) => leafId),
      question.map(epochOf),
    ],
  );
  return found.map(({ id, record }) => ({ id, record: JSON.parse(record) as SignedRecord }));
}

/**
 * Puts each recomputation in the place of the leaf's earlier one about the same, and drops those of strangers above the limit.
 * @param team leaves of the Datanet's card, whose records are never dropped
 */
export async function storeRecomputations(
  queries: Queries,
  datanetId: number,
  offers: readonly Pick<RecordOffer, "id" | "record">[],
  team: readonly number[],
): Promise<void> {
  const last = new Map<string, { id: string; record: VerifiedRecord }>();
  for (const { id, record } of offers)
    if (isVerifiedRecord(record)) {
      const { leafId, modelId } = record.body;
      last.set(`${modelId}/${leafId}/${epochOf(record.body)}`, { id, record });
    }
  const all = [...last.values()];
  if (all.length === 0) return;
  const bodies = all.map(({ record }) => record.body);
  await queries.query(
    `insert into verified (datanet_id, model_id, leaf_id, epoch, id, at_ms, has_difference, record)
       select $1, * from unnest($2::int[], $3::int[], $4::bigint[], $5::text[], $6::bigint[], $7::boolean[], $8::text[])
       on conflict (datanet_id, model_id, leaf_id, epoch) do update
          set id = excluded.id, at_ms = excluded.at_ms, has_difference = excluded.has_difference, record = excluded.record`,
    [
      datanetId,
      bodies.map(({ modelId }) => modelId),
      bodies.map(({ leafId }) => leafId),
      bodies.map(epochOf),
      all.map(({ id }) => id),
      bodies.map(({ atMs }) => atMs),
      bodies.map(({ difference }) => difference !== null),
      all.map(({ record }) => JSON.stringify(record)),
    ],
  );
  await queries.query(
    `delete from verified using (
        select model_id, leaf_id, epoch, row_number() over (partition by model_id, leaf_id order by epoch desc) as place
          from verified join (select distinct * from unnest($2::int[], $3::int[]) as asked (model_id, leaf_id)) as asked
                using (model_id, leaf_id)
         where datanet_id = $1 and epoch > 0) as ranked
      where datanet_id = $1 and verified.model_id = ranked.model_id and verified.leaf_id = ranked.leaf_id
        and verified.epoch = ranked.epoch and place > $4`,
    [
      datanetId,
      bodies.map(({ modelId }) => modelId),
      bodies.map(({ leafId }) => leafId),
      MAX_VERIFIED_EPOCHS,
    ],
  );
  const models = [...new Set(bodies.map(({ modelId }) => modelId))];
  await dropStrangers(queries, datanetId, { models, ids: all.map(({ id }) => id), team });
}

/** Drops strangers of models that have too many, never one of `ids`: what was just taken stays, also under an old time. */
async function dropStrangers(
  { query }: Queries,
  datanetId: number,
  { ids, models, team }: { models: readonly number[]; ids: readonly string[]; team: readonly number[] },
): Promise<void> {
  const full = await query<{ modelId: number }>(
    `select model_id as "modelId" from verified where datanet_id = $1 and model_id = any($2)
      group by model_id having count(distinct leaf_id) > $3`,
    [datanetId, models, MAX_VERIFIED_LEAVES],
  );
  if (full.length === 0) return;
  await query(
    `delete from verified using (
        select model_id, leaf_id,
               row_number() over (partition by model_id
                 order by bool_or(id = any($3)) desc, max(at_ms) desc, leaf_id) as place
          from verified
         where datanet_id = $1 and model_id = any($2) and leaf_id <> all($4)
           and not exists (select from commits where commits.datanet_id = $1 and contributor_id = leaf_id
                              and own_count > 0 and rejected_at_ms is null)
         group by model_id, leaf_id) as ranked
      where datanet_id = $1 and verified.model_id = ranked.model_id and verified.leaf_id = ranked.leaf_id and place > $5`,
    [datanetId, full.map(({ modelId }) => modelId), ids, [datanetId, ...team], MAX_VERIFIED_LEAVES],
  );
}

/** Differences first, then the newest. @param model null for all models */
export async function listRecomputations(
  queries: Queries,
  datanetId: number,
  { from, limit, model }: { model: number | null; from: number; limit: number },
): Promise<{ records: SignedRecord[]; total: number }> {
  const matching = "from verified where datanet_id = $1 and ($2::bigint is null or model_id = $2)";
  const [counted] = await queries.query<{ total: number }>(`select count(*)::int as total ${matching}`, [
    datanetId,
    model,
  ]);
  const found = await queries.query<{ record: string }>(
    `select record ${matching} order by has_difference desc, at_ms desc, model_id, leaf_id, epoch
      offset $3::bigint limit $4`,
    [datanetId, model, from, limit],
  );
  return { records: found.map(({ record }) => JSON.parse(record) as SignedRecord), total: counted!.total };
}
