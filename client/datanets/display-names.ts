/**
 * Names of accounts, Datanets and models, each chosen by its owner and signed by its leaf's key. Hosts of Datanets store them.
 * The command line, the factory and the pages choose and show them.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  checkNames,
  displayNameProblem,
  signedNameSchema,
  signName,
} from "@openledger/datanets/records/display-name";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { findLeaves, resolveSigner } from "../sequencer/ledger-reads.ts";
import { hostFalse } from "./host-false.ts";
import { askHost, type HostAccess, type HostErrorCode } from "./host-request.ts";

export interface SetDisplayNameParameters {
  hostUrl: string;
  /** Name of at most 48 bytes in UTF-8; "" withdraws the name. */
  name: string;
  /** Leaf that gets the name; the client has its key. Default: the client's account. */
  leafId?: number;
}
export type SetDisplayNameErrorCode = "DNT_RECORD_INVALID" | "DNT_RECORD_OUTDATED" | HostErrorCode;

/**
 * Signs a name for an account, a Datanet or a model, and brings it to a host. A name is no proof of who somebody is: show
 * the leaf's number beside it.
 * @throws CLI_INPUT_INVALID where it is no name, DNT_RECORD_INVALID where the client's key is not the leaf's
 * @example
 * ```ts
 * await setDisplayName(client, { hostUrl, name: "Weather model", leafId: 12 });
 * ```
 */
export async function setDisplayName(
  client: LedgerClient,
  { hostUrl, leafId, name }: SetDisplayNameParameters,
): Promise<void> {
  const why = name === "" ? null : displayNameProblem(name);
  if (why !== null)
    throw clientError("CLI_INPUT_INVALID", `${JSON.stringify(name.slice(0, 100))} is no name: ${why}`, {
      data: { reason: "display-name", why },
    });
  const signer = requireL2Key(client);
  const { id } = await resolveSigner(client, leafId);
  const body = signName(client.domain, { leafId: id, name, atMs: Date.now() }, signer);
  await askHost(client, hostUrl, { method: "PUT", path: "/v1/names", body }, z.object({ name: z.string() }));
}

export type FindDisplayNamesParameters = { hostUrl: string } & (
  | { /** Leaves, 100 at most. */ leafIds: readonly number[] }
  | { /** Beginnings of words. */ text: string; limit?: number }
);
export type FindDisplayNamesErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

export interface DisplayName {
  leafId: number;
  name: string;
  kind: "account" | "datanet" | "model";
}

const namesSchema = z.object({ names: z.array(signedNameSchema).max(100) });

/**
 * Finds names on a host by leaves or by words. Each is checked: it is signed by the key that its leaf has now. After a
 * change of a leaf's key its name has to be signed again.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed
 * @example
 * ```ts
 * const [found] = await findDisplayNames(client, { hostUrl, leafIds: [12] });
 * ```
 */
export async function findDisplayNames(
  client: HostAccess,
  { hostUrl, ...filter }: FindDisplayNamesParameters,
): Promise<DisplayName[]> {
  const query =
    "leafIds" in filter
      ? `leaves=${filter.leafIds.join(",")}`
      : new URLSearchParams({ text: filter.text, limit: String(filter.limit ?? 20) });
  const names = await askNames(client, hostUrl, `${query}`);
  return names.flatMap(({ isOfPresentKey, ...name }) => (isOfPresentKey ? [name] : []));
}

export interface FindFormerNameParameters {
  hostUrl: string;
  leafId: number;
}
export type FindFormerNameErrorCode = FindDisplayNamesErrorCode;

/**
 * Finds the name that a leaf had under its former key. Nobody is shown it, until the present key signs it by `setDisplayName`.
 * @returns null where there is none, or the present key has signed one
 * @throws CLI_DATANET_HOST_FALSE where it is not signed
 * @example
 * ```ts
 * const name = await findFormerName(client, { hostUrl, leafId: 12 });
 * if (name !== null) await setDisplayName(client, { hostUrl, leafId: 12, name });
 * ```
 */
export async function findFormerName(
  client: HostAccess,
  { hostUrl, leafId }: FindFormerNameParameters,
): Promise<string | null> {
  const [found] = await askNames(client, hostUrl, `leaves=${leafId}`);
  return found === undefined || found.isOfPresentKey || found.name === "" ? null : found.name;
}

/** Names of leaves that are there, each signed. */
async function askNames(
  client: HostAccess,
  hostUrl: string,
  query: string,
): Promise<(DisplayName & { isOfPresentKey: boolean })[]> {
  const { names } = await askHost(client, hostUrl, { path: `/v1/names?${query}` }, namesSchema);
  if (names.length === 0) return [];
  await initPoseidon();
  if (checkNames(client.domain, names).includes(false)) throw hostFalse("name", "a display name", {});
  const leaves = await findLeaves(client, { ids: names.map(({ body }) => body.leafId) });
  return names.flatMap(({ body: { leafId, name }, keyX }) => {
    const leaf = leaves.find(({ id }) => id === leafId);
    return leaf === undefined
      ? []
      : [{ leafId, name, kind: leaf.kind, isOfPresentKey: hex32(leaf.keyX) === keyX }];
  });
}
