/** ERC-2612 permit for the rollup to take OPEN, as typed data that the wallet signs. `deposit` uses it to save a transaction. */
import { parseSignature } from "viem";
import { clientError } from "../../client-errors.ts";
import { isContractWallet } from "../../contract-wallet.ts";
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

/** Typed data of ERC-2612. */
const PERMIT_TYPES = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
} as const;
/** An hour: long enough for a wallet's dialog and a slow block. */
const VALIDITY_SECONDS = 3600n;

export type SignPermitErrorCode = "CLI_NOT_CONFIGURED" | "CLI_WALLET_REJECTED" | "CLI_WALLET_UNSUPPORTED";

/**
 * Signs a permission for the rollup to take `valueWei`, valid for an hour of L1's time.
 * @throws CLI_NOT_CONFIGURED, CLI_WALLET_REJECTED, CLI_WALLET_UNSUPPORTED: the token recovers the owner's address from the
 *   signature, which a contract wallet has no key for
 * @example
 * ```ts
 * const { v, r, s, deadline } = await signPermit(client, parseOpen("10"));
 * ```
 */
export async function signPermit(client: LedgerClient, valueWei: bigint): Promise<SignedPermit> {
  const wallet = requireWallet(client);
  const owner = wallet.account.address;
  if (await isContractWallet(client)) {
    throw clientError("CLI_WALLET_UNSUPPORTED", `${owner} is a contract wallet, which signs no permit`, {
      data: { reason: "no-permit", address: owner },
    });
  }
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
