/**
 * Checks of the tasks before a ledger key or a wallet signs: amounts, keys, owners, and a balance that pays. Amounts are in wei. A
 * refusal has the code that the sequencer or the contract would give, where they would refuse too.
 */
import { operationError } from "@openledger/circuits/circuit-errors";
import { recoverPublicKey } from "@openledger/circuits/field/curve/eddsa";
import { KIND, type KindName, kindRule } from "@openledger/circuits/protocol";
import { type Address, isAddressEqual, zeroAddress } from "viem";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getInfo, resolveSigner } from "../sequencer/ledger-reads.ts";
import type { LedgerLeaf } from "../sequencer/sequencer-schemas.ts";

/**
 * Requires an amount above 0, in wei.
 * @throws CLI_INPUT_INVALID
 * @internal
 */
export function requireAmount(amountWei: bigint): void {
  if (amountWei > 0n) return;
  throw clientError("CLI_INPUT_INVALID", "the amount is 0 or less", {
    data: { reason: "amount-not-positive", amountWei: amountWei.toString() },
  });
}

/**
 * Requires a key by which somebody can sign, or 0 for a leaf that forced operations alone move.
 * @throws CLI_INPUT_INVALID
 * @internal
 */
export function requireUsableKey(keyX: bigint): void {
  if (keyX === 0n || recoverPublicKey(keyX) !== null) return;
  throw clientError(
    "CLI_INPUT_INVALID",
    "no ledger key has this x-coordinate: nobody could sign for the leaf",
    {
      data: { reason: "key-impossible", keyX: keyX.toString() },
    },
  );
}

/**
 * Requires an address that can own a leaf: not the zero address, and not the rollup.
 * @throws CLI_INPUT_INVALID
 * @internal
 */
export function requireOwner({ rollupAddress }: Pick<LedgerClient, "rollupAddress">, owner: Address): void {
  if (!isAddressEqual(owner, zeroAddress) && !isAddressEqual(owner, rollupAddress)) return;
  throw clientError("CLI_INPUT_INVALID", `${owner} can own no leaf`, {
    data: { reason: "owner-impossible", newOwner: owner },
  });
}

/**
 * Returns the leaf that signs, which must have the client's key.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID; OP_BAD_SIGNATURE where the leaf has another key
 * @internal
 */
export async function requireSigner(client: LedgerClient, from: number | undefined): Promise<LedgerLeaf> {
  const { keyX } = requireL2Key(client);
  const leaf = await resolveSigner(client, from);
  if (leaf.keyX === keyX) return leaf;
  throw operationError("OP_BAD_SIGNATURE", `leaf ${leaf.id} has another key than the client's`, {
    data: { id: leaf.id },
  });
}

/**
 * Requires a balance that pays the debit and the operation's fee at the present rate, as the sequencer does.
 * @param debitWei paid besides the fee; a new leaf's id fee is added
 * @throws OP_BALANCE_TOO_LOW
 * @internal
 */
export async function requireBalance(
  client: LedgerClient,
  { balanceWei, id }: Pick<LedgerLeaf, "balanceWei" | "id">,
  kind: KindName,
  debitWei: bigint,
): Promise<void> {
  const { feePerUnitWei, idFeeWei } = await getInfo(client);
  const { isCreate, weight } = kindRule(KIND[kind])!;
  const neededWei = debitWei + BigInt(weight) * feePerUnitWei + (isCreate ? idFeeWei : 0n);
  if (balanceWei >= neededWei) return;
  throw operationError(
    "OP_BALANCE_TOO_LOW",
    `leaf ${id} holds ${balanceWei} wei, the operation needs ${neededWei}`,
    {
      data: { id, balanceWei: balanceWei.toString(), neededWei: neededWei.toString() },
    },
  );
}
