/**
 * Signed recomputations of a Datanet's models and settlements, from a host, each signature checked. Pages list them; a mirror
 * copies them.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { SignedRecord } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { findLeaves } from "../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { hostFalse } from "./host-false.ts";
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetPlace } from "./host-request.ts";
import { recordsPageSchema } from "./host-schemas.ts";
import { readRecordPages, requireRecords } from "./record-pages.ts";

const VERIFIED = { kind: "verified", what: "recomputation" } as const;

export interface ListVerifiedParameters extends HostedDatanetPlace {
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
}

/**
 * Lists recomputations of a model, and of its settlements. Each record is checked here: its signature, the key that its
 * leaf has now, and the model's root on the ledger. A host may leave records out, but cannot make one.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed or of another model, DNT_NOT_HOSTED, CLI_LEAF_NOT_FOUND
 * @example
 * ```ts
 * const found = await listVerified(client, { hostUrl, datanetId: 10, modelId: 13 });
 * const differing = found.filter(({ difference }) => difference !== null);
 * ```
 */
export async function listVerified(
  client: HostAccess,
  { datanetId, hostUrl, limit = 100, modelId }: ListVerifiedParameters,
): Promise<Verification[]> {
  const path = `/v1/datanets/${datanetId}/verified?model=${modelId}&limit=${limit}`;
  const page = await askHost(client, hostUrl, { path }, recordsPageSchema);
  if (page.records.length === 0) return [];
  await initPoseidon();
  const bodies = requireRecords(client.domain, page.records, { datanetId, ...VERIFIED });
  if (bodies.some(({ body }) => body.modelId !== modelId))
    throw hostFalse("record", `a recomputation of another model than ${modelId}`, { modelId });
  const ids = [...new Set(bodies.map(({ body }) => body.leafId))];
  const [leaves, model] = await Promise.all([findLeaves(client, { ids }), getModel(client, modelId)]);
  const keys = new Map(leaves.map(({ id, keyX }) => [id, hex32(keyX)]));
  const modelRoot = hex32(staticsOf(model).hash);
  return bodies.flatMap(({ body, keyX }) => {
    if (keys.get(body.leafId) !== keyX || body.modelRoot !== modelRoot) return [];
    const { atMs, difference, epoch, leafId, version } = body;
    return [{ leafId, atMs, version, epoch, difference }];
  });
}

/**
 * Reads all recomputations of a Datanet that a host shows, each signed by the key that it names.
 * @internal
 */
export function readVerified(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetPlace,
): Promise<SignedRecord[]> {
  return readRecordPages(client, { datanetId, hostUrl, route: "verified", ...VERIFIED });
}
