/**
 * A wallet for the devnet: EIP-1193 in front of keys that the whole world knows. Offered only where the chain is the
 * devnet's, by its node's own answer, and marked wherever it is named.
 */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  erc20Abi,
  hexToBigInt,
  http,
  numberToHex,
  parseEther,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { add } from "./wallets.ts";

/** anvil's own, as public as a phrase can be. */
const MNEMONIC = "test test test test test test test test test test test junk";
/** The devnet's visitors, whom nobody else uses: `e2e/devnet/config.ts`, VISITORS_WEI. */
const WALLETS = [
  { name: "Test wallet A", addressIndex: 11 },
  { name: "Test wallet B", addressIndex: 12 },
] as const;

/** @returns whether the node is a devnet's, and the wallets are offered */
export async function offerTestWallets(l1Url: string): Promise<boolean> {
  const node = createPublicClient({ chain: foundry, transport: http(l1Url) });
  if ((await node.getChainId()) !== DEVNET_CHAIN_ID) return false;
  for (const { name, addressIndex } of WALLETS) {
    const provider = { request: (request: Request) => answer(request, l1Url, addressIndex) };
    add({ id: `openledger.test.${addressIndex}`, name, iconUrl: null, provider, isTest: true });
  }
  return true;
}

/** Gives to visitors, and does nothing else: `e2e/devnet/config.ts`, VISITORS_WEI. */
const FAUCET_INDEX = 13;
const FAUCET_OPEN = parseEther("1000");
const FAUCET_ETHER = parseEther("10");

/** OPEN and ether of the devnet, which are worth nothing, for any address. */
export async function sendTestOpen(l1Url: string, token: Address, to: Address): Promise<void> {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex: FAUCET_INDEX });
  const options = { chain: foundry, transport: http(l1Url) } as const;
  const [faucet, node] = [createWalletClient({ ...options, account }), createPublicClient(options)];
  const transfer = { abi: erc20Abi, functionName: "transfer", args: [to, FAUCET_OPEN] } as const;
  const hash = await inTurn(() => faucet.writeContract({ address: token, ...transfer }));
  if ((await node.getBalance({ address: to })) < FAUCET_ETHER)
    await inTurn(() => faucet.sendTransaction({ to, value: FAUCET_ETHER }));
  await node.waitForTransactionReceipt({ hash });
}

/** Tries of a transaction whose nonce another tab has taken. */
const MAX_TRIES = 5;
/** Pause between two tries, times the number of tries. */
const PAUSE_MS = 400;

/** Sends again if another reader has taken the same nonce. */
async function inTurn<T>(send: () => Promise<T>, tries = 1): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (tries === MAX_TRIES) throw error;
    await new Promise((settle) => setTimeout(settle, PAUSE_MS * (tries + Math.random())));
    return inTurn(send, tries + 1);
  }
}

interface Request {
  readonly method: string;
  readonly params?: unknown;
}

async function answer({ method, params }: Request, l1Url: string, addressIndex: number): Promise<unknown> {
  const account = mnemonicToAccount(MNEMONIC, { addressIndex });
  const wallet = createWalletClient({ chain: foundry, transport: http(l1Url), account });
  const list = (params ?? []) as readonly unknown[];
  switch (method) {
    case "eth_requestAccounts":
    case "eth_accounts":
      return [account.address];
    case "eth_chainId":
      return numberToHex(DEVNET_CHAIN_ID);
    case "wallet_switchEthereumChain":
      return null;
    case "eth_signTypedData_v4":
      return account.signTypedData(JSON.parse(list[1] as string));
    case "eth_sendTransaction": {
      const request = list[0] as Record<string, `0x${string}`>;
      const optional = (name: string) =>
        request[name] === undefined ? undefined : hexToBigInt(request[name]);
      return wallet.sendTransaction({
        to: request.to,
        data: request.data,
        value: optional("value"),
        gas: optional("gas"),
        maxFeePerGas: optional("maxFeePerGas"),
        maxPriorityFeePerGas: optional("maxPriorityFeePerGas"),
      } as Parameters<typeof wallet.sendTransaction>[0]);
    }
    default:
      return wallet.request({ method, params } as never);
  }
}
