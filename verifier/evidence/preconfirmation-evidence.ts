/**
 * Preconfirmation with its operation, as a file that a user can store and show. The preconfirmation alone names
 * the operation by its hash; the opening makes that hash comparable with L1's operation. Clients write it;
 * `openledger verify preconfirmations` and full nodes check it.
 */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import { messageHash, type SignedOperation } from "@openledger/circuits/ledger/operation";
import { FIELD_ORDER, KIND_RULES } from "@openledger/circuits/protocol";
import { encodeOperation } from "@openledger/circuits/wire/operation-body";
import { operationBody } from "@openledger/circuits/wire/operation-json";
import { preconfirmation } from "@openledger/circuits/wire/sequencer-answers";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { count, element } from "@openledger/circuits/wire/wire-fields";
import { recoverPreconfirmationSigner } from "@openledger/contracts/l1/preconfirmation-signer";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, isAddressEqual } from "viem";
import { z } from "zod";

export interface PreconfirmationEvidence {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly preconfirmation: Preconfirmation;
  /** Opening of operationHash; null if only the preconfirmation is at hand. */
  readonly opening: { readonly operation: SignedOperation; readonly bRef: bigint } | null;
}

/** Rollup that a preconfirmation has to be of, and its signer: from L1. */
export interface PreconfirmationContext {
  readonly chainId: number;
  readonly rollupAddress: Address;
  readonly sequencerAddress: Address;
  readonly domain: bigint;
}

const belowOrder = (value: bigint) => value < FIELD_ORDER;
const NOT_BELOW = "is not below the field's order";

const evidenceSchema = z.strictObject({
  chainId: count,
  rollupAddress: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .transform((text) => text as Address),
  preconfirmation,
  // Attack: hashes take elements modulo the order, so an element beyond it is another operation with the same hash.
  operation: operationBody
    .refine(({ signature: { r8x, r8y }, words }) => [r8x, r8y, ...words].every(belowOrder), NOT_BELOW)
    .transform(({ kind: name, ...operation }, context) => {
      const rule = KIND_RULES.find((known) => known.isSigned && known.name === name);
      if (rule !== undefined) return { ...operation, kind: rule.kind };
      context.addIssue({ code: "custom", message: `${name.slice(0, 50)} is no signed kind` });
      return z.NEVER;
    })
    .nullish(),
  /** B's owner and kind when it was signed (docs/reference/ledger.md, "Message signed"). */
  bRef: element.refine(belowOrder, NOT_BELOW).nullish(),
});

/** @throws BRG_PRECONFIRMATION_INVALID */
export function parseEvidence(json: string, what: string): PreconfirmationEvidence {
  const unreadable = (why: string, cause?: unknown) =>
    bridgeError("BRG_PRECONFIRMATION_INVALID", `${what} is no preconfirmation file: ${why}`, {
      data: { reason: "unreadable", what },
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw unreadable("it is not JSON", cause);
  }
  const result = evidenceSchema.safeParse(value);
  if (!result.success) throw unreadable(z.prettifyError(result.error).slice(0, 500));
  const { bRef, operation, ...rest } = result.data;
  return { ...rest, opening: operation == null ? null : { operation, bRef: bRef ?? 0n } };
}

/** The file's text; `parseEvidence` reads it back. */
export function encodeEvidence({ opening, ...evidence }: PreconfirmationEvidence): string {
  const { operation, bRef } = opening ?? {};
  const value = {
    ...evidence,
    operation: operation === undefined ? null : encodeOperation(operation),
    bRef: bRef === undefined ? null : hex32(bRef),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * Checks that the preconfirmation is the operator's, of this rollup, and of the operation beside it.
 * @throws BRG_PRECONFIRMATION_INVALID
 */
export async function requireOperatorsPreconfirmation(
  evidence: PreconfirmationEvidence,
  context: PreconfirmationContext,
): Promise<void> {
  const { chainId, opening, preconfirmation, rollupAddress } = evidence;
  const refuse = (why: string, cause?: unknown) =>
    bridgeError(
      "BRG_PRECONFIRMATION_INVALID",
      `the preconfirmation of operation ${preconfirmation.opIndex} ${why}`,
      {
        data: { reason: "not-operators", preconfirmation, sequencerAddress: context.sequencerAddress },
        cause,
      },
    );
  if (chainId !== context.chainId || !isAddressEqual(rollupAddress, context.rollupAddress))
    throw refuse(`is of rollup ${rollupAddress} on chain ${chainId}`);
  let signer: Address;
  try {
    const operationHash = hex32(BigInt(preconfirmation.operationHash));
    signer = await recoverPreconfirmationSigner(
      { chainId, rollupAddress },
      { ...preconfirmation, operationHash },
    );
  } catch (cause) {
    throw refuse("has no signature in canonical form", cause);
  }
  if (!isAddressEqual(signer, context.sequencerAddress))
    throw refuse(`is signed by ${signer}, the contract's sequencer is ${context.sequencerAddress}`);
  if (opening === null) return;
  const hash = hashOf(opening, context.domain, refuse);
  if (hash !== BigInt(preconfirmation.operationHash))
    throw refuse("is of another operation than the one beside it");
}

function hashOf(
  { bRef, operation }: NonNullable<PreconfirmationEvidence["opening"]>,
  domain: bigint,
  refuse: (why: string, cause: unknown) => Error,
): bigint {
  try {
    return messageHash(operation, { domain, bRef });
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    throw refuse("is of an operation that cannot be", cause);
  }
}
