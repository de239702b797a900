/**
 * Recomputations in a host's database: signed records that say somebody has trained a model, or computed a settlement, again.
 * The last one of each leaf is stored, within limits.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import { datanetError } from "../datanet-errors.ts";
import type { RecordBody, SignedRecord, VerifiedBody } from "../records/record.ts";
import type { RecordOffer } from "./record-offer.ts";

/** Strangers whose recomputations of one model are stored. */
export const MAX_VERIFIED_LEAVES = 1_000;
/** Settlements of one model that a leaf has recomputed: the oldest epoch goes. */
export const MAX_VERIFIED_EPOCHS = 64;

export type VerifiedRecord = SignedRecord & { readonly body: VerifiedBody };

export const isVerifiedRecord = (record: SignedRecord): record is VerifiedRecord =>
  record.body.kind === "verified";

/** The first epoch that is paid is 1: 0 is the model itself. */
const epochOf = ({ epoch }: VerifiedBody) => epoch ?? 0;

/** Recomputations of the same models and epochs by the same leaves, and the leaves that each model has. */
export async function knownRecomputations(
  queries: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
) {
  const question = bodies.filter((body) => body.kind === "verified");
  const leavesOf = new Map<number, Set<number>>();
  const records: { id: string; record: SignedRecord }[] = [];
  if (question.length > 0) {
    const models = [...new Set(question.map(({ modelId }) => modelId))];
    const leaves = await queries.query<{ modelId: number; leafId: number }>(
      `select distinct model_id as "modelId", leaf_id as "leafId" from verified where datanet_id = $1 and model_id = any($2)`,
      [datanetId, models],
    );
    for (const modelId of models)
      leavesOf.set(
        modelId,
        new Set(leaves.filter((one) => one.modelId === modelId).map(({ leafId }) => leafId)),
      );
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
    records.push(...found.map(({ id, record }) => ({ id, record: JSON.parse(record) as SignedRecord })));
  }
  return {
    records,
    /** @param isOfTeam always has room. @throws DNT_VERIFIED_FULL */
    requireRoomFor({ leafId, modelId }: VerifiedBody, isOfTeam: boolean): void {
      const leaves = leavesOf.get(modelId)!;
      if (isOfTeam || leaves.has(leafId) || leaves.size < MAX_VERIFIED_LEAVES) return;
      throw datanetError(
        "DNT_VERIFIED_FULL",
        `${leaves.size} leaves have recomputed model ${modelId}, and the host takes no more`,
        { data: { modelId, maxLeaves: MAX_VERIFIED_LEAVES } },
      );
    },
    take(body: RecordBody): void {
      if (body.kind === "verified") leavesOf.get(body.modelId)!.add(body.leafId);
    },
  };
}

/** Puts each recomputation in the place of the leaf's earlier one about the same. */
export async function storeRecomputations(
  queries: Queries,
  datanetId: number,
  offers: readonly Pick<RecordOffer, "id" | "record">[],
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
