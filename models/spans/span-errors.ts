import { RollupError } from "@openledger/foundation/rollup-error";

/** Every error code of models/spans: what it means and what to do about it. */
export const spanErrors = {
  MOD_SPANS_TEXT_INVALID: {
    meaning: "a document of an index is empty or no UTF-8, or an answer is no UTF-8; `data` says which",
    remedy: "index rows of text only",
  },
  MOD_SPANS_TOO_LARGE: {
    meaning: "the version has more text than one index takes; `data` has both numbers of bytes",
    remedy: "index a smaller version",
  },
  MOD_SPANS_FILE_INVALID: {
    meaning: "the file is no index of spans, or it is damaged; `data.reason` says what is wrong",
    remedy: "build it again with: openledger datanet index ID --out FILE",
  },
  MOD_SPANS_EVIDENCE_FALSE: {
    meaning: "what a host says about a span does not follow from the root; `data.reason` says what is wrong",
    remedy: "do not believe the span, its count or its owner; keep the evidence",
  },
  MOD_SPANS_HOST_UNREACHABLE: {
    meaning: "the server that was asked for spans does not answer, or not as documented",
    remedy: "try again, or find them yourself: openledger spans --index FILE",
  },
  MOD_SPANS_NATIVE_UNAVAILABLE: {
    meaning: "the native suffix arrays were asked for, and were not built or do not load",
    remedy: "install g++ and run node prover/native/build.js, or choose --engine typescript",
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export type SpanErrorCode = keyof typeof spanErrors;

export function spanError(
  code: SpanErrorCode,
  message: string,
  details: { data?: object; cause?: unknown } = {},
): RollupError {
  return new RollupError(code, message, details);
}

/** A host's claim that does not hold. */
export function falseEvidence(reason: string, data: object = {}): RollupError {
  return spanError("MOD_SPANS_EVIDENCE_FALSE", `the evidence is false: ${reason}`, {
    data: { reason, ...data },
  });
}

/** Of a document or an answer. */
export function invalidText(message: string, data: object, cause?: unknown): RollupError {
  return spanError("MOD_SPANS_TEXT_INVALID", message, { data, cause });
}
