import { sequencerErrors } from "../sequencer-errors.ts";

/**
 * HTTP status of the ledger's own refusals. 400: can never be right. 404, 409: not with the ledger as it is.
 * 422: the rules refuse it. A test requires that every OP_ code of the tree stands here.
 */
export const operationStatuses: Readonly<Record<string, number>> = {
  OP_MALFORMED: 400,
  OP_UNKNOWN_KIND: 400,
  OP_AMOUNT_NOT_REPRESENTABLE: 400,
  OP_UNKNOWN_LEAF: 404,
  OP_WRONG_NONCE: 409,
  OP_WRONG_NEW_ID: 409,
  OP_NONCE_EXHAUSTED: 409,
  OP_TREE_FULL: 409,
  OP_ROW_COUNT_EXHAUSTED: 409,
  OP_MODEL_NOT_PAYABLE: 409,
  OP_EPOCH_FULL: 409,
  OP_DATANET_NOT_PUBLISHED: 409,
  OP_APPROVAL_TOO_EARLY: 409,
  OP_MODEL_NOT_READY: 409,
  OP_MODEL_READY: 409,
  OP_EPOCH_UNSETTLED: 409,
  OP_EPOCH_NOT_OVER: 409,
  OP_EPOCH_EXHAUSTED: 409,
  OP_NOTHING_TO_SEAL: 409,
  OP_NOTHING_SEALED: 409,
  OP_FEE_TOO_LOW: 422,
  OP_BAD_SIGNATURE: 422,
  OP_BALANCE_TOO_LOW: 422,
  OP_BALANCE_OVERFLOW: 422,
  OP_BELOW_PRICE: 422,
  OP_WRONG_LEAF_KIND: 422,
  OP_MODEL_NOT_OF_DATANET: 422,
  OP_NOT_EARNER: 422,
  OP_SETTLEMENT_DIFFERS: 422,
};

/** The status of any code; 500 for what no caller can mend. */
export function httpStatusOf(code: string): number {
  const own: Readonly<Record<string, { httpStatus: number }>> = sequencerErrors;
  return operationStatuses[code] ?? own[code]?.httpStatus ?? 500;
}
