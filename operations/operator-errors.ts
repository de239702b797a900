import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of payments to provers. */
export const paymentErrors = defineErrors("CMD", {
  CMD_PAYMENTS_UNCLEAR: {
    meaning:
      "the journal of the provers' payments and the ledger disagree: a nonce was used for something else, or the ledger has operations that the journal lacks. `data.transfers`, `data.missingNonces`",
    remedy:
      "restore the newest journal; otherwise check the worker's account, then pass --paid HASH or --void HASH for each; pay from a separate account",
  },
});

export const operatorError = paymentErrors.raise;
