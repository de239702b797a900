/**
 * Connection of both exit pages to Ethereum: the node that they read, and the wallet that pays. No server of the operator's is
 * asked for anything.
 */

import {
  createPatientL1Client,
  createWalletL1Client,
  type L1Client,
  l1Call,
} from "@openledger/bridge/l1/l1-client";
import { RollupContract, type WalletSender } from "@openledger/bridge/l1/rollup-contract";
import { clientError } from "@openledger/client/client-errors";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { ensureChain, requestAccount, type WalletProvider, walletError } from "@openledger/client/wallet";
import { type Address, getAddress, type Hex, numberToHex } from "viem";
import type { PageBlobs } from "../blobs/page-blobs.ts";
import { storeSentExit } from "./sent-store.ts";

/** A rollup that can be read. */
export interface Access {
  readonly rollup: RollupContract;
  /** Source of the rollup's blobs. */
  readonly blobs: PageBlobs;
  /** Ethereum node; null for the wallet's node. */
  readonly rpcUrl: string | null;
  readonly chainId: number;
}

/** Account that can send transactions. */
export interface Account {
  readonly address: Address;
  /** Client for forced operations. */
  readonly client: LedgerClient;
  readonly sender: WalletSender;
}

/**
 * @param rpcUrl null: the wallet's own node
 * @throws CLI_WRONG_ROLLUP if there is no rollup at the address; BRG_L1_*
 */
export async function openAccess(
  rollupAddress: Address,
  rpcUrl: string | null,
  provider: WalletProvider | null,
  blobs: PageBlobs,
): Promise<Access> {
  const client: L1Client =
    rpcUrl === null ? createWalletL1Client(provider!) : createPatientL1Client({ rpcUrl, patienceMs: 20_000 });
  const chainId = await l1Call("ask the Ethereum node for its chain", () => client.getChainId());
  const code = await l1Call("read the contract", () => client.getCode({ address: rollupAddress }));
  if (code === undefined) {
    throw clientError("CLI_WRONG_ROLLUP", `chain ${chainId} has no contract at ${rollupAddress}`, {
      data: { reason: "no-contract", chainId, rollupAddress },
    });
  }
  const rollup = new RollupContract({ client, address: getAddress(rollupAddress), blobs });
  return { rollup, blobs, rpcUrl, chainId };
}

/**
 * Asks the wallet for its address.
 * @throws CLI_WALLET_REJECTED, CLI_WALLET_UNAVAILABLE, CLI_WALLET_WRONG_CHAIN, CLI_UNREACHABLE
 */
export async function openAccount(access: Access, provider: WalletProvider): Promise<Account> {
  const first = await requestAccount(provider);
  if (first === null) throw clientError("CLI_WALLET_REJECTED", "the wallet gave no address");
  return accountOf(access, provider, getAddress(first));
}

/** @throws CLI_UNREACHABLE */
export async function accountOf(
  access: Access,
  provider: WalletProvider,
  address: Address,
): Promise<Account> {
  const { chainId, rollup, rpcUrl } = access;
  const client = await createLedgerClient({
    ...(rpcUrl === null ? {} : { rpcUrl }),
    rollupAddress: rollup.address,
    wallet: { provider, address },
  });
  const sender: WalletSender = {
    type: "wallet",
    address,
    async sendTransaction({ data, gas, maxFeePerGas, maxPriorityFeePerGas, to }) {
      await ensureChain(provider, { chainId, rpcUrl });
      const fees = { maxFeePerGas, maxPriorityFeePerGas, gas };
      const encoded = Object.fromEntries(
        Object.entries(fees).map(([name, value]) => [name, numberToHex(value)]),
      );
      const params = [{ from: address, to, data, ...encoded }];
      const hash = (await provider.request({ method: "eth_sendTransaction", params }).catch(refused)) as Hex;
      storeSentExit({ chainId, rollupAddress: rollup.address }, address, hash);
      return hash;
    },
  };
  return { address, client, sender };
}

function refused(cause: unknown): never {
  throw walletError(cause) ?? cause;
}
