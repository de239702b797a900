/**
 * A real Safe, version 1.4.1, and the provider that its owners' page offers: a request to send waits for their
 * signatures, and its name is no transaction's hash.
 */
import { createRequire } from "node:module";
import {
  type Abi,
  type Address,
  concat,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  encodePacked,
  type Hex,
  hashTypedData,
  http,
  parseAbi,
  parseEventLogs,
  size,
  zeroAddress,
} from "viem";
import type { HDAccount, privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import type { WalletProvider } from "../wallet.ts";

type Owner = ReturnType<typeof privateKeyToAccount> | HDAccount;

interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

const requireFrom = createRequire(import.meta.url);
const artifact = (path: string) =>
  requireFrom(`@safe-global/safe-contracts/build/artifacts/contracts/${path}.json`) as Artifact;
const SAFE = artifact("Safe.sol/Safe");
const HANDLER = artifact("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler");
const FACTORY = artifact("proxies/SafeProxyFactory.sol/SafeProxyFactory");
/** The handler has an older function of the same name, too. */
const EIP_1271 = parseAbi(["function isValidSignature(bytes32, bytes) view returns (bytes4)"]);
const MULTI_SEND = artifact("libraries/MultiSendCallOnly.sol/MultiSendCallOnly");

interface Call {
  readonly to: Address;
  readonly data: Hex;
}

interface Pending extends Call {
  readonly safeTxHash: Hex;
  readonly isDelegateCall: boolean;
  /** Gas of the inner call. Above 0 the Safe's transaction succeeds although the call in it fails. */
  readonly safeTxGas: bigint;
  readonly nonce: bigint;
  readonly signatures: Map<Address, Hex>;
}

export interface SafeWallet extends WalletProvider {
  readonly address: Address;
  readonly owners: readonly Owner[];
  /** Methods of its requests. */
  readonly methods: string[];
  /** Proposals that wait for signatures, oldest first. */
  readonly pending: readonly Pending[];
  /** Owners who sign every proposal at once; one of them executes it when there are enough. */
  signers: readonly Owner[];
  /** False for wallets without EIP-5792. */
  takesBatches: boolean;
  /** `safeTxGas` of the next proposals. */
  safeTxGas: bigint;
  /** True: the owner who executes sends all ready proposals in one transaction. */
  isRelayed: boolean;
  /**
   * An owner signs all waiting proposals, and executes those with enough signatures. @returns the transactions' hashes
   */
  sign(owner: Owner): Promise<Hex[]>;
  /** Hides the last proposal from the owners; `putBack` shows it again. */
  takeBack(): Pending;
  putBack(one: Pending): void;
  /** EIP-1271: the owners' signatures over typed data, as `isValidSignature` takes them. */
  isValidSignature(hash: Hex, signature: Hex): Promise<boolean>;
}

function multiSendOf(calls: readonly Call[]): Hex {
  const packed = calls.map(({ to, data }) =>
    encodePacked(["uint8", "address", "uint256", "uint256", "bytes"], [0, to, 0n, BigInt(size(data)), data]),
  );
  return encodeFunctionData({ abi: MULTI_SEND.abi, functionName: "multiSend", args: [concat(packed)] });
}

/** @param owners hold ether: anyone who executes pays the gas */
export async function deploySafe(
  rpcUrl: string,
  owners: readonly Owner[],
  threshold: number,
): Promise<SafeWallet> {
  const transport = http(rpcUrl);
  const node = createPublicClient({ chain: foundry, transport, pollingInterval: 50, cacheTime: 0 });
  const senderOf = (account: Owner) => createWalletClient({ chain: foundry, transport, account });
  const first = senderOf(owners[0]!);
  const mined = (hash: Hex) => node.waitForTransactionReceipt({ hash });
  const deploy = async ({ abi, bytecode }: Artifact) =>
    (await mined(await first.deployContract({ abi, bytecode, args: [] }))).contractAddress!;
  const singleton = await deploy(SAFE);
  const handler = await deploy(HANDLER);
  const factory = await deploy(FACTORY);
  const multiSend = await deploy(MULTI_SEND);
  const addresses = owners.map((owner) => owner.address);
  const none = [zeroAddress, 0n, zeroAddress] as const;
  const setup = [addresses, BigInt(threshold), zeroAddress, "0x", handler, ...none];
  const initializer = encodeFunctionData({ abi: SAFE.abi, functionName: "setup", args: setup });
  const { logs } = await mined(
    await first.writeContract({
      address: factory,
      abi: FACTORY.abi,
      functionName: "createProxyWithNonce",
      args: [singleton, initializer, 0n],
    }),
  );
  const [created] = parseEventLogs({ abi: FACTORY.abi, logs, eventName: "ProxyCreation" });
  const address = (created as unknown as { args: { proxy: Address } }).args.proxy;
  const read = (abi: Abi, functionName: string, args: readonly unknown[] = []) =>
    node.readContract({ address, abi, functionName, args });
  const pending: Pending[] = [];

  const bodyOf = ({
    to,
    data,
    isDelegateCall,
    safeTxGas,
  }: Omit<Pending, "safeTxHash" | "nonce" | "signatures">) =>
    [to, 0n, data, isDelegateCall ? 1 : 0, safeTxGas, 0n, 0n, zeroAddress, zeroAddress] as const;
  const signed = (signatures: ReadonlyMap<Address, Hex>) =>
    concat([...signatures].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1)).map(([, one]) => one));

  async function propose(wallet: SafeWallet, call: Call, isDelegateCall: boolean): Promise<Hex> {
    const body = { ...call, isDelegateCall, safeTxGas: wallet.safeTxGas };
    const nonce = ((await read(SAFE.abi, "nonce")) as bigint) + BigInt(pending.length);
    const safeTxHash = (await read(SAFE.abi, "getTransactionHash", [...bodyOf(body), nonce])) as Hex;
    pending.push({ ...body, safeTxHash, nonce, signatures: new Map() });
    // The others see it later, and sign at any time.
    void (async () => {
      for (const owner of wallet.signers) await wallet.sign(owner);
    })();
    return safeTxHash;
  }

  const wallet: SafeWallet = {
    address,
    owners,
    methods: [],
    pending,
    signers: [],
    takesBatches: true,
    safeTxGas: 0n,
    isRelayed: false,
    async sign(owner) {
      for (const one of pending)
        one.signatures.set(owner.address, await owner.sign({ hash: one.safeTxHash }));
      const ready: Hex[] = [];
      while (pending[0] !== undefined && pending[0].signatures.size >= threshold) {
        const next = pending.shift()!;
        const args = [...bodyOf(next), signed(next.signatures)];
        ready.push(encodeFunctionData({ abi: SAFE.abi, functionName: "execTransaction", args }));
      }
      const together = wallet.isRelayed && ready.length > 0;
      const calls = together
        ? [{ to: multiSend, data: multiSendOf(ready.map((data) => ({ to: address, data }))) }]
        : ready.map((data) => ({ to: address, data }));
      const hashes: Hex[] = [];
      for (const call of calls) {
        const hash = await senderOf(owner).sendTransaction(call);
        await mined(hash);
        hashes.push(hash);
      }
      return hashes;
    },
    takeBack: () => pending.pop()!,
    putBack: (one) => void pending.push(one),
    async isValidSignature(hash, signature) {
      const answer = await read(EIP_1271, "isValidSignature", [hash, signature]);
      return answer === "0x1626ba7e";
    },
    async request({ method, params }) {
      wallet.methods.push(method);
      const list = (params ?? []) as readonly never[];
      switch (method) {
        case "eth_accounts":
        case "eth_requestAccounts":
          return [address];
        case "eth_sendTransaction":
          return propose(wallet, list[0]! as Call, false);
        case "wallet_sendCalls": {
          if (!wallet.takesBatches) throw Object.assign(new Error("no such method"), { code: -32601 });
          const { calls } = list[0]! as { calls: readonly Call[] };
          return { id: await propose(wallet, { to: multiSend, data: multiSendOf(calls) }, true) };
        }
        case "eth_signTypedData_v4": {
          const message = hashTypedData(JSON.parse(list[1]!));
          const hash = (await read(HANDLER.abi, "getMessageHash", [message])) as Hex;
          const parts = new Map<Address, Hex>();
          for (const owner of owners.slice(0, threshold))
            parts.set(owner.address, await owner.sign({ hash }));
          return signed(parts);
        }
        default:
          return node.request({ method, params } as never);
      }
    },
  };
  return wallet;
}
