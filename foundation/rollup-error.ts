/**
 * The one error class of the project. Callers branch on `code`, never on the wording of `message`.
 *
 * `code` carries its folder as a prefix (CIR_, PRV_, BRG_, SEQ_ …) and is never renamed or reused.
 * `data` holds the facts behind the sentence; `toJSON` renders it for logs and HTTP answers.
 */
export class RollupError extends Error {
  override readonly name = "RollupError";
  readonly code: string;
  readonly data: object;
  /** True if the same call may succeed later without any change of its arguments. */
  readonly isRetryable: boolean;
  /** Remedy from the code's table, or from the server that refused; null if neither has one. */
  readonly remedy: string | null;

  constructor(
    code: string,
    message: string,
    details: { data?: object; cause?: unknown; isRetryable?: boolean; remedy?: string | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.data = details.data ?? {};
    this.isRetryable = details.isRetryable ?? false;
    this.remedy = details.remedy ?? null;
  }

  toJSON(): object {
    // bigint has no JSON form of its own, and field elements are everywhere here.
    const data: unknown = JSON.parse(
      JSON.stringify(this.data, (_key, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      ),
    );
    return { code: this.code, message: this.message, isRetryable: this.isRetryable, data };
  }
}

/** True if `error` is a RollupError and has the given code, if any. */
export function isRollupError(error: unknown, code?: string): error is RollupError {
  return error instanceof RollupError && (code === undefined || error.code === code);
}
