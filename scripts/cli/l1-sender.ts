/** An account that signs for L1 at capped fees: transactions of commands whose library has no client of its own. */
import {
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  type PublicClient,
  type Transport,
  type WalletClient,
} from "viem";
import { l1Call } from "../../bridge/l1/l1-client.ts";
import { readL1Result } from "../../client/actions/l1/l1-result.ts";
import { cappedFees, cappedTransaction } from "../../contracts/l1/capped-transaction.ts";
import { commandError } from "./cli-errors.ts";
import { type GlobalOptions, resolveAccount, resolveRpcUrl, spendingCapOf } from "./context.ts";

export interface L1Sender {
  readonly address: Address;
  readonly publicClient: PublicClient;
  /** Its deployments and calls pay the same capped fees. */
  readonly walletClient: WalletClient<Transport, Chain, Account>;
  /** Returns once it is mined. @throws CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED; viem's errors where a call of it is refused */
  send(call: {
    readonly to: Address;
    readonly data: Hex;
    readonly valueWei: bigint;
  }): Promise<{ hash: Hex; gasUsed: bigint }>;
}

export async function l1SenderOf(options: GlobalOptions): Promise<L1Sender> {
  const { l1 } = resolveAccount(options);
  const transport = http(resolveRpcUrl(options));
  const cap = spendingCapOf(options);
  const publicClient = createPublicClient({ transport });
  const estimateFeesPerGas = async () => {
    const { fees } = await cappedFees(publicClient, cap);
    return { maxFeePerGas: fees.maxFeePerGasWei, maxPriorityFeePerGas: fees.maxPriorityFeePerGasWei };
  };
  const chain: Chain = {
    id: await publicClient.getChainId(),
    name: "L1",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [] } },
    fees: { estimateFeesPerGas },
  };
  const walletClient = createWalletClient({ account: l1, chain, transport });
  return {
    address: l1.address,
    publicClient,
    walletClient,
    async send({ data, to, valueWei }) {
      const call = { from: l1.address, to, data, ...(valueWei === 0n ? {} : { valueWei }) };
      const serializedTransaction = await l1.signTransaction(
        await cappedTransaction(walletClient, call, cap),
      );
      const hash = await walletClient.sendRawTransaction({ serializedTransaction });
      const { gasUsed } = readL1Result(await publicClient.waitForTransactionReceipt({ hash }));
      return { hash, gasUsed: BigInt(gasUsed) };
    },
  };
}

/**
 * A sender that services share: one transaction after the other, and none while L1 has not mined what the account sent before,
 * as a process that was killed may have. So what was looked up on L1 before is still so, and nothing is done twice.
 */
export function inOrder(sender: L1Sender): L1Sender {
  const { address, publicClient } = sender;
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...sender,
    /** @throws CMD_L1_PENDING, BRG_L1_*, and as the sender's own */
    send(call) {
      const sent = last.then(async () => {
        const [mined, known] = await l1Call("count the account's transactions", () =>
          Promise.all(
            (["latest", "pending"] as const).map((blockTag) =>
              publicClient.getTransactionCount({ address, blockTag }),
            ),
          ),
        );
        if (known! > mined!)
          throw commandError(
            "CMD_L1_PENDING",
            `L1 has not mined ${known! - mined!} transactions of ${address}: nothing more is sent until it has, or they are replaced by hand`,
            { data: { account: address, count: known! - mined! } },
          );
        return sender.send(call);
      });
      last = sent.catch(() => {});
      return sent;
    },
  };
}
