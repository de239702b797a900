/**
 * Account of a program with a budget of its own: opened by one operation of a person's account, and ended by one that returns what is
 * left. Each is handed over signed before it is sent, so that a restart sends the same one. Gateways draw it. Amounts are in wei.
 */
import { floorAmount } from "@openledger/circuits/ledger/amount-float";
import type { Address } from "viem";
import { type TransferErrorCode, transfer } from "../actions/ledger/account-operations.ts";
import { type CreateAccountErrorCode, createAccount } from "../actions/ledger/create-account.ts";
import type { SignedSubmission } from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { estimateFees, likelyFeeWei } from "../sequencer/fees.ts";
import { findLeaves, getLeaf } from "../sequencer/ledger-reads.ts";
import { waitFor } from "../sequencer/wait-for.ts";
import { requireAmount, requireBalance, requireSigner } from "./before-signing.ts";
import { type ResendOperationErrorCode, resendOperation, withSameNonce } from "./send-once.ts";

/** Time for an operation to be acknowledged. */
const ACKNOWLEDGE_TIMEOUT_MS = 60_000;

export interface OpenFundedAccountParameters {
  /** Leaf of the person that pays, and its L1 owner, who owns the new account, too. */
  from: number;
  l1Owner: Address;
  /** Key of the new account. */
  keyX: bigint;
  /** Budget: the new account's first balance. */
  amountWei: bigint;
  /** Client with the person's key; called only where something is to be signed. */
  signer: () => Promise<LedgerClient>;
  /** Operation of an earlier call, as `onSigned` has handed it over; null: none. */
  stored: SignedSubmission | null;
  /** Stores the signed operation, and is awaited. */
  onSigned: (signed: SignedSubmission) => Promise<void>;
}
export type OpenFundedAccountErrorCode =
  | "CLI_OPERATION_DROPPED"
  | "CLI_WAIT_ENDED"
  | "OP_BAD_SIGNATURE"
  | "OP_BALANCE_TOO_LOW"
  | CreateAccountErrorCode
  | ResendOperationErrorCode;

/**
 * Opens the account, once, however often it is called.
 * @returns its leaf; null where the ledger names none
 * @throws CLI_INPUT_INVALID for no budget; OP_BAD_SIGNATURE, OP_BALANCE_TOO_LOW; CLI_UNREACHABLE, CLI_WAIT_ENDED,
 *   CLI_OPERATION_DROPPED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const { keyX } = await createRandomKey();
 * const leafId = await openFundedAccount(client, {
 *   ...{ from: 7, l1Owner: account.address, keyX, amountWei: parseOpen("5") },
 *   signer: async () => client,
 *   stored: null,
 *   onSigned: async () => {},
 * });
 * ```
 */
export async function openFundedAccount(
  reader: LedgerClient,
  { amountWei, from, keyX, l1Owner, onSigned, signer, stored }: OpenFundedAccountParameters,
): Promise<number | null> {
  let signed = stored;
  const isSent = signed !== null && (await resendOperation(reader, signed)).isTaken;
  if (!isSent) {
    requireAmount(amountWei);
    const client = await signer();
    const payer = await requireSigner(client, from);
    await requireBalance(client, payer, "createAccount", amountWei);
    await createAccount(client, {
      ...(await withSameNonce(client, from, signed)),
      ...{ from, l1Owner, keyX, amountWei },
      onSigned: async (fresh) => {
        signed = fresh;
        await onSigned(fresh);
      },
    });
  }
  const { hash } = signed!;
  const timeoutMs = ACKNOWLEDGE_TIMEOUT_MS;
  const { operation } = await waitFor(reader, { hash }, "acknowledged", { timeoutMs });
  if (operation?.createdId != null) return operation.createdId;
  const leaves = await findLeaves(reader, { keyX });
  return leaves.find((one) => one.l1Owner.toLowerCase() === l1Owner.toLowerCase())?.id ?? null;
}

/** A signed return, and the amount that it returns. */
export interface SignedReturn extends SignedSubmission {
  /** In wei, as decimal digits. */
  readonly amountWei: string;
}

export interface EndFundedAccountParameters {
  /** The account; the client has its key. */
  leafId: number;
  /** Leaf that gets what is left, and its expected owner. */
  to: number;
  expectedOwner: Address;
  /** Return of an earlier call; null: none. */
  stored: SignedReturn | null;
  onSigned: (signed: SignedReturn) => Promise<void>;
}
export interface EndFundedAccountReturnType {
  /** 0 where the account had no more than a fee. */
  readonly returnedWei: bigint;
  /** Balance that stays: less than a transfer can carry. */
  readonly leftWei: bigint;
  /** The newest return; null where nothing was returned. */
  readonly signed: SignedReturn | null;
}
export type EndFundedAccountErrorCode =
  | "CLI_OPERATION_DROPPED"
  | "CLI_WAIT_ENDED"
  | ResendOperationErrorCode
  | TransferErrorCode;

/**
 * Returns what is left, also what came after an earlier return that was cut off. The person stays the owner of the leaf.
 * @throws CLI_LEAF_OWNER_CHANGED where the leaf that gets it belongs to another; CLI_UNREACHABLE, CLI_WAIT_ENDED,
 *   CLI_OPERATION_DROPPED, CLI_PRECONFIRMATION_INVALID
 * @example
 * ```ts
 * const place = { leafId: 12, to: 7, expectedOwner: account.address };
 * const { returnedWei } = await endFundedAccount(client, { ...place, stored: null, onSigned: async () => {} });
 * ```
 */
export async function endFundedAccount(
  client: LedgerClient,
  { expectedOwner, leafId, onSigned, stored, to }: EndFundedAccountParameters,
): Promise<EndFundedAccountReturnType> {
  const acknowledged = async ({ amountWei, hash }: SignedReturn) => {
    await waitFor(client, { hash }, "acknowledged", { timeoutMs: ACKNOWLEDGE_TIMEOUT_MS });
    return BigInt(amountWei);
  };
  const isSent = stored !== null && (await resendOperation(client, stored)).isTaken;
  let signed = isSent ? stored : null;
  let returnedWei = signed === null ? 0n : await acknowledged(signed);
  const [{ balanceWei }, fees] = await Promise.all([getLeaf(client, leafId), estimateFees(client)]);
  const amountWei = floorAmount(balanceWei - likelyFeeWei(fees, "transfer"));
  if (amountWei > 0n) {
    await transfer(client, {
      ...(isSent ? {} : await withSameNonce(client, leafId, stored)),
      ...{ from: leafId, to, expectedOwner, amountWei },
      onSigned: async (fresh) => {
        signed = { ...fresh, amountWei: String(amountWei) };
        await onSigned(signed);
      },
    });
    returnedWei += await acknowledged(signed!);
  }
  const { balanceWei: leftWei } = await getLeaf(client, leafId);
  return { returnedWei, leftWei, signed };
}
