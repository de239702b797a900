/**
 * Cards of Datanets (datanets/card/card.ts): brought to a host as text, found and read there. client/tasks/publish-card.ts publishes them.
 * A host's card counts only if its hash is the ledger's.
 */
import { type Card, nameCard, readCardBytes } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { readHistory } from "../actions/data/list-commits.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { hostFalse } from "./host-false.ts";
import {
  askHost,
  askHostForBytes,
  type HostAccess,
  type HostErrorCode,
  type HostedDatanetLocation,
} from "./host-request.ts";
import {
  type DatanetDirectory,
  directorySchema,
  type HostedDatanetFacts,
  hostedSchema,
} from "./host-schemas.ts";

export interface BringCardParameters extends HostedDatanetLocation {
  card: Card;
}
export type BringCardErrorCode =
  | "DNT_CARD_INVALID"
  | "DNT_CARD_EARLIER"
  | "DNT_NOT_ON_LEDGER"
  | HostErrorCode;

/**
 * Brings a card to a host, which takes it only if its hash is the ledger's.
 * @throws DNT_CARD_INVALID, DNT_CARD_EARLIER, DNT_NOT_ON_LEDGER
 * @example
 * ```ts
 * await bringCard(client, { hostUrl, datanetId: 10, card });
 * ```
 */
export async function bringCard(
  client: LedgerClient,
  { card, datanetId, hostUrl }: BringCardParameters,
): Promise<void> {
  const body = new TextEncoder().encode(nameCard(card).text);
  const path = `/v1/datanets/${datanetId}/card`;
  await askHost(client, hostUrl, { method: "PUT", path, body }, z.object({ policy: z.string() }));
}

export interface FindDatanetsParameters {
  hostUrl: string;
  /** Words of name, description, field or tags; beginnings of words are enough. */
  text?: string;
  tag?: string;
  field?: string;
}
export type FindDatanetsErrorCode = HostErrorCode;

/**
 * Searches a host's directory.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * const { datanets } = await findDatanets(client, { hostUrl, text: "weather" });
 * ```
 */
export async function findDatanets(
  client: HostAccess,
  { hostUrl, ...filter }: FindDatanetsParameters,
): Promise<DatanetDirectory> {
  const query = new URLSearchParams({ limit: "100" });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value);
  return askHost(client, hostUrl, { path: `/v1/datanets?${query}` }, directorySchema);
}

export type GetHostedDatanetErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

/**
 * Reads a host's facts about a datanet, with the ledger's beside them. Its card is one that the ledger has a hash of, and
 * `isCardCurrent` tells whether that is the present version's. What is here and who reads it is the host's word.
 * @throws DNT_NOT_HOSTED, CLI_DATANET_HOST_FALSE
 * @example
 * ```ts
 * const { card, isCardCurrent } = await getHostedDatanet(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function getHostedDatanet(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<HostedDatanetFacts> {
  const facts = await askHost(client, hostUrl, { path: `/v1/datanets/${datanetId}` }, hostedSchema);
  const { policy } = nameCard(facts.card);
  const { datanet, keyX, l1Owner } = await getLeaf(client, datanetId);
  const isCardCurrent = policy === datanet?.policy;
  // Attack: a host calls its own card an earlier one.
  const isOnLedger =
    isCardCurrent ||
    (await readHistory(client, datanetId)).versions.some((version) => version.policy === policy);
  if (datanet == null || policy !== BigInt(facts.policy) || !isOnLedger)
    throw hostFalse("card", `the card of datanet ${datanetId}`, { datanetId });
  const { publishedAt, rowCount, rowsRoot, version } = datanet;
  const roots = { rowsRoot: hex32(rowsRoot), policy: hex32(datanet.policy) };
  const ledger = { version, rowCount, ...roots, l1Owner, keyX: hex32(keyX), publishedAt };
  return { ...facts, isCardCurrent, ledger };
}

/**
 * Reads the card with a hash.
 * @param policy 0: the present card, by the ledger
 * @throws DNT_NOT_HOSTED where the host does not have it, CLI_DATANET_HOST_FALSE
 * @internal
 */
export async function cardOfVersion(
  client: HostAccess,
  location: HostedDatanetLocation,
  ofVersion: bigint,
): Promise<Card> {
  const hosted = await getHostedDatanet(client, location);
  const policy = ofVersion === 0n ? (await getLeaf(client, location.datanetId)).datanet?.policy : ofVersion;
  if (policy === undefined || BigInt(hosted.policy) === policy) return hosted.card;
  return readCard(client, location, policy);
}

/** @throws DNT_NOT_HOSTED, CLI_DATANET_HOST_FALSE */
async function readCard(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
  policy: bigint,
): Promise<Card> {
  const path = `/v1/datanets/${datanetId}/cards/${hex32(policy)}`;
  const named = readCardBytes(await askHostForBytes(client, hostUrl, { path }));
  if (named.policy !== policy)
    throw hostFalse("card", `the card ${hex32(policy)} of datanet ${datanetId}`, { datanetId });
  return named.card;
}

/**
 * Reads a card by its hash; null where the host does not have it.
 * @throws CLI_DATANET_HOST_FALSE
 * @internal
 */
export async function cardByHash(
  client: HostAccess,
  location: HostedDatanetLocation,
  policy: bigint,
): Promise<Card | null> {
  try {
    return await readCard(client, location, policy);
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED")) return null;
    throw error;
  }
}
