/**
 * Deposit of OPEN from L1 into the ledger, and the first OPEN of a wallet on L1: every refusal before a signature. The command, the
 * page and the devnet draw them. Amounts are in wei.
 */
import { isAddressEqual } from "viem";
import {
  type DepositErrorCode,
  type DepositParameters,
  type DepositReturnType,
  deposit,
} from "../actions/l1/deposit.ts";
import type { L1Result } from "../actions/l1/l1-result.ts";
import { type SendTokenErrorCode, type SendTokenParameters, sendToken } from "../actions/l1/send-token.ts";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireWallet, rollupContract, tokenContract } from "../ledger-client.ts";
import { getLeaf, getStatus } from "../sequencer/ledger-reads.ts";
import { formatOpen } from "../sequencer/open-amount.ts";
import { requireAmount, requireOwner, requireUsableKey } from "./before-signing.ts";

export type DepositOpenErrorCode =
  | "CLI_LEAF_NOT_FOUND"
  | "CLI_LEAF_OWNER_CHANGED"
  | "CLI_ROLLUP_ENDS"
  | DepositErrorCode;

/**
 * Brings OPEN into the ledger, as `deposit` does, once everything that would refuse it has been looked at. A second call after an
 * interruption waits for an account that the first one opens; it deposits again, so store what `onSigned`, `onSent` or `onProposed`
 * hand over.
 * @throws CLI_ROLLUP_ENDS where the operator ends the rollup, or it is frozen; CLI_INPUT_INVALID for less than the contract takes, and
 *   for a key or an owner that nobody can have; CLI_LEAF_OWNER_CHANGED where the leaf is another's; CLI_LEAF_NOT_FOUND and what
 *   `deposit` throws
 * @example
 * ```ts
 * const { queueIndex } = await depositOpen(client, { amountWei: parseOpen("10") });
 * await waitFor(client, { queueIndex }, "acknowledged");
 * ```
 */
export async function depositOpen(
  client: LedgerClient,
  parameters: DepositParameters,
): Promise<DepositReturnType> {
  const { amountWei } = parameters;
  requireWallet(client);
  requireAmount(amountWei);
  const rollup = rollupContract(client);
  const [{ isFrozen }, minDepositWei, mode] = await Promise.all([
    client.l1.readContract({ ...rollup, functionName: "state" }),
    client.l1.readContract({ ...rollup, functionName: "minDepositWei" }),
    client.sequencerUrl === null ? undefined : getStatus(client).then((status) => status.mode),
  ]);
  // The contract takes deposits whatever the operator plans.
  const ending = isFrozen ? "frozen" : mode;
  if (ending === "sunset" || ending === "frozen" || ending === "malformed")
    throw clientError("CLI_ROLLUP_ENDS", `no deposit into a rollup that ends (${ending})`, {
      data: { mode: ending },
    });
  if (amountWei < minDepositWei)
    throw clientError(
      "CLI_INPUT_INVALID",
      `the contract takes deposits of ${formatOpen(minDepositWei)} OPEN or more`,
      {
        data: {
          reason: "deposit-too-small",
          amountWei: amountWei.toString(),
          minDepositWei: minDepositWei.toString(),
        },
      },
    );
  if ("to" in parameters) await requireOwnerOf(client, parameters);
  else {
    if (parameters.keyX !== undefined) requireUsableKey(parameters.keyX);
    if (parameters.l1Owner !== undefined) requireOwner(client, parameters.l1Owner);
  }
  return deposit(client, parameters);
}

/** Without a sequencer nobody says whose leaf it is: the entry is refused when it is executed, and can be paid out less the base fee. */
async function requireOwnerOf(
  client: LedgerClient,
  { expectedOwner, to }: Extract<DepositParameters, { to: number }>,
): Promise<void> {
  if (client.sequencerUrl === null) return;
  const { l1Owner } = await getLeaf(client, to);
  if (isAddressEqual(l1Owner, expectedOwner)) return;
  throw clientError("CLI_LEAF_OWNER_CHANGED", `leaf ${to} belongs to ${l1Owner}, not ${expectedOwner}`, {
    data: { id: to, l1Owner, expectedOwner },
  });
}

export type FundAddressErrorCode = "CLI_INPUT_INVALID" | "CLI_TOKEN_BALANCE_TOO_LOW" | SendTokenErrorCode;

/**
 * Sends OPEN to an address on L1, outside the ledger: what a wallet needs before its first deposit.
 * @throws CLI_INPUT_INVALID for no amount, or an address that can use no OPEN (zero, the rollup, the token);
 *   CLI_TOKEN_BALANCE_TOO_LOW, CLI_NOT_CONFIGURED, CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * await fundAddress(client, { to: account.address, amountWei: parseOpen("2") });
 * ```
 */
export async function fundAddress(client: LedgerClient, parameters: SendTokenParameters): Promise<L1Result> {
  const { amountWei, to } = parameters;
  const { address } = requireWallet(client).account;
  requireAmount(amountWei);
  requireOwner(client, to);
  if (isAddressEqual(to, client.tokenAddress))
    throw clientError("CLI_INPUT_INVALID", `${to} is the token itself`, {
      data: { reason: "recipient-is-token", recipient: to },
    });
  const balanceWei = await client.l1.readContract({
    ...tokenContract(client),
    functionName: "balanceOf",
    args: [address],
  });
  if (balanceWei < amountWei)
    throw clientError(
      "CLI_TOKEN_BALANCE_TOO_LOW",
      `${address} holds ${formatOpen(balanceWei)} OPEN on L1, of which ${formatOpen(amountWei)} are to be sent`,
      { data: { address, balanceWei, amountWei, feeWei: 0n } },
    );
  return sendToken(client, parameters);
}
