/**
 * Publication of a Datanet's card by its owner: on the ledger as a hash, then at a host. The command, the pages, the devnet and
 * `openDatanet` draw `setCard`.
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
import { waitFor } from "../sequencer/wait-for.ts";
import { requireKind, requireSigner } from "./before-signing.ts";

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

export interface SetCardParameters extends Pick<SigningOptions, "onSigned"> {
  /** Leaf of the datanet, which signs for itself. */
  datanetId: number;
  card: Card;
  /** Host that gets the card; absent: none. */
  hostUrl?: string;
  /** Called before a card that the ledger does not have is signed; what it throws signs nothing. */
  onNew?: (card: Card) => void;
  onProgress?: (progress: SetCardProgress) => void;
}
/** Step of the task. */
export interface SetCardProgress {
  readonly step: "card" | "host";
}
export interface SetCardReturnType {
  /** The signed card; null where it was the ledger's already. */
  readonly sent: SendResult | null;
  /** Hash of the card. */
  readonly policy: bigint;
}
export type SetCardErrorCode =
  | "CLI_OPERATION_DROPPED"
  | "CLI_WAIT_ENDED"
  | "DNT_CARD_DIGESTS"
  | "OP_WRONG_LEAF_KIND"
  | BringCardErrorCode
  | ListCommitsErrorCode
  | PublishCardErrorCode;

/**
 * Gives a Datanet a card: publishes it, unless it is the ledger's already, and brings it to the host. A second call goes on after an
 * interruption, and makes no second version.
 * @throws DNT_CARD_INVALID, OP_WRONG_LEAF_KIND, OP_BAD_SIGNATURE, CLI_UNREACHABLE where the host does not answer, and DNT_CARD_DIGESTS where
 *   digests would tell rows that are to be private: all before anything is signed; as `publishCard`, `waitFor` and `bringCard`
 * @example
 * ```ts
 * const { policy } = await setCard(client, { hostUrl, datanetId: 10, card });
 * ```
 */
export async function setCard(
  client: LedgerClient,
  { card, datanetId, hostUrl, onNew, onProgress, onSigned }: SetCardParameters,
): Promise<SetCardReturnType> {
  const { policy } = nameCard(card);
  const leaf = await getLeaf(client, datanetId);
  requireKind(leaf, "datanet");
  let sent: SendResult | null = null;
  // Already the ledger's: a host that lost it gets it again.
  if (leaf.datanet?.policy !== policy) {
    onNew?.(card);
    onProgress?.({ step: "card" });
    await requireSigner(client, datanetId);
    // Before it is signed: the host would refuse what the ledger has.
    const isFirst = leaf.datanet?.policy === 0n;
    const last = hostUrl === undefined || isFirst ? null : await lastCard(client, { hostUrl, datanetId });
    await requireHiddenRows(card, last, async () => (await listCommits(client, datanetId)).length);
    sent = await publishCard(client, { datanetId, card, ...(onSigned && { onSigned }) });
    await waitFor(client, { hash: sent.hash }, "acknowledged");
  }
  if (hostUrl !== undefined) {
    onProgress?.({ step: "host" });
    await bringCard(client, { hostUrl, datanetId, card });
  }
  return { sent, policy };
}

/** Card that the host has until now; null where it has none. A host has no card of a Datanet that has none on the ledger. */
async function lastCard(client: HostAccess, location: HostedDatanetLocation): Promise<Card | null> {
  try {
    return (await getHostedDatanet(client, location)).card;
  } catch (error) {
    if (isRollupError(error, "DNT_NOT_HOSTED")) return null;
    throw error;
  }
}
