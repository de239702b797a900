/**
 * Keys of the ledger: EdDSA on BabyJubJub, derived from a wallet's EIP-712 signature or from randomness. A client signs every
 * operation with one; `keyX`, a field element, is its public part.
 */
import { createSigner, type Message, type Signature } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { MAX_S } from "@openledger/contracts/l1/preconfirmation-signer";
import { Secret } from "@openledger/foundation/secret";
import {
  type Address,
  concat,
  type Hex,
  hexToBytes,
  isAddressEqual,
  keccak256,
  recoverTypedDataAddress,
  size,
  slice,
  stringToHex,
  toHex,
} from "viem";
import { clientError } from "./client-errors.ts";

/** A BabyJubJub key that signs ledger operations. `keyX` is what a leaf stores. */
export interface L2Key {
  readonly keyX: bigint;
  readonly secret: Secret<Hex>;
  /** Signs an operation's parts, or any field element, which is then no operation's. */
  sign(message: Message): Signature;
}

/** Anything that signs EIP-712 for one address: a viem account, or a wallet behind the same two members. */
export interface TypedDataSigner {
  readonly address: Address;
  signTypedData(message: KeyMessage): Promise<Hex>;
}

/** EIP-712 typed data. */
export interface KeyMessage {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: Address;
  };
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

const STATEMENT =
  "Sign this to create the key of your OpenLedger account. " +
  "Whoever has this signature can spend that account: sign it only in software that you trust with it.";
/**
 * Text for a contract wallet. One owner's signature is enough: a ledger key is one key, whatever the wallet requires on
 * Ethereum.
 */
const CONTRACT_STATEMENT =
  "Sign this to create the key of the OpenLedger account of a contract wallet that you own. " +
  "Whoever has this signature can spend that account alone, without the wallet's other owners: " +
  "sign it only in software that you trust with it.";
/** Prefix that separates the hash of the seed from other uses of the signature. */
const KEY_TAG = stringToHex("OpenLedger key v1");

/** The fixed message whose signature is the key's seed. Index 0 is the first key; rotation counts up. */
function keyMessage(options: DeriveKeyParameters): KeyMessage {
  const { chainId, rollupAddress, index = 0, contractWallet } = options;
  const field = (name: string, type: string) => ({ name, type });
  const isPlain = contractWallet === undefined;
  const primaryType = isPlain ? "LedgerKey" : "ContractLedgerKey";
  const fields = [field("statement", "string"), field("index", "uint32")];
  return {
    domain: { name: "OpenLedger", version: "1", chainId, verifyingContract: rollupAddress },
    types: { [primaryType]: isPlain ? fields : [...fields, field("wallet", "address")] },
    primaryType,
    message: isPlain
      ? { statement: STATEMENT, index }
      : { statement: CONTRACT_STATEMENT, index, wallet: contractWallet },
  };
}

export interface DeriveKeyParameters {
  wallet: TypedDataSigner;
  chainId: number;
  rollupAddress: Address;
  /** Index of the key of this wallet; default 0. */
  index?: number;
  /**
   * Contract wallet whose account the key is for, and which `wallet` is one owner of. Another owner's signature gives
   * another key: the account has the one that was registered.
   */
  contractWallet?: Address;
  /** Keys of the wallet's accounts: where the first signature gives one of them, no second one is requested. */
  knownKeysX?: readonly bigint[];
}
export type DeriveKeyErrorCode = "CLI_WALLET_UNSUPPORTED" | "CLI_WALLET_REJECTED";

/**
 * Derives the wallet's L2 key for one rollup. For a contract wallet, which has no signature of its own, it derives an
 * owner's key. Requests the signature twice where the key is new: a key that cannot be derived again is lost with the
 * memory of this process.
 *
 *
 * @throws CLI_WALLET_UNSUPPORTED
 * @example
 * ```ts
 * const place = { chainId: client.chain.id, rollupAddress };
 * const l2Key = await deriveKey({ wallet: account, ...place });
 * // With a browser's wallet, or for a Safe of which `account` is one owner:
 * const theirs = await deriveKey({ wallet: walletSigner(provider, account.address), ...place });
 * const forSafe = await deriveKey({ wallet: account, ...place, contractWallet: safeAddress });
 * ```
 */
export async function deriveKey(options: DeriveKeyParameters): Promise<L2Key> {
  const { wallet } = options;
  const message = keyMessage(options);
  const first = await signSeed(wallet, message);
  const key = await keyFromSecret(keccak256(concat([KEY_TAG, first])));
  if (options.knownKeysX?.includes(key.keyX)) return key;
  const second = await signSeed(wallet, message);
  if (first !== second) {
    throw clientError(
      "CLI_WALLET_UNSUPPORTED",
      `${wallet.address} signs the same message differently each time`,
      { data: { reason: "not-deterministic", address: wallet.address } },
    );
  }
  return key;
}

/** Seed from r and the low s: wallets differ in v, and either s is a valid signature. */
async function signSeed(wallet: TypedDataSigner, message: KeyMessage): Promise<Hex> {
  const signature = await wallet.signTypedData(message);
  const unsupported = (why: string) =>
    clientError("CLI_WALLET_UNSUPPORTED", `the signature of ${wallet.address} ${why}`, {
      data: { reason: "signature-unsupported", address: wallet.address },
    });
  if (size(signature) !== 65) throw unsupported("is not 65 bytes long");
  const signer = await recoverTypedDataAddress({ ...message, signature }).catch(() => null);
  if (signer === null || !isAddressEqual(signer, wallet.address)) throw unsupported("is not by that address");
  const s = BigInt(slice(signature, 32, 64));
  const lowS = s > MAX_S ? 2n * MAX_S + 1n - s : s;
  return concat([slice(signature, 0, 32), toHex(lowS, { size: 32 })]);
}

/**
 * Creates a key from the system's randomness, for wallets that cannot derive one. Nobody can restore it: store a copy.
 * @example
 * ```ts
 * const l2Key = await createRandomKey();
 * const copy = l2Key.secret.reveal();
 * ```
 */
export async function createRandomKey(): Promise<L2Key> {
  return keyFromSecret(toHex(crypto.getRandomValues(new Uint8Array(32))));
}

export type KeyFromSecretErrorCode = "CLI_INPUT_INVALID";

/**
 * The key with a known 32-byte secret.
 * @throws CLI_INPUT_INVALID
 * @example
 * ```ts
 * const { keyX } = await keyFromSecret(`0x${"17".repeat(32)}`);
 * ```
 */
export async function keyFromSecret(secret: Hex | Secret<Hex>): Promise<L2Key> {
  const hex = secret instanceof Secret ? secret.reveal() : secret;
  if (!/^0x[0-9a-fA-F]{64}$/.test(hex))
    throw clientError("CLI_INPUT_INVALID", "an L2 secret is 0x and 64 hexadecimal digits", {
      data: { reason: "key-malformed" },
    });
  await initPoseidon();
  const { key, sign } = createSigner(hexToBytes(hex));
  return { keyX: key.x, secret: new Secret(hex), sign };
}
