/**
 * Moves a leaf to a new wallet: its owner on L1 and the key that signs for it. Earnings, rows and payments follow, since the ledger
 * names the leaf's number everywhere.
 */
import { KIND } from "@openledger/circuits/protocol";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { clientError } from "../../client-errors.ts";
import { type LedgerClient, requireWallet } from "../../ledger-client.ts";
import { resolveSigner } from "../../sequencer/ledger-reads.ts";
import type { LedgerLeaf } from "../../sequencer/sequencer-schemas.ts";
import { type ForceErrorCode, type ForceParameters, force } from "../forced/force.ts";
import type { QueueResult } from "../forced/queue-result.ts";
import { queuedEntries } from "../l1/queued-entries.ts";
import { setKey } from "./account-operations.ts";
import type { SendResult, SigningErrorCode } from "./send-operation.ts";

export interface MoveAccountParameters
  extends Pick<ForceParameters, "maxFeeWei" | "permission" | "timeoutMs"> {
  /** Leaf that moves: an account, a Datanet or a model; default: the client's. */
  id?: number;
  /** Ethereum address that owns the leaf from then on. */
  newOwner: Address;
  /** Key that signs for the leaf from then on: what `deriveKey` makes of the new wallet. */
  keyX: bigint;
}

/** Entry of L1's queue that an earlier call has sent, and that waits for a batch. */
export interface WaitingMove {
  readonly queueIndex: number;
  readonly isWaiting: true;
}

export interface MoveAccountReturnType {
  readonly leaf: LedgerLeaf;
  /**
   * The operation that sets the key. With a queueIndex it went through L1, since the old key did not sign: hosts wait a week with
   * what the new key cannot undo. null: the leaf has the key already.
   */
  readonly key: SendResult | QueueResult | WaitingMove | null;
  /** The queue's entry that sets the owner, for `waitFor`; null: the address owns the leaf already. */
  readonly owner: QueueResult | WaitingMove | null;
}

export type MoveAccountErrorCode =
  | "CLI_INPUT_INVALID"
  | "CLI_L1_LOGS_INCOMPLETE"
  | ForceErrorCode
  | SigningErrorCode;

/**
 * Gives a leaf another owner and another key. The wallet of the present owner sends the change of owner through L1's queue; the
 * old key signs the change of key, or the owner's wallet sends that, too, where the client has another key or none. A call that
 * was broken off is repeated: it does what is missing, and sends no entry again that waits in L1's queue.
 * @throws CLI_L1_LOGS_INCOMPLETE where the node does not show what waits; CLI_INPUT_INVALID where the client's wallet does not own the leaf, and what `force` and `setKey` throw
 * @example
 * ```ts
 * // On the new wallet's side: its address and its key.
 * const { keyX } = await deriveKey({ wallet: account, chainId: client.chain.id, rollupAddress });
 * // On the old wallet's side.
 * const { owner } = await moveAccount(client, { newOwner: account.address, keyX });
 * if (owner !== null) await waitFor(client, { queueIndex: owner.queueIndex }, "posted");
 * ```
 */
export async function moveAccount(
  client: LedgerClient,
  { id, keyX, newOwner, ...queueOptions }: MoveAccountParameters,
): Promise<MoveAccountReturnType> {
  if (isAddressEqual(newOwner, zeroAddress) || isAddressEqual(newOwner, client.rollupAddress))
    throw clientError("CLI_INPUT_INVALID", `${newOwner} can own no leaf`, {
      data: { reason: "owner-impossible", newOwner },
    });
  const leaf = await resolveSigner(client, id);
  const isOwned = isAddressEqual(leaf.l1Owner, newOwner);
  const isKeyed = leaf.keyX === keyX;
  const signsHere = client.l2Key?.keyX === leaf.keyX;
  if (!isOwned || (!isKeyed && !signsHere)) {
    // The queue burns its fee for a stranger's entry, too.
    const { address } = requireWallet(client).account;
    if (!isAddressEqual(leaf.l1Owner, address))
      throw clientError("CLI_INPUT_INVALID", `leaf ${leaf.id} belongs to ${leaf.l1Owner}, not ${address}`, {
        data: { reason: "not-owner", id: leaf.id, l1Owner: leaf.l1Owner, address },
      });
  }
  const ownEntries =
    isOwned && (isKeyed || signsHere)
      ? []
      : await queuedEntries(client, requireWallet(client).account.address);
  /** Queued by an earlier call, which was broken off behind it. */
  const waiting = (kind: number, word1: bigint): WaitingMove | null => {
    const found = ownEntries.findLast((one) => one.a === leaf.id && one.kind === kind);
    return found?.word1 === word1 ? { queueIndex: found.queueIndex, isWaiting: true } : null;
  };
  const forceOwner = () =>
    waiting(KIND.forcedSetOwner, BigInt(newOwner)) ??
    force(client, { type: "setOwner", id: leaf.id, newOwner, ...queueOptions });
  if (signsHere) {
    // What costs most, and may be refused, comes first: then nothing has changed.
    const owner = isOwned ? null : await forceOwner();
    const key = isKeyed ? null : await setKey(client, { keyX, from: leaf.id });
    return { leaf, key, owner };
  }
  // The queue is in order: behind a new owner's, the old owner's entry has no effect.
  const key = isKeyed
    ? null
    : (waiting(KIND.forcedSetKey, keyX) ??
      (await force(client, { type: "setKey", id: leaf.id, keyX, ...queueOptions })));
  return { leaf, key, owner: isOwned ? null : await forceOwner() };
}
