import { parseSignature } from "viem";
import { type LedgerClient, requireWallet, tokenContract } from "../../ledger-client.ts";
import { walletError } from "../../wallet.ts";

/** An ERC-2612 permission, as the rollup's `…WithPermit` functions take it. */
export interface SignedPermit {
  valueWei: bigint;
  deadline: bigint;
  v: number;
  r: `0x${string}`;
  s: `0x${string}`;
}

const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;
const VALIDITY_SECONDS = 3600n;

/** Signs a permission for the rollup to take `valueWei`, valid for an hour of L1's time. @throws CLI_NO_L1_ACCOUNT, CLI_WALLET_REJECTED */
export async function signPermit(client: LedgerClient, valueWei: bigint): Promise<SignedPermit> {
  const wallet = requireWallet(client);
  const owner = wallet.account.address;
  const token = tokenContract(client);
  const [name, nonce, block] = await Promise.all([
    client.l1.readContract({ ...token, functionName: "name" }),
    client.l1.readContract({ ...token, functionName: "nonces", args: [owner] }),
    client.l1.getBlock(),
  ]);
  const deadline = block.timestamp + VALIDITY_SECONDS;
  const signature = await wallet
    .signTypedData({
      domain: { name, version: "1", chainId: client.chain.id, verifyingContract: client.tokenAddress },
      types: PERMIT_TYPES,
      primaryType: "Permit",
      message: { owner, spender: client.rollupAddress, value: valueWei, nonce, deadline },
    })
    .catch((cause: unknown) => {
      throw walletError(cause) ?? cause;
    });
  const { r, s, yParity } = parseSignature(signature);
  return { valueWei, deadline, v: 27 + yParity, r, s };
}
