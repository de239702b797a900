/** Node's `inspect.custom`, by its registered name: pages load this file, too. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const PLACEHOLDER = "[secret]";

/** A value that never shows itself by accident: as a string, in JSON and in logs it is a placeholder. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. Every call is a place to look at in a review. */
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
