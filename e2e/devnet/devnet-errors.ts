import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the devnet. */
export const devnetErrors = defineErrors("DEV", {
  DEV_FAILED: {
    meaning: "the devnet or a step of its job did not come to its end; the message says what failed",
    remedy:
      "read the end of the named log; npm start again resumes. One folder has one devnet, and free ports it takes by itself",
  },
  DEV_STATE_LOST: {
    meaning: "a part of the saved devnet is missing, contradicts another part, or is of other circuits",
    remedy: "start again from nothing with: npm start -- --reset",
  },
});

export const devnetError = devnetErrors.raise;
