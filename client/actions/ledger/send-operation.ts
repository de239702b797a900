/**
 * Common path of every signed operation: fetch nonce and fee, sign (EdDSA over the message of docs/reference/ledger.md), send,
 * check the sequencer's preconfirmation. Fees are in wei a unit.
 */
import { leafReference, messageHash, operationMessage } from "@openledger/circuits/ledger/operation";
import { KIND, kindRule, LEAF_KIND } from "@openledger/circuits/protocol";
import { encodeOperation, type OperationBody } from "@openledger/circuits/wire/operation-body";
import type { OperationStatus } from "@openledger/circuits/wire/operation-status";
import { hex32 } from "@openledger/foundation/hex";
import { type Address, type Hex, isAddressEqual } from "viem";
import { clientError } from "../../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../../ledger-client.ts";
import { getInfo, getLeaf, getOperation, resolveSigner } from "../../sequencer/ledger-reads.ts";
import { checkPreconfirmation } from "../../sequencer/preconfirmation.ts";
import type { SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { requestSequencer } from "../../sequencer/sequencer-request.ts";
import { type Preconfirmation, submissionSchema } from "../../sequencer/sequencer-schemas.ts";

/** An operation with its signature: it may be sent any number of times, and is executed once. */
export interface SignedSubmission {
  readonly hash: Hex;
  readonly body: OperationBody;
  /** Reference to the leaf that the operation names as b, as the hash has it (docs/reference/ledger.md, "Message signed"). */
  readonly bRef: Hex;
}

/** Error codes of every signing verb. */
export type SigningErrorCode =
  | "CLI_NOT_CONFIGURED"
  | "CLI_LEAF_NOT_FOUND"
  | "CLI_INPUT_INVALID"
  | "CLI_LEAF_OWNER_CHANGED"
  | "CLI_WRONG_ROLLUP"
  | "CLI_PRECONFIRMATION_INVALID"
  | SequencerErrorCode;

/** Options of every signing verb beside its own fields. */
export interface SigningOptions {
  /** Leaf that signs and pays; default: the client's. */
  from?: number;
  /** Nonce of the leaf. Default: the next one, counting the operations that the sequencer already has. */
  nonce?: number;
  /** Maximum price of one fee unit, in wei; default: twice the present rate. The operation pays the batch's rate. */
  maxFeePerUnitWei?: bigint;
  /** Called with the signed operation before it is sent, so that a caller can store it durably. */
  onSigned?: (signed: SignedSubmission) => void | Promise<void>;
}

export interface SendResult {
  /** The signed message's field element: the operation's name everywhere. */
  hash: Hex;
  status: OperationStatus;
  /** The sequencer's promise, already checked; null while an earlier nonce is missing, and where its place may have been promised. */
  preconfirmation: Preconfirmation | null;
  /** The leaf that signed. */
  from: number;
  nonce: number;
}

/** Fields that a verb fills in; the rest is fetched. */
export interface OperationDraft {
  kind: keyof typeof KIND;
  b?: number;
  amountCode?: bigint;
  words?: readonly bigint[];
  /** Expected owner of B: the client refuses to sign if B belongs to another address. */
  expectedOwner?: Address | undefined;
}

/**
 * Builds, signs and sends an operation.
 * @throws the errors of `signOperation` and `sendSigned`
 * @internal
 */
export async function signAndSend(
  client: LedgerClient,
  draft: OperationDraft,
  options: SigningOptions,
): Promise<SendResult> {
  const signed = await signOperation(client, draft, options);
  await options.onSigned?.(signed);
  return sendSigned(client, signed);
}

/**
 * Fetches nonce, fee rate and B's owner, and signs. The domain comes from L1, never from the sequencer.
 * @throws CLI_NOT_CONFIGURED, CLI_LEAF_NOT_FOUND, CLI_LEAF_OWNER_CHANGED, CLI_WRONG_ROLLUP
 * @internal
 */
export async function signOperation(
  client: LedgerClient,
  draft: OperationDraft,
  options: SigningOptions,
): Promise<SignedSubmission> {
  const key = requireL2Key(client);
  const rule = kindRule(KIND[draft.kind])!;
  const usesExistingB = rule.usesB && !rule.isCreate;
  const [info, signer, leafB] = await Promise.all([
    getInfo(client),
    resolveSigner(client, options.from),
    usesExistingB ? getLeaf(client, draft.b!) : null,
  ]);
  if (
    draft.expectedOwner !== undefined &&
    leafB !== null &&
    !isAddressEqual(leafB.l1Owner, draft.expectedOwner)
  ) {
    throw clientError(
      "CLI_LEAF_OWNER_CHANGED",
      `leaf ${leafB.id} belongs to ${leafB.l1Owner}, not ${draft.expectedOwner}`,
      {
        data: { id: leafB.id, l1Owner: leafB.l1Owner, expectedOwner: draft.expectedOwner },
      },
    );
  }
  const operation = {
    kind: rule.kind,
    a: signer.id,
    b: draft.b ?? 0,
    amountCode: draft.amountCode ?? 0n,
    words: draft.words ?? [],
    nonce: BigInt(options.nonce ?? signer.nextNonce),
    maxFeePerUnitWei: options.maxFeePerUnitWei ?? 2n * info.feePerUnitWei,
  };
  const bRef =
    leafB === null ? 0n : leafReference({ l1Owner: BigInt(leafB.l1Owner), kind: LEAF_KIND[leafB.kind] });
  const context = { domain: client.domain, bRef };
  const signature = key.sign(operationMessage(operation, context));
  const body = encodeOperation({ ...operation, signature });
  return { hash: hex32(messageHash(operation, context)), body, bRef: hex32(bRef) };
}

export type SendSignedErrorCode = "CLI_PRECONFIRMATION_INVALID" | SequencerErrorCode;

/**
 * Sends a signed operation, again if need be: for a repeated one the sequencer returns the present status.
 * @throws CLI_PRECONFIRMATION_INVALID, CLI_UNREACHABLE, OP_… as the sequencer refuses it
 * @example
 * ```ts
 * // `onSigned` stores the operation, so that a restart sends it again instead of signing again.
 * const stored: SignedSubmission[] = [];
 * await transfer(client, { to: 7, amountWei: parseOpen("1"), onSigned: (signed) => void stored.push(signed) });
 * for (const signed of stored) await sendSigned(client, signed);
 * ```
 */
export async function sendSigned(client: LedgerClient, signed: SignedSubmission): Promise<SendResult> {
  return resultOf(client, signed, await submit(client, signed));
}

/**
 * Checks the sequencer's preconfirmation.
 * @throws CLI_PRECONFIRMATION_INVALID
 * @internal
 */
export async function resultOf(
  client: LedgerClient,
  signed: SignedSubmission,
  submission: { status: OperationStatus; preconfirmation?: Preconfirmation | null | undefined },
): Promise<SendResult> {
  const { a: from, nonce } = signed.body;
  const preconfirmation = submission.preconfirmation ?? null;
  if (preconfirmation !== null) {
    await checkPreconfirmation(client, preconfirmation, signed.hash);
    const { chain, rollupAddress } = client;
    const { body: operation, bRef } = signed;
    await client.onPreconfirmation?.({ chainId: chain.id, rollupAddress, preconfirmation, operation, bRef });
  }
  return { hash: signed.hash, status: submission.status, preconfirmation, from, nonce };
}

async function submit(client: LedgerClient, signed: SignedSubmission) {
  try {
    return await requestSequencer(client, "/v1/operations", submissionSchema, { body: signed.body });
  } catch (error) {
    // The operation was sent before, and its answer was lost: its nonce is used up, which is no failure.
    const known = await getOperation(client, signed.hash).catch(() => null);
    if (known === null) throw error;
    return known;
  }
}
