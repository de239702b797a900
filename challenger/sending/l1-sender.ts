/** Account that signs for L1 at capped fees, for callers without a ledger client. */

import { l1Http } from "@openledger/bridge/l1/l1-client";
import { readL1Result } from "@openledger/client/actions/l1/l1-result";
import {
  cappedFees,
  cappedTransaction,
  receiptPollMs,
  type SpendingCap,
} from "@openledger/contracts/l1/capped-transaction";
import {
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  type Hex,
  type LocalAccount,
  type PublicClient,
  type TransactionReceipt,
  type Transport,
  type WalletClient,
} from "viem";

export interface L1Call {
  readonly to: Address;
  readonly data: Hex;
  readonly valueWei: bigint;
}

export interface L1Sender {
  readonly address: Address;
  readonly account: LocalAccount;
  /** Of each transaction's fees, replacements too. */
  readonly cap: SpendingCap;
  readonly publicClient: PublicClient;
  /** Its deployments and calls pay the same capped fees. */
  readonly walletClient: WalletClient<Transport, Chain, Account>;
  /** Returns once it is mined. @throws CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED; viem's errors where a call of it is refused */
  send(call: L1Call): Promise<{ hash: Hex; gasUsed: bigint }>;
}

interface L1SenderOptions {
  readonly account: LocalAccount;
  readonly rpcUrl: string;
  readonly cap: SpendingCap;
}

export async function openL1Sender({ account: l1, cap, rpcUrl }: L1SenderOptions): Promise<L1Sender> {
  const transport = l1Http(rpcUrl);
  const chainId = await createPublicClient({ transport }).getChainId();
  const publicClient = createPublicClient({ transport, pollingInterval: receiptPollMs(chainId) });
  const estimateFeesPerGas = async () => {
    const { fees } = await cappedFees(publicClient, cap);
    return { maxFeePerGas: fees.maxFeePerGasWei, maxPriorityFeePerGas: fees.maxPriorityFeePerGasWei };
  };
  const chain: Chain = {
    id: chainId,
    name: "L1",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [] } },
    fees: { estimateFeesPerGas },
  };
  const walletClient = createWalletClient({ account: l1, chain, transport });
  return {
    ...{ address: l1.address, account: l1, cap, publicClient, walletClient },
    async send({ data, to, valueWei }) {
      const call = { from: l1.address, to, data, ...(valueWei === 0n ? {} : { valueWei }) };
      const serializedTransaction = await l1.signTransaction(
        await cappedTransaction(walletClient, call, cap),
      );
      const hash = await walletClient.sendRawTransaction({ serializedTransaction });
      return resultOf(await publicClient.waitForTransactionReceipt({ hash }));
    },
  };
}

/** @throws CLI_L1_REVERTED */
export function resultOf(receipt: TransactionReceipt): Awaited<ReturnType<L1Sender["send"]>> {
  const { gasUsed, transactionHash: hash } = readL1Result(receipt);
  return { hash, gasUsed: BigInt(gasUsed) };
}
