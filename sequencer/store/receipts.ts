/** Who signs the receipts of acknowledged operations. */
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Secret } from "../../circuits/secret.ts";
import {
  type Receipt,
  type ReceiptFacts,
  type ReceiptRollup,
  receiptTypedData,
} from "../../circuits/wire/sequencer-receipt.ts";

export interface ReceiptSigner {
  readonly address: Address;
  /** Deterministic (RFC 6979): the same facts give the same receipt, so receipts need not be stored. */
  sign(facts: ReceiptFacts): Promise<Receipt>;
}

export function createReceiptSigner(rollup: ReceiptRollup, privateKey: Secret<Hex>): ReceiptSigner {
  const account = privateKeyToAccount(privateKey.reveal());
  return {
    address: account.address,
    async sign(facts) {
      const signature = await account.signTypedData(receiptTypedData(rollup, facts));
      return { ...facts, signature };
    },
  };
}
