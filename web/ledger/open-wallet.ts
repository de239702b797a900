/**
 * Opens a wallet and derives its ledger key for session.ts. Holds the libraries of Ethereum and of the ledger's keys, so it is
 * fetched when somebody connects one.
 */
import { clientError } from "@openledger/client/client-errors";
import { isContractWallet } from "@openledger/client/contract-wallet";
import { deriveKey, type L2Key } from "@openledger/client/l2-key";
import { createLedgerClient } from "@openledger/client/ledger-client";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { ensureChain, walletSigner } from "@openledger/client/wallet";
import { type Address, getAddress } from "viem";
import { loadJourneys } from "./journey-store.ts";
import type { Site } from "./site.ts";
import type { FoundWallet, Session } from "./wallets.ts";

/**
 * @param given by the wallet
 * @param isSilent asks for nothing that would open the wallet
 * @throws CLI_WALLET_WRONG_CHAIN, CLI_UNREACHABLE
 */
export async function openWallet(
  wallet: FoundWallet,
  input: Address,
  site: Site,
  info: SequencerInfo,
  isSilent: boolean,
): Promise<Session> {
  if (!isSilent) await ensureChain(wallet.provider, { chainId: info.chainId, rpcUrl: site.l1Url });
  const address = getAddress(input);
  const client = await createLedgerClient({
    ...(site.l1Url === null ? {} : { rpcUrl: site.l1Url }),
    sequencerUrl: site.sequencer.sequencerUrl!,
    rollupAddress: info.rollupAddress,
    wallet: { provider: wallet.provider, address },
  });
  const opened = { wallet, address, client, isContract: await isContractWallet(client) };
  loadJourneys(opened);
  return opened;
}

/** @throws CLI_WALLET_REJECTED, CLI_WALLET_UNSUPPORTED */
export async function deriveSessionKey(
  { address, client, isContract, wallet }: Session,
  knownKeysX: readonly bigint[],
): Promise<L2Key> {
  const { chain, rollupAddress } = client;
  // Asking would cost its owners signatures for nothing.
  if (isContract)
    throw clientError("CLI_WALLET_UNSUPPORTED", `${address} is a contract wallet`, {
      data: { reason: "signature-unsupported", address },
    });
  await ensureChain(wallet.provider, { chainId: chain.id, rpcUrl: null });
  const signer = walletSigner(wallet.provider, address);
  return deriveKey({ wallet: signer, chainId: chain.id, rollupAddress, knownKeysX });
}
