/** Begins what a form asks for. Each journey is kept before the step that could be lost with the page. */
import type { Address, Hex } from "viem";
import { claim } from "../../client/actions/l1/claim.ts";
import { deposit } from "../../client/actions/l1/deposit.ts";
import type { SignedSubmission } from "../../client/actions/ledger/send-operation.ts";
import { transfer } from "../../client/actions/ledger/transfer.ts";
import { withdraw } from "../../client/actions/ledger/withdraw.ts";
import { ensureChain } from "../../client/wallet.ts";
import { reached } from "../ledger/advance.ts";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { isClaimable, type Journey, type JourneyKind } from "../ledger/journey.ts";
import { journeys, keepJourney } from "../ledger/journey-store.ts";
import { type Session, unlock } from "../ledger/session.ts";

function begin(kind: JourneyKind, amountWei: bigint): Journey {
  return {
    id: crypto.randomUUID(),
    kind,
    amountWei,
    startedAtMs: Date.now(),
    reachedAtMs: {},
    expectedAtMs: {},
  };
}

const knownKeys = (now: Holdings) => now.accounts.map(({ keyX }) => keyX);

/** Into the address' account, or into a new one with the wallet's key. @throws what unlock and deposit throw */
export async function startDeposit(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  const account = mainAccount(owned);
  await toRollupChain(now);
  const client = account === null ? await unlock(now, []) : now.client;
  let journey = begin("deposit", amountWei);
  const onSent = (depositHash: Hex) => {
    journey = reached({ ...journey, depositHash }, "sent", Date.now());
    keepJourney(now, journey);
  };
  const target = account === null ? {} : { to: account.id, expectedOwner: now.address };
  const { queueIndex, transactionHash } = await deposit(client, { amountWei, onSent, ...target });
  journey = reached({ ...journey, depositHash: transactionHash, queueIndex }, "queued", Date.now());
  keepJourney(now, journey);
}

/** @param expectedOwner refuses where the leaf is another's by then */
export async function startTransfer(
  now: Session,
  owned: Holdings,
  { to, amountWei, expectedOwner }: { to: number; amountWei: bigint; expectedOwner?: Address },
): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const keep = keeping(now, { ...begin("transfer", amountWei), toLeaf: to });
  const owner = expectedOwner === undefined ? {} : { expectedOwner };
  await keep.run((onSigned) => transfer(client, { from, to, amountWei, onSigned, ...owner }));
}

export async function startWithdraw(now: Session, owned: Holdings, amountWei: bigint): Promise<void> {
  const client = await unlock(now, knownKeys(owned));
  const from = mainAccount(owned)!.id;
  const keep = keeping(now, begin("withdraw", amountWei));
  await keep.run((onSigned) => withdraw(client, { from, amountWei, recipient: now.address, onSigned }));
}

/** Keeps what was signed before it is sent: a page that closes in between sends it again when it opens. */
function keeping(now: Session, started: Journey) {
  return {
    async run(
      send: (onSigned: (signed: SignedSubmission) => void) => Promise<{ receipt: unknown }>,
    ): Promise<void> {
      let journey = started;
      const { receipt } = await send((signed) => {
        journey = reached({ ...journey, signed, hash: signed.hash }, "signed", Date.now());
        keepJourney(now, journey);
      });
      if (receipt === null) return;
      const { signed: _, ...rest } = journey;
      keepJourney(now, reached(rest, "accepted", Date.now()));
    },
  };
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
