/** Text that an asker was shown while the answer came, whatever the server sends: it is the beginning of the one that is paid for. */
import { clientError } from "@openledger/client/client-errors";

export class ShownText {
  readonly #onText: ((piece: string) => void) | undefined;
  #text = "";

  constructor(onText?: (piece: string) => void) {
    this.#onText = onText;
  }

  /** Text to be shown of another answer to the same question: from its beginning where nobody has seen any of this one. */
  again(): ShownText {
    return this.#onText === undefined || this.#text === "" ? new ShownText(this.#onText) : this;
  }

  /** Shows what a longer text has more. @throws CLI_ANSWER_WRONG for another text than was shown */
  extend(soFar: string): void {
    this.requireStartOf(soFar);
    const piece = soFar.slice(this.#text.length);
    this.#text = soFar;
    if (piece !== "") this.#onText?.(piece);
  }

  /** @throws CLI_ANSWER_WRONG */
  requireStartOf(text: string): void {
    if (text.startsWith(this.#text)) return;
    throw clientError("CLI_ANSWER_WRONG", "the answer is another text than the one that was streamed", {
      data: { what: "stream", given: this.#text.slice(0, 80), right: text.slice(0, 80) },
    });
  }
}
