/**
 * Refuses operations that the ledger would allow but that are likely mistakes, before any state is read. sequencer.ts calls it.
 */
import { operationError } from "@openledger/circuits/circuit-errors";
import { recoverKeyY, SUBGROUP_ORDER } from "@openledger/circuits/field/curve/eddsa";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { checkForm } from "@openledger/circuits/ledger/operation";
import { FIELD_ORDER, KIND, kindRule } from "@openledger/circuits/protocol";
import { fitsTableAmount } from "@openledger/circuits/table/table-shape";
import { sequencerError } from "../sequencer-errors.ts";

/** A batch's row count is 32 bits in a published version, so more could never be published. */
const MAX_COMMIT_ROW_COUNT = 2n ** 32n - 1n;

/**
 * Checks the policy of one operation.
 * @throws OP_UNKNOWN_KIND, OP_MALFORMED, SEQ_OPERATION_REFUSED (`data.reason` says why)
 */
export function checkPolicy(operation: SignedOperation, rollupAddress: `0x${string}`): void {
  checkForm(operation);
  checkSignatureForm(operation);
  const { kind, a, b, amountCode, words } = operation;
  if (kind === KIND.transfer && a === b) {
    throw sequencerError("SEQ_OPERATION_REFUSED", `leaf ${a} would pay itself`, {
      data: { reason: "self-transfer", id: a },
    });
  }
  const movesNothing =
    ((kind === KIND.transfer || kind === KIND.payInference) && (amountCode & (2n ** 35n - 1n)) === 0n) ||
    (kind === KIND.withdraw && words[1] === 0n);
  if (movesNothing) {
    throw sequencerError("SEQ_OPERATION_REFUSED", `a ${kindRule(kind)!.name} of 0 wei`, {
      data: { reason: "zero-amount", kind: kindRule(kind)!.name },
    });
  }
  const isForTable = kind === KIND.transfer || kind === KIND.payInference;
  // Attack: it would take one of the few wide slots at the price of a narrow one, for an amount that comes back.
  if (isForTable && !fitsTableAmount(amountCode)) {
    throw sequencerError(
      "SEQ_OPERATION_REFUSED",
      `the amount code ${amountCode} has an exponent that no slot of a leaf table holds; write it with its smallest exponent`,
      { data: { reason: "amount-exponent", amountCode: amountCode.toString(), kind: kindRule(kind)!.name } },
    );
  }
  if (kind === KIND.withdraw && words[0] === BigInt(rollupAddress)) {
    throw sequencerError("SEQ_OPERATION_REFUSED", `a withdrawal to the rollup ${rollupAddress} itself`, {
      data: { reason: "recipient-is-rollup", recipient: rollupAddress },
    });
  }
  if (kind === KIND.commitData && (amountCode === 0n || amountCode > MAX_COMMIT_ROW_COUNT)) {
    throw sequencerError(
      "SEQ_OPERATION_REFUSED",
      `a commit of ${amountCode} rows; 1 to ${MAX_COMMIT_ROW_COUNT} are allowed`,
      {
        data: {
          reason: "row-count-range",
          rowCount: amountCode.toString(),
          maxRowCount: MAX_COMMIT_ROW_COUNT.toString(),
        },
      },
    );
  }
  const newKeyIndex = kind === KIND.setKey ? 0 : kindRule(kind)!.isCreate ? 1 : null;
  // A leaf with an unusable key could sign nothing that has a witness; 0 would mean no key.
  if (newKeyIndex !== null && recoverKeyY(words[newKeyIndex]!) === null) {
    throw sequencerError("SEQ_OPERATION_REFUSED", `words[${newKeyIndex}] is no usable BabyJubJub key`, {
      data: { reason: "unusable-key", field: `words[${newKeyIndex}]` },
    });
  }
}

function checkSignatureForm({ signature, kind }: SignedOperation): void {
  const limits = { r8x: FIELD_ORDER, r8y: FIELD_ORDER, s: SUBGROUP_ORDER } as const;
  for (const name of ["r8x", "r8y", "s"] as const) {
    if (signature[name] < 0n || signature[name] >= limits[name]) {
      throw operationError(
        "OP_MALFORMED",
        `signature.${name} is not below ${name === "s" ? "the subgroup's" : "the field's"} order`,
        {
          data: { field: `signature.${name}`, kind: kindRule(kind)!.name },
        },
      );
    }
  }
}
