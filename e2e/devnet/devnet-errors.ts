/** Errors DEV_… of the devnet: meaning and remedy. docs/reference/errors.md is written from it by scripts/errors.ts. */
import { defineErrors } from "@openledger/foundation/error-table";

/** Codes of the devnet. */
export const devnetErrors = defineErrors("DEV", {
  DEV_FAILED: {
    meaning: "the devnet or a step of its job failed; the message says which",
    remedy: "read the end of the named log; npm start again resumes. One folder has one devnet",
  },
  DEV_STATE_LOST: {
    meaning: "a part of the saved devnet is missing, contradicts another part, or belongs to other circuits",
    remedy: "start from scratch with: npm start -- --reset",
  },
});

export const devnetError = devnetErrors.raise;
