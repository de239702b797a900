/**
 * Verbs of a wallet as methods of a viem client: `walletClient.extend(ledgerActions({ … }))`. Each calls the function of the
 * same name of this library.
 */
import type { Account, Client, Transport } from "viem";
import { force } from "./actions/forced/force.ts";
import { approveToken } from "./actions/l1/approve-token.ts";
import { deposit } from "./actions/l1/deposit.ts";
import { finalizeWithdrawal } from "./actions/l1/finalize-withdrawal.ts";
import { getL1Balances } from "./actions/l1/l1-balances.ts";
import { setKey, transfer, withdraw } from "./actions/ledger/account-operations.ts";
import { createAccount } from "./actions/ledger/create-account.ts";
import { payInference } from "./actions/ledger/pay-inference.ts";
import { claimRewards } from "./actions/ledger/reward-operations.ts";
import { createLedgerClient, type LedgerClient, type LedgerClientOptions } from "./ledger-client.ts";
import { estimateFees } from "./sequencer/fees.ts";
import {
  findLeaves,
  getBatch,
  getInfo,
  getLeaf,
  getOperation,
  getQueueEntry,
  getStatus,
  listBatches,
  listOperations,
} from "./sequencer/ledger-reads.ts";
import { getRewards } from "./sequencer/model-reads.ts";
import { getProvenLeaf, verifyBatch } from "./sequencer/proven-leaf.ts";
import { waitFor } from "./sequencer/wait-for.ts";
import { watchBatch, watchOperation } from "./sequencer/watch.ts";
import type { WalletProvider } from "./wallet.ts";

/** Verbs and reads of a wallet. */
const VERBS = {
  approveToken,
  deposit,
  finalizeWithdrawal,
  force,
  getL1Balances,
  claimRewards,
  createAccount,
  payInference,
  setKey,
  transfer,
  withdraw,
  estimateFees,
  findLeaves,
  getBatch,
  getInfo,
  getLeaf,
  getOperation,
  getProvenLeaf,
  getQueueEntry,
  getRewards,
  getStatus,
  listBatches,
  listOperations,
  verifyBatch,
  waitFor,
};
const WATCHES = { watchBatch, watchOperation };

type Bound<Verbs> = {
  readonly [Name in keyof Verbs]: Verbs[Name] extends (client: never, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};
export type LedgerActions = Bound<typeof VERBS> &
  Bound<typeof WATCHES> & {
    /** The client itself, for the library's other functions. It reads the rollup's addresses from L1 once. */
    openLedger(): Promise<LedgerClient>;
  };

/**
 * Makes the verbs of a wallet methods of a viem client, whose account, transport and chain they use. Bundlers include all
 * of them: a program of few verbs takes `createLedgerClient` and the functions. A method throws the errors of its
 * function, and CLI_UNREACHABLE.
 * @example
 * ```ts
 * const { createWalletClient, http } = await import("viem");
 * const wallet = createWalletClient({ account, transport: http(rpcUrl) });
 * const l2Key = await deriveKey({ wallet: account, chainId: 31337, rollupAddress });
 * const ledger = wallet.extend(ledgerActions({ rollupAddress, sequencerUrl, l2Key }));
 * const { hash } = await ledger.transfer({ to: 7, amountWei: parseOpen("1.5") });
 * const unwatch = ledger.watchOperation({ hash, onStage: ({ stage }) => console.log(stage) });
 * ```
 */
export function ledgerActions(options: Omit<LedgerClientOptions, "provider" | "rpcUrl" | "wallet">) {
  return (
    base: Pick<Client<Transport>, "request"> & { readonly account?: Account | undefined },
  ): LedgerActions => {
    const provider = base as WalletProvider;
    const { account } = base;
    let opened: Promise<LedgerClient> | null = null;
    const openLedger = () => {
      const wallet = account?.type === "local" ? account : account && { provider, address: account.address };
      opened ??= createLedgerClient({ ...options, provider, ...(wallet && { wallet }) }).catch(
        (error: unknown) => {
          opened = null;
          throw error;
        },
      );
      return opened;
    };
    const bound = Object.entries(VERBS).map(([name, act]) => [
      name,
      async (...rest: never[]) =>
        (act as (client: LedgerClient, ...rest: never[]) => unknown)(await openLedger(), ...rest),
    ]);
    const watching = Object.entries(WATCHES).map(([name, watch]) => [
      name,
      (parameters: Parameters<typeof watch>[1]) => {
        let end: (() => void) | null = () => {};
        openLedger().then((client) => {
          if (end !== null) end = watch(client, parameters as never);
        }, parameters.onError);
        return () => {
          end?.();
          end = null;
        };
      },
    ]);
    return { ...Object.fromEntries([...bound, ...watching]), openLedger } as LedgerActions;
  };
}
