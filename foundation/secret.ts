/**
 * Wrapper of secrets (keys, tokens) that shows a placeholder in strings, JSON and logs. Settings hold theirs in
 * it.
 */

/** Node's `inspect.custom`, by its registered name: pages load this file, too. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
/** Text in place of a secret. */
const PLACEHOLDER = "[secret]";

/** Value that is never shown by accident: as a string, in JSON and in logs it is a placeholder. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Returns the value itself. A review should look at every call. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [INSPECT](): string {
    return PLACEHOLDER;
  }
}
