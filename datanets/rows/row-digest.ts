/** SHA-256 of bytes as hexadecimal digits: a row's digest is its name in a host's store. */
import { hash } from "node:crypto";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER } from "@openledger/circuits/protocol";

export const sha256Hex = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

/**
 * Lists the 32-byte strings that trees cannot tell from a digest, itself among them: trees hold digests mod the field's order, and
 * 2^256 is more than five times that.
 */
export function aliasesOf(digest: Uint8Array): Buffer[] {
  const aliases: Buffer[] = [];
  for (let value = digestToField(digest); value < 2n ** 256n; value += FIELD_ORDER)
    aliases.push(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
  return aliases;
}
