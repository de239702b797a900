/**
 * Opening of a Datanet: its leaf on the ledger, its card's hash there, and the card at a host. Every refusal comes before the first
 * signature; a call that was cut off is repeated with what `onBegun` has handed over, and opens no second Datanet. The command, the page
 * and the devnet draw it. Amounts are in wei.
 */
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { requireHiddenRows } from "@openledger/datanets/card/hidden-rows";
import type { Address } from "viem";
import { type CreateDatanetErrorCode, createDatanet } from "../actions/ledger/datanet-operations.ts";
import type { SendResult, SignedSubmission, SigningOptions } from "../actions/ledger/send-operation.ts";
import { clientError } from "../client-errors.ts";
import { hostInfo } from "../datanets/host-request.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getInfo } from "../sequencer/ledger-reads.ts";
import { formatOpen } from "../sequencer/open-amount.ts";
import { waitFor } from "../sequencer/wait-for.ts";
import { requireBalance, requireOwner, requireSigner, requireUsableKey } from "./before-signing.ts";
import { type SetCardErrorCode, setCard } from "./publish-card.ts";
import { operateOnce } from "./send-once.ts";

/** How far an earlier call has come. Store it, and pass it again. */
export interface BegunDatanet {
  /** The signed opening. */
  readonly signed?: SignedSubmission;
  /** The opened Datanet. */
  readonly datanetId?: number;
}

export interface OpenDatanetParameters extends Pick<SigningOptions, "from"> {
  /** First balance in wei, paid by the signer: it pays for the Datanet's own operations. */
  amountWei: bigint;
  /** Address that can force and exit the Datanet. Default: the signing account's owner. */
  l1Owner?: Address;
  /** Key that signs for the Datanet; 0 for none. Default: the client's. */
  keyX?: bigint;
  /** Card, whose hash the ledger gets. Absent: the Datanet has none yet. */
  card?: Card;
  /** Host that gets the card; absent: none. */
  hostUrl?: string;
  begun?: BegunDatanet;
  /** Called before each step that must not be repeated. */
  onBegun?: (begun: BegunDatanet) => void | Promise<void>;
  onProgress?: (progress: OpenDatanetProgress) => void;
}
/** Step of the task. */
export interface OpenDatanetProgress {
  readonly step: "checking" | "opening" | "card" | "host";
}
export interface OpenDatanetReturnType {
  readonly datanetId: number;
  /** The opening, as this call has sent it; null where an earlier one had opened the Datanet. */
  readonly sent: SendResult | null;
}
export type OpenDatanetErrorCode = "OP_BAD_SIGNATURE" | CreateDatanetErrorCode | SetCardErrorCode;

/**
 * Opens a Datanet, publishes its card, and brings that to a host.
 * @throws DNT_CARD_INVALID, DNT_CARD_DIGESTS; CLI_INPUT_INVALID for an owner or key that nobody can have, for a card that another key would have to sign,
 *   and for a first balance that does not pay for the card; CLI_UNREACHABLE where the host does not answer: all before anything is
 *   signed. OP_AMOUNT_NOT_REPRESENTABLE, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW, OP_WRONG_LEAF_KIND, CLI_WAIT_ENDED,
 *   CLI_OPERATION_DROPPED, CLI_PRECONFIRMATION_INVALID; DNT_CARD_EARLIER, DNT_NOT_ON_LEDGER
 * @example
 * ```ts
 * let begun: BegunDatanet = {};
 * const onBegun = (now: BegunDatanet) => void (begun = now);
 * const opening = { amountWei: parseOpen("2"), card, hostUrl, onBegun };
 * const { datanetId } = await openDatanet(client, { ...opening, begun });
 * ```
 */
export async function openDatanet(
  client: LedgerClient,
  parameters: OpenDatanetParameters,
): Promise<OpenDatanetReturnType> {
  const { amountWei, begun = {}, card, hostUrl, onBegun, onProgress } = parameters;
  onProgress?.({ step: "checking" });
  if (card !== undefined) nameCard(card);
  // A host would refuse a card whose private rows are told by their digests, once the Datanet is paid for.
  if (card !== undefined) await requireHiddenRows(card, null, async () => 0);
  if (card !== undefined && hostUrl !== undefined) await hostInfo(client, hostUrl);
  const signer = await requireSigner(client, parameters.from);
  const keyX = parameters.keyX ?? signer.keyX;
  const l1Owner = parameters.l1Owner ?? signer.l1Owner;
  let sent: SendResult | null = null;
  let { datanetId } = begun;
  if (datanetId === undefined) {
    if (begun.signed === undefined) {
      encodeAmount(amountWei);
      requireOwner(client, l1Owner);
      requireUsableKey(keyX);
      if (card !== undefined) await requireCardPaid(client, { amountWei, isOwnKey: keyX === signer.keyX });
      await requireBalance(client, signer, "createDatanet", amountWei);
    }
    onProgress?.({ step: "opening" });
    const onSigned = (signed: SignedSubmission) => onBegun?.({ signed });
    const opening = { from: signer.id, l1Owner, keyX, amountWei, onSigned };
    sent = await operateOnce(client, { signed: begun.signed, sign: () => createDatanet(client, opening) });
    const { operation } = await waitFor(client, { hash: sent.hash }, "acknowledged");
    datanetId = operation!.createdId!;
    await onBegun?.({ datanetId });
  }
  if (card !== undefined)
    await setCard(
      { ...client, leafId: datanetId },
      {
        ...{ datanetId, card },
        ...(hostUrl === undefined ? {} : { hostUrl }),
        ...(onProgress && { onProgress }),
      },
    );
  return { datanetId, sent };
}

/** The Datanet itself signs its card, and pays for it. @throws CLI_INPUT_INVALID */
async function requireCardPaid(
  client: LedgerClient,
  { amountWei, isOwnKey }: { readonly amountWei: bigint; readonly isOwnKey: boolean },
): Promise<void> {
  if (!isOwnKey)
    throw clientError(
      "CLI_INPUT_INVALID",
      "another key signs for the Datanet: its holder publishes the card",
      {
        data: { reason: "card-key" },
      },
    );
  const { feePerUnitWei } = await getInfo(client);
  const feeWei = BigInt(kindRule(KIND.publishVersion)!.weight) * feePerUnitWei;
  if (amountWei >= feeWei) return;
  throw clientError(
    "CLI_INPUT_INVALID",
    `a first balance of ${formatOpen(amountWei)} OPEN does not pay ${formatOpen(feeWei)} for the Datanet's card`,
    { data: { reason: "card-unpaid", amountWei: amountWei.toString(), feeWei: feeWei.toString() } },
  );
}
