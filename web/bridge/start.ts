/**
 * Actions of the bridge page's forms: deposit, transfer, withdraw, finalize. Each stores its journey, by which the page follows
 * the movement of money, before the step that could be lost with the page. Amounts are in wei.
 */

import type { L1Options } from "@openledger/client/actions/l1/l1-transaction";
import { isClientError } from "@openledger/client/client-errors";
import { depositOpen } from "@openledger/client/tasks/deposit-open";
import { forceOperations } from "@openledger/client/tasks/force-operations";
import { transferOpen } from "@openledger/client/tasks/transfer-open";
import { finalizeWithdrawals as finalizeAll, withdrawOpen } from "@openledger/client/tasks/withdraw-open";
import { ensureChain } from "@openledger/client/wallet";
import type { Address, Hex } from "viem";
import { reached } from "../ledger/advance.ts";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { isFinalizable, type Journey } from "../ledger/journey.ts";
import { journeys, keepJourney } from "../ledger/journey-store.ts";
import { type Session, unlock } from "../ledger/session.ts";
import { beginJourney, storeSignedJourney } from "../ledger/signed-journey.ts";

const knownKeys = (now: Holdings) => now.accounts.map(({ keyX }) => keyX);

/** Approval of a contract wallet for its OPEN: in one step with its use, or in a transaction of its own before. */
type InSteps = "batch" | "approve";

/**
 * Timeout for the owners of a contract wallet. They may take days: the journey is stored and followed. Only an approval is
 * awaited.
 */
const ownersMs = (inSteps: InSteps) => (inSteps === "batch" ? 0 : 3_600_000);

/**
 * Deposits into the address' account with the wallet's key, or into a new one; a contract wallet's has none.
 * Attack: a stranger opens an account for the address with a key of their own, and spends what arrives.
 * @throws what unlock and depositOpen throw
 */
export async function startDeposit(
  now: Session,
  owned: Holdings,
  amountWei: bigint,
  inSteps: InSteps,
): Promise<void> {
  await toRollupChain(now);
  const client = now.isContract ? now.client : await unlock(now, knownKeys(owned));
  const { l2Key } = client;
  const account =
    l2Key === null ? mainAccount(owned) : (owned.accounts.find(({ keyX }) => keyX === l2Key.keyX) ?? null);
  const byOwners = now.isContract ? { permission: inSteps, timeoutMs: ownersMs(inSteps) } : {};
  const target = account === null ? {} : { to: account.id, expectedOwner: now.address };
  await keepQueued(now, beginJourney("deposit", amountWei), (callbacks) =>
    depositOpen(client, { amountWei, ...callbacks, ...target, ...byOwners }),
  );
}

/** Withdraws through L1's queue, which the operator can neither leave out nor alter. Burns the queue's fee. */
export async function startForcedWithdraw(
  now: Session,
  owned: Holdings,
  amountWei: bigint,
  inSteps: InSteps,
): Promise<void> {
  await toRollupChain(now);
  const { id } = mainAccount(owned)!;
  const operations = [{ type: "withdraw", id, amountWei, recipient: now.address }] as const;
  const byOwners = now.isContract ? { permission: inSteps, timeoutMs: ownersMs(inSteps) } : {};
  await keepQueued(now, beginJourney("forcedWithdraw", amountWei), async (callbacks) => {
    // Unchecked: this page has no ledger of L1's, and no sequencer's word keeps anybody from leaving. The exit page checks.
    const { entries } = await forceOperations(now.client, { operations, ...callbacks, ...byOwners });
    return entries[0]!;
  });
}

/** Stores the transaction's hash as soon as there is one, or the proposal to a contract wallet. */
async function keepQueued(
  now: Session,
  started: Journey,
  send: (
    callbacks: Required<Pick<L1Options, "onSent" | "onProposed">>,
  ) => Promise<{ queueIndex: number; transactionHash: Hex }>,
): Promise<void> {
  let journey = started;
  const keep = (known: Partial<Journey>) => {
    journey = reached({ ...journey, ...known }, "sent", Date.now());
    keepJourney(now, journey);
  };
  try {
    const { queueIndex, transactionHash } = await send({
      onSent: (queuedHash) => keep({ queuedHash }),
      onProposed: (proposal) => keep({ proposal }),
    });
    const { proposal: _, ...known } = journey;
    keepJourney(now, reached({ ...known, queuedHash: transactionHash, queueIndex }, "queued", Date.now()));
  } catch (error) {
    // Its owners have it: the list of journeys tells what becomes of it.
    if (journey.proposal === undefined || !isClientError(error, "CLI_L1_PROPOSED")) throw error;
  }
}

/** @param expectedOwner refuses if the leaf is another's by then */
export async function startTransfer(
  now: Session,
  owned: Holdings,
  { to, amountWei, expectedOwner }: { to: number; amountWei: bigint; expectedOwner?: Address },
): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const journey = { ...beginJourney("transfer", amountWei), toLeaf: to };
  const owner = expectedOwner === undefined ? {} : { expectedOwner };
  await storeSignedJourney(now, journey, (onSigned) =>
    transferOpen(client, { from, to, amountWei, onSigned, ...owner }),
  );
}

export async function startWithdraw(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const journey = beginJourney("withdraw", amountWei);
  await storeSignedJourney(now, journey, async (onSigned) => {
    const { sent } = await withdrawOpen(client, { from, amountWei, recipient: now.address, onSigned });
    return sent;
  });
}

/** Pays out everything that L1 owes to the address. @throws CLI_WALLET_…, CLI_L1_… */
export async function finalizeWithdrawals(now: Session): Promise<void> {
  await toRollupChain(now);
  const paid = journeys.value.filter(isFinalizable).map(({ id }) => id);
  const { transactionHash } = await finalizeAll(now.client);
  for (const journey of journeys.value.filter(({ id }) => paid.includes(id)))
    keepJourney(now, reached({ ...journey, payoutHash: transactionHash }, "paidOut", Date.now()));
}

function toRollupChain({ wallet, client }: Session): Promise<void> {
  return ensureChain(wallet.provider, { chainId: client.chain.id, rpcUrl: null });
}
