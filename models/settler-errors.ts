import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the automatic settler. */
export const settlerErrors = defineErrors("CMD", {
  CMD_VOID_DRAWS: {
    meaning:
      "drawn payments of a sealed epoch pay for receipts that the model's server cannot open; it does not burn their part by itself. `data.payments`, `data.burnedWei`",
    remedy:
      "bring the answers' folder back; if the server never gave these preconfirmations, start it with --consent-to-voids, or settle with: openledger models settle --account NAME",
  },
});

export const settlerError = settlerErrors.raise;
