/** Receipts signed many at a time: receipts.ts in other words, the same bytes. */
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { type Address, domainSeparator, type Hex, hexToBytes } from "viem";
import { publicKeyToAddress } from "viem/accounts";
import type { Secret } from "../circuits/secret.ts";
import { RECEIPT_TYPES, type Receipt, receiptTypedData } from "./receipts.ts";
import { Secp256k1Signer } from "./signature-secp256k1.ts";

export interface ReceiptBatchSigner {
  readonly address: Address;
  signAll(facts: readonly Omit<Receipt, "signature">[]): Hex[];
}

const word = (value: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));

const hex = (value: bigint): string => value.toString(16).padStart(64, "0");

export function createReceiptBatchSigner(
  rollup: { chainId: number; rollupAddress: Address },
  privateKey: Secret<Hex>,
): ReceiptBatchSigner {
  const secret = hexToBytes(privateKey.reveal());
  const signer = new Secp256k1Signer(secret);
  const { domain } = receiptTypedData(rollup, { operationHash: "0x", opIndex: 0, deadlineSeconds: 0 });
  const separator = hexToBytes(domainSeparator({ domain }));
  const fields = RECEIPT_TYPES.Receipt.map(({ name, type }) => `${type} ${name}`).join(",");
  const typeHash = keccak_256(new TextEncoder().encode(`Receipt(${fields})`));
  const publicKey = Buffer.from(secp256k1.getPublicKey(secret, false)).toString("hex");

  const digest = ({ deadlineSeconds, opIndex, operationHash }: Omit<Receipt, "signature">): Uint8Array => {
    const message = Buffer.concat([
      typeHash,
      hexToBytes(operationHash),
      word(BigInt(opIndex)),
      word(BigInt(deadlineSeconds)),
    ]);
    return keccak_256(Buffer.concat([Uint8Array.of(0x19, 0x01), separator, keccak_256(message)]));
  };
  return {
    address: publicKeyToAddress(`0x${publicKey}`),
    signAll: (facts) =>
      signer
        .sign(facts.map(digest))
        .map(({ r, s, yParity }): Hex => `0x${hex(r)}${hex(s)}${yParity === 0 ? "1b" : "1c"}`),
  };
}
