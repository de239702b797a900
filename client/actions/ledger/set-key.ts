import type { LedgerClient } from "../../ledger-client.ts";
import type { SigningErrorCode } from "./send-operation.ts";
import { type SendResult, type SigningOptions, signAndSend } from "./send-operation.ts";

export interface SetKeyParameters extends SigningOptions {
  /** The new key; 0 leaves the leaf to forced operations alone. */
  keyX: bigint;
}
export type SetKeyReturnType = SendResult;

export type SetKeyErrorCode = "OP_BAD_SIGNATURE" | "OP_BALANCE_TOO_LOW" | SigningErrorCode;

/**
 * Replaces the key of a leaf. Signed by the old one; without it, use `forceSetKey`.
 * @throws OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const next = await createRandomKey();
 * await setKey(client, { keyX: next.keyX });
 * ```
 */
export async function setKey(client: LedgerClient, parameters: SetKeyParameters): Promise<SetKeyReturnType> {
  return signAndSend(client, { kind: "setKey", words: [parameters.keyX] }, parameters);
}
