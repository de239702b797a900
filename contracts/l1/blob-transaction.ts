/**
 * Transactions with blobs (type 3) as nodes take them since EIP-7594: the signed transaction, and beside it the blobs, their
 * commitments and the proofs of their cells. viem writes the older form alone, one proof a blob.
 */
import { concatHex, fromRlp, type Hex, keccak256, type LocalAccount, slice, toRlp } from "viem";

/** What goes with a transaction and is no part of it, nor of a block. */
export interface BlobSidecar {
  readonly versionedHash: Hex;
  /** 131,072 bytes. */
  readonly blob: Hex;
  readonly commitment: Hex;
  /** 128 of 48 bytes. */
  readonly cellProofs: readonly Hex[];
}

/** Most blobs that a transaction may have (EIP-7594). */
export const MAX_TRANSACTION_BLOBS = 6;
/** Gas of a blob: 2^17, at the price of blob gas. */
export const GAS_PER_BLOB = 131_072n;

const TYPE = "0x03";
/** Of the form with cells. */
const WRAPPER_VERSION = "0x01";

export interface SignedTransaction {
  readonly transactionHash: Hex;
  /** What is sent. */
  readonly raw: Hex;
}

/** @param transaction without type and blobs; `to` may not be empty. @param sidecars 1 to 6 */
export async function signBlobTransaction(
  account: Pick<LocalAccount, "signTransaction">,
  transaction: object & { readonly maxFeePerBlobGas: bigint },
  sidecars: readonly BlobSidecar[],
): Promise<SignedTransaction> {
  if (sidecars.length === 0 || sidecars.length > MAX_TRANSACTION_BLOBS)
    throw new RangeError(`a transaction takes 1 to ${MAX_TRANSACTION_BLOBS} blobs, not ${sidecars.length}`);
  const blobVersionedHashes = sidecars.map(({ versionedHash }) => versionedHash);
  const typed = { ...transaction, type: "eip4844", blobVersionedHashes } as const;
  // viem's type wants the blobs too, and then writes the older form.
  const signed = await account.signTransaction(typed as never);
  const body = fromRlp(slice(signed, 1), "hex");
  const raw = concatHex([
    TYPE,
    toRlp([
      body,
      WRAPPER_VERSION,
      sidecars.map(({ blob }) => blob),
      sidecars.map(({ commitment }) => commitment),
      sidecars.flatMap(({ cellProofs }) => cellProofs),
    ] as never),
  ]);
  // Of the transaction alone: the blobs are named in it.
  return { transactionHash: keccak256(signed), raw };
}

export const isBlobTransaction = (raw: Hex): boolean => raw.startsWith(TYPE);

/** What `signBlobTransaction` put together: the transaction as blocks have it, and what went beside it. */
export function unwrapBlobTransaction(raw: Hex): { readonly signed: Hex; readonly sidecars: BlobSidecar[] } {
  const [body, , blobs, commitments, cellProofs] = fromRlp(slice(raw, 1), "hex") as [
    ...[Hex[], Hex, Hex[], Hex[], Hex[]],
  ];
  const versionedHashes = body[BLOB_HASHES_AT] as unknown as readonly Hex[];
  const sidecars = blobs.map((blob, i) => ({
    blob,
    versionedHash: versionedHashes[i]!,
    commitment: commitments[i]!,
    cellProofs: cellProofs.slice(CELLS_PER_BLOB * i, CELLS_PER_BLOB * (i + 1)),
  }));
  return { signed: concatHex([TYPE, toRlp(body)]), sidecars };
}

// EIP-4844: chain_id, nonce, two fees, gas_limit, to, value, data, access_list, max_fee_per_blob_gas, blob_versioned_hashes.
const BLOB_HASHES_AT = 10;
const CELLS_PER_BLOB = 128;
