/**
 * Transactions with blobs (type 3) in the form that nodes accept: the signed transaction, and beside it the
 * blobs, their commitments and their proofs. Since EIP-7594 nodes require a proof of each cell, which takes
 * seconds; before, and with lenient nodes still, one proof a blob. Neither is signed, so the transaction is the
 * same. viem writes the older form alone. The bridge signs by it.
 */
import { concatHex, fromRlp, type Hex, keccak256, type LocalAccount, slice, toRlp } from "viem";

/**
 * Sidecar of a blob transaction: it goes with the transaction and is part of neither the transaction nor a
 * block.
 */
export interface BlobSidecar {
  readonly versionedHash: Hex;
  /** 131,072 bytes. */
  readonly blob: Hex;
  readonly commitment: Hex;
  /** 48 bytes each: one of the blob, or 128 of its cells. */
  readonly proofs: readonly Hex[];
}

/** Maximum blobs that a transaction may have (EIP-7594). */
export const MAX_TRANSACTION_BLOBS = 6;
/** Gas of a blob: 2^17, at the price of blob gas. */
export const GAS_PER_BLOB = 131_072n;

const TYPE = "0x03";
/** Version of the sidecar's form with cells. */
const WRAPPER_VERSION = "0x01";

export interface SignedTransaction {
  readonly transactionHash: Hex;
  /** Bytes to send. */
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
  // The hash of the transaction alone: it names the blobs.
  return { transactionHash: keccak256(signed), raw: wrapBlobTransaction(signed, sidecars) };
}

/** @param signed the transaction as blocks have it. @param sidecars all with cells, or none */
export function wrapBlobTransaction(signed: Hex, sidecars: readonly BlobSidecar[]): Hex {
  const parts = [
    fromRlp(slice(signed, 1), "hex"),
    ...(hasCells(sidecars[0]!) ? [WRAPPER_VERSION] : []),
    sidecars.map(({ blob }) => blob),
    sidecars.map(({ commitment }) => commitment),
    sidecars.flatMap(({ proofs }) => proofs),
  ];
  return concatHex([TYPE, toRlp(parts as never)]);
}

export const hasCells = ({ proofs }: Pick<BlobSidecar, "proofs">): boolean =>
  proofs.length === CELLS_PER_BLOB;

export const isBlobTransaction = (raw: Hex): boolean => raw.startsWith(TYPE);

/** Splits the output of `signBlobTransaction` into the transaction as blocks have it, and its sidecars. */
export function unwrapBlobTransaction(raw: Hex): { readonly signed: Hex; readonly sidecars: BlobSidecar[] } {
  const [body, ...rest] = fromRlp(slice(raw, 1), "hex") as [Hex[], ...(Hex | Hex[])[]];
  const [blobs, commitments, proofs] = rest.slice(-3) as [Hex[], Hex[], Hex[]];
  const each = proofs.length / blobs.length;
  const versionedHashes = body[BLOB_HASHES_AT] as unknown as readonly Hex[];
  const sidecars = blobs.map((blob, i) => ({
    blob,
    versionedHash: versionedHashes[i]!,
    commitment: commitments[i]!,
    proofs: proofs.slice(each * i, each * (i + 1)),
  }));
  return { signed: concatHex([TYPE, toRlp(body)]), sidecars };
}

// EIP-7594.
const CELLS_PER_BLOB = 128;
// EIP-4844: chain_id, nonce, two fees, gas_limit, to, value, data, access_list, max_fee_per_blob_gas, blob_versioned_hashes.
const BLOB_HASHES_AT = 10;
