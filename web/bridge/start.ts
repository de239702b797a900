/** Begins what a form asks for. Each journey is kept before the step that could be lost with the page. */
import type { Address, Hex } from "viem";
import { forceWithdraw } from "../../client/actions/forced/force-withdraw.ts";
import { claim } from "../../client/actions/l1/claim.ts";
import { deposit } from "../../client/actions/l1/deposit.ts";
import { transfer } from "../../client/actions/ledger/transfer.ts";
import { withdraw } from "../../client/actions/ledger/withdraw.ts";
import { ensureChain } from "../../client/wallet.ts";
import { reached } from "../ledger/advance.ts";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { isClaimable, type Journey } from "../ledger/journey.ts";
import { journeys, keepJourney } from "../ledger/journey-store.ts";
import { type Session, unlock } from "../ledger/session.ts";
import { beginJourney, keepSigned } from "../ledger/signed-journey.ts";

const knownKeys = (now: Holdings) => now.accounts.map(({ keyX }) => keyX);

/** Into the address' account, or into a new one with the wallet's key. @throws what unlock and deposit throw */
export async function startDeposit(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  const account = mainAccount(owned);
  await toRollupChain(now);
  const client = account === null ? await unlock(now, []) : now.client;
  const target = account === null ? {} : { to: account.id, expectedOwner: now.address };
  await keepQueued(now, beginJourney("deposit", amountWei), (onSent) =>
    deposit(client, { amountWei, onSent, ...target }),
  );
}

/** Through L1's queue, which the operator can neither leave out nor alter. Burns the queue's fee. */
export async function startForcedWithdraw(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  await toRollupChain(now);
  const { id } = mainAccount(owned)!;
  const recipient = now.address;
  await keepQueued(now, beginJourney("forcedWithdraw", amountWei), (onSent) =>
    forceWithdraw(now.client, { id, amountWei, recipient, onSent }),
  );
}

/** Keeps the transaction's hash as soon as there is one. */
async function keepQueued(
  now: Session,
  started: Journey,
  send: (onSent: (hash: Hex) => void) => Promise<{ queueIndex: number; transactionHash: Hex }>,
): Promise<void> {
  let journey = started;
  const { queueIndex, transactionHash } = await send((queuedHash) => {
    journey = reached({ ...journey, queuedHash }, "sent", Date.now());
    keepJourney(now, journey);
  });
  keepJourney(now, reached({ ...journey, queuedHash: transactionHash, queueIndex }, "queued", Date.now()));
}

/** @param expectedOwner refuses where the leaf is another's by then */
export async function startTransfer(
  now: Session,
  owned: Holdings,
  { to, amountWei, expectedOwner }: { to: number; amountWei: bigint; expectedOwner?: Address },
): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const journey = { ...beginJourney("transfer", amountWei), toLeaf: to };
  const owner = expectedOwner === undefined ? {} : { expectedOwner };
  await keepSigned(now, journey, (onSigned) => transfer(client, { from, to, amountWei, onSigned, ...owner }));
}

export async function startWithdraw(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const journey = beginJourney("withdraw", amountWei);
  await keepSigned(now, journey, (onSigned) =>
    withdraw(client, { from, amountWei, recipient: now.address, onSigned }),
  );
}

/** Pays out everything that L1 owes to the address. @throws CLI_WALLET_…, CLI_L1_… */
export async function claimAll(now: Session): Promise<void> {
  await toRollupChain(now);
  const paid = journeys.value.filter(isClaimable).map(({ id }) => id);
  const { transactionHash } = await claim(now.client);
  for (const journey of journeys.value.filter(({ id }) => paid.includes(id)))
    keepJourney(now, reached({ ...journey, claimHash: transactionHash }, "claimed", Date.now()));
}

function toRollupChain({ wallet, client }: Session): Promise<void> {
  return ensureChain(wallet.provider, { chainId: client.chain.id, rpcUrl: null });
}
