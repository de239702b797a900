/**
 * Move of a leaf to a new wallet: owner and key on the ledger, then the name at a host. The command and the page draw it; a move that
 * was cut off goes on where it was.
 */
import {
  type MoveAccountErrorCode,
  type MoveAccountParameters,
  type MoveAccountReturnType,
  moveAccount,
} from "../actions/ledger/move-account.ts";
import {
  type FindFormerNameErrorCode,
  findFormerName,
  type SetDisplayNameErrorCode,
  setDisplayName,
} from "../datanets/display-names.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { requireUsableKey } from "./before-signing.ts";

export type MoveLeafErrorCode = MoveAccountErrorCode;

/**
 * Gives a leaf another owner and another key, as `moveAccount` does, once everything that would refuse it has been looked at. A second
 * call after an interruption sends neither what the ledger has nor what waits in L1's queue.
 * @throws CLI_INPUT_INVALID for an owner or a key that nobody can have, and where the client's wallet does not own the leaf; what
 *   `moveAccount` throws
 * @example
 * ```ts
 * const { keyX } = await deriveKey({ wallet: account, chainId: client.chain.id, rollupAddress });
 * const { owner } = await moveLeaf(client, { newOwner: account.address, keyX });
 * if (owner !== null) await waitFor(client, { queueIndex: owner.queueIndex }, "posted");
 * ```
 */
export async function moveLeaf(
  client: LedgerClient,
  parameters: MoveAccountParameters,
): Promise<MoveAccountReturnType> {
  requireUsableKey(parameters.keyX);
  return moveAccount(client, parameters);
}

export interface SignNameAgainParameters {
  hostUrl: string;
  leafId: number;
}
export type SignNameAgainErrorCode = FindFormerNameErrorCode | SetDisplayNameErrorCode;

/**
 * Signs with the client's key the name that a leaf had under its former key: a host shows nobody's name but the present key's.
 * @returns the name; null where there is none, or the present key has signed one already
 * @throws CLI_DATANET_HOST_FALSE, CLI_UNREACHABLE; DNT_RECORD_INVALID where the client's key is not the leaf's
 * @example
 * ```ts
 * const name = await signNameAgain(client, { hostUrl, leafId: 12 });
 * ```
 */
export async function signNameAgain(
  client: LedgerClient,
  { hostUrl, leafId }: SignNameAgainParameters,
): Promise<string | null> {
  const name = await findFormerName(client, { hostUrl, leafId });
  if (name !== null) await setDisplayName(client, { hostUrl, leafId, name });
  return name;
}
