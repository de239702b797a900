/**
 * Replacement of a leaf's key by its old one: every refusal before the signature. The command draws it; without the old key the owner
 * forces the change (`forceOperations`).
 */
import { type SetKeyErrorCode, type SetKeyParameters, setKey } from "../actions/ledger/account-operations.ts";
import type { SendResult } from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { resolveSigner } from "../sequencer/ledger-reads.ts";
import { requireBalance, requireSigner, requireUsableKey } from "./before-signing.ts";

export type ReplaceKeyErrorCode = SetKeyErrorCode;

/**
 * Replaces the key of a leaf, once everything that would refuse it has been looked at. A second call after an interruption finds the
 * new key there, and does nothing.
 * @returns null where the leaf has the key already
 * @throws CLI_INPUT_INVALID for a key by which nobody can sign; CLI_LEAF_NOT_FOUND, OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW,
 *   CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const next = await createRandomKey();
 * await replaceKey(client, { keyX: next.keyX });
 * ```
 */
export async function replaceKey(
  client: LedgerClient,
  parameters: SetKeyParameters,
): Promise<SendResult | null> {
  requireUsableKey(parameters.keyX);
  const leaf = await resolveSigner(client, parameters.from);
  if (leaf.keyX === parameters.keyX) return null;
  const { id } = await requireSigner(client, leaf.id);
  await requireBalance(client, leaf, "setKey", 0n);
  return setKey(client, { ...parameters, from: id });
}
