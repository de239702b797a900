/**
 * Signed recomputations of a Datanet's models and settlements, from a host, each signature checked. Pages list them; a mirror
 * copies them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { hostFalse } from "./host-false.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import {
  type DroppedRecord,
  type HostRecords,
  latestRecords,
  readSoundPage,
  readSoundRecords,
} from "./sound-records.ts";

const VERIFIED = { kind: "verified", what: "recomputation" } as const;

export interface ListVerifiedParameters extends HostedDatanetLocation {
  modelId: number;
  /** Maximum records to request and check, differences first; at most 100, the default. */
  limit?: number;
}
export type ListVerifiedErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "CLI_LEAF_NOT_FOUND"
  | "OP_WRONG_LEAF_KIND"
  | HostErrorCode;

export interface Verification {
  /** Leaf that has recomputed. */
  leafId: number;
  atMs: number;
  version: number;
  /** The epoch whose settlement was recomputed; null: the model itself. */
  epoch: number | null;
  /** The first difference; null: the same bytes. */
  difference: { file: string; row: number | null } | null;
  /** Id of the signed figure that was recomputed with the model; null: none was. */
  figure: string | null;
}

export interface ListVerifiedReturnType {
  verifications: readonly Verification[];
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}

/**
 * Lists recomputations of a model, and of its settlements. Each record is checked here: its signature, the key that its
 * leaf has now, and the model's root on the ledger. A host may leave records out, but cannot make one.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed or of another model, DNT_NOT_HOSTED, CLI_LEAF_NOT_FOUND
 * @example
 * ```ts
 * const { verifications } = await listVerified(client, { hostUrl, datanetId: 10, modelId: 13 });
 * const differing = verifications.filter(({ difference }) => difference !== null);
 * ```
 */
export async function listVerified(
  client: HostAccess,
  { datanetId, hostUrl, limit = 100, modelId }: ListVerifiedParameters,
): Promise<ListVerifiedReturnType> {
  const { dropped, records } = await readModelVerified(client, { datanetId, hostUrl, limit, modelId });
  if (records.length === 0) return { verifications: [], dropped };
  const modelRoot = hex32(staticsOf(await getModel(client, modelId)).hash);
  const verifications = records.flatMap(({ body }) => {
    if (body.modelRoot !== modelRoot) return [];
    const { atMs, difference, epoch, figure = null, leafId, version } = body;
    return [{ leafId, atMs, version, epoch, difference, figure }];
  });
  return { verifications, dropped };
}

export interface FindVerifiedParameters {
  /** Hosts to ask: some have what others lack. */
  hostUrls: readonly string[];
  /** The model's Datanets. */
  datanetIds: readonly number[];
  modelId: number;
  /** Maximum records of each host and Datanet; at most 100. */
  limit?: number;
}

/** Hosts keep up to a thousand leaves' records a model. */
const MAX_FOUND = 50;

/**
 * Lists recomputations of a model from several hosts, as `listVerified` does: of each leaf the last about the model and about each
 * settlement, differences first. A host that does not answer, or shows what nobody has signed, counts as silent.
 * @example
 * ```ts
 * const { verifications } = await findVerified(client, { hostUrls: [hostUrl, otherUrl], datanetIds: [10], modelId: 13 });
 * ```
 */
export async function findVerified(
  client: HostAccess,
  { datanetIds, hostUrls, limit = MAX_FOUND, modelId }: FindVerifiedParameters,
): Promise<ListVerifiedReturnType> {
  const requests = datanetIds.flatMap((datanetId) =>
    hostUrls.map((hostUrl) => listVerified(client, { hostUrl, datanetId, modelId, limit })),
  );
  const answers = await Promise.allSettled(requests);
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  const last = new Map<string, Verification>();
  for (const one of found.flatMap(({ verifications }) => verifications)) {
    const name = `${one.leafId}/${one.epoch ?? ""}`;
    if (one.atMs > (last.get(name)?.atMs ?? -1)) last.set(name, one);
  }
  const rank = ({ difference }: Verification) => (difference === null ? 1 : 0);
  return {
    verifications: [...last.values()].sort((a, b) => rank(a) - rank(b) || b.atMs - a.atMs),
    dropped: found.flatMap(({ dropped }) => dropped),
  };
}

/** Reads the first recomputations of a model, differences first, with their signatures. @throws CLI_DATANET_HOST_FALSE */
async function readModelVerified(
  client: HostAccess,
  { datanetId, hostUrl, limit = 100, modelId }: ListVerifiedParameters,
): Promise<HostRecords<"verified">> {
  const path = `/v1/datanets/${datanetId}/verified?model=${modelId}&limit=${limit}`;
  const found = await readSoundPage(client, { datanetId, hostUrl, path, ...VERIFIED });
  requireOfModel(found.records, modelId);
  return { ...found, records: latestRecords(found.records) };
}

/**
 * Reads all recomputations of a Datanet, or of one of its models, that a host shows.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed or of another model
 * @internal
 */
export async function readVerified(
  client: HostAccess,
  { datanetId, hostUrl, modelId }: HostedDatanetLocation & { modelId?: number },
): Promise<HostRecords<"verified">> {
  const query = modelId === undefined ? "" : `&model=${modelId}`;
  const found = await readSoundRecords(client, { datanetId, hostUrl, query, route: "verified", ...VERIFIED });
  if (modelId !== undefined) requireOfModel(found.records, modelId);
  return { ...found, records: latestRecords(found.records) };
}

function requireOfModel(records: HostRecords<"verified">["records"], modelId: number): void {
  if (records.some(({ body }) => body.modelId !== modelId))
    throw hostFalse("record", `a recomputation of another model than ${modelId}`, { modelId });
}
