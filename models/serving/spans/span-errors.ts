/**
 * Errors about spans (parts of an answer that occur word for word in a Datanet's version): a server's false claim, and bytes
 * that are no text.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { modelError } from "../../model-errors.ts";

/** Error of a server's claim that does not hold. */
export function falseSpans(reason: string, data: object = {}): RollupError {
  return modelError("MOD_SPANS_EVIDENCE_FALSE", `the spans are false: ${reason}`, {
    data: { reason, ...data },
  });
}

/** Error of a document or an answer that is no text. */
export function invalidText(message: string, data: object, cause?: unknown): RollupError {
  return modelError("MOD_INPUT_INVALID", message, { data, cause });
}
