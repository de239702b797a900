import { RollupError } from "@openledger/foundation/rollup-error";

/** Error codes of the automatic settler: what each means, and what to do about it. */
export const settlerErrors = {
  CMD_VOID_DRAWS: {
    meaning:
      "drawn payments of an epoch cannot be opened, so that their part would be burned; the server does not settle it by itself",
    remedy:
      "bring the answers' folder back; if the server never gave these preconfirmations, start it with --consent-to-voids, or settle with: openledger model settle --account NAME",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export function settlerError(
  code: keyof typeof settlerErrors,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}
