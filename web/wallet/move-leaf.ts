/** Work of the buttons on the page "A new wallet": moves a leaf to a new wallet, or gives it the wallet's own key. */
import type { MoveAccountReturnType } from "@openledger/client/actions/ledger/move-account";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { moveLeaf as moveByTask } from "@openledger/client/tasks/move-leaf";
import { ensureChain } from "@openledger/client/wallet";
import { type Session, unlock } from "../ledger/session.ts";
import type { MoveTarget } from "./move-target.ts";

/**
 * @param leaf of the connected wallet's address
 * @param hasOldKey false: the wallet sets the key through L1, without the old key's signature
 * @throws what `unlock` and the task throw
 */
export async function moveLeaf(
  now: Session,
  leaf: Pick<LedgerLeaf, "id" | "keyX">,
  { address, keyX }: MoveTarget,
  hasOldKey: boolean,
): Promise<MoveAccountReturnType> {
  await ensureChain(now.wallet.provider, { chainId: now.client.chain.id, rpcUrl: null });
  const client =
    hasOldKey && !now.isContract ? await unlock(now, [leaf.keyX]) : { ...now.client, l2Key: null };
  return moveByTask(client, {
    id: leaf.id,
    newOwner: address,
    keyX,
    // Owners of a contract wallet may take days, and sign the fee's approval with the rest.
    ...(now.isContract ? { permission: "batch" as const, timeoutMs: 0 } : {}),
  });
}
