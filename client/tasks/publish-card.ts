/**
 * Publication of a Datanet's card by its owner: on the ledger as a hash, then at a host. The command and the pages draw `setCard`; the
 * devnet publishes and brings on its own.
 */
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { requireHiddenRows } from "@openledger/datanets/card/hidden-rows";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type ListCommitsErrorCode, listCommits } from "../actions/data/list-commits.ts";
import { commitVersion } from "../actions/data/version-commitments.ts";
import { type PublishVersionErrorCode, publishVersion } from "../actions/ledger/datanet-operations.ts";
import type { SendResult, SigningOptions } from "../actions/ledger/send-operation.ts";
import { type BringCardErrorCode, bringCard, getHostedDatanet } from "../datanets/datanet-card.ts";
import type { HostAccess, HostedDatanetLocation } from "../datanets/host-request.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";

export interface PublishCardParameters extends SigningOptions {
  /** Leaf of the datanet, which signs for itself. */
  datanetId: number;
  card: Card;
}
export type PublishCardErrorCode = "DNT_CARD_INVALID" | "DNT_CARD_EARLIER" | PublishVersionErrorCode;

/**
 * Publishes a card: the ledger gets its hash as `policy`, with the rows of the present version unchanged. It is a new
 * version all the same, so models are approved 24 hours of batches' time later. The first card comes with a version of no
 * rows.
 * @throws DNT_CARD_INVALID, DNT_CARD_EARLIER, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW
 * @example
 * ```ts
 * const { hash } = await publishCard(client, { datanetId: 10, card });
 * ```
 */
export async function publishCard(
  client: LedgerClient,
  parameters: PublishCardParameters,
): Promise<SendResult> {
  const { policy } = nameCard(parameters.card);
  const { datanet } = await getLeaf(client, parameters.datanetId);
  const version = datanet == null || datanet.version === 0 ? commitVersion([]) : datanet;
  return publishVersion(client, { ...parameters, version, policy });
}

export interface SetCardParameters extends HostedDatanetLocation, Pick<SigningOptions, "onSigned"> {
  card: Card;
  /** Called before a card that the ledger does not have is signed; what it throws signs nothing. */
  onNew?: (card: Card) => void;
}
export interface SetCardReturnType {
  /** The signed card; null where it was the ledger's already. */
  readonly sent: SendResult | null;
  /** Hash of the card. */
  readonly policy: bigint;
}
export type SetCardErrorCode =
  | "DNT_CARD_DIGESTS"
  | BringCardErrorCode
  | ListCommitsErrorCode
  | PublishCardErrorCode;

/**
 * Gives a Datanet a card: publishes it, unless it is the ledger's already, and brings it to the host. A second call goes on after an
 * interruption, and makes no second version.
 * @throws DNT_CARD_DIGESTS where rows that are to be private would be told by their digests; as `publishCard` and `bringCard`
 * @example
 * ```ts
 * const { policy } = await setCard(client, { hostUrl, datanetId: 10, card });
 * ```
 */
export async function setCard(
  client: LedgerClient,
  { card, datanetId, hostUrl, onNew, onSigned }: SetCardParameters,
): Promise<SetCardReturnType> {
  const location = { hostUrl, datanetId };
  const { policy } = nameCard(card);
  const { datanet } = await getLeaf(client, datanetId);
  let sent: SendResult | null = null;
  // Already the ledger's: a host that lost it gets it again.
  if (datanet?.policy !== policy) {
    onNew?.(card);
    // Before it is signed: the host would refuse what the ledger has.
    const last = await lastCard(client, location);
    await requireHiddenRows(card, last, async () => (await listCommits(client, datanetId)).length);
    sent = await publishCard(client, { datanetId, card, ...(onSigned && { onSigned }) });
  }
  await bringCard(client, { ...location, card });
  return { sent, policy };
}

/** Card that the host has until now; null where it has none. */
async function lastCard(client: HostAccess, location: HostedDatanetLocation): Promise<Card | null> {
  try {
    return (await getHostedDatanet(client, location)).card;
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED")) return null;
    throw error;
  }
}
