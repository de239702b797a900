/** Bytes as text, without a loss: what is no UTF-8 is refused, never replaced. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SyntaxError if the bytes are no UTF-8 */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new SyntaxError("it is no UTF-8", { cause });
  }
}

/** The text of a person's file, without the byte-order mark that some editors put before it. @throws SyntaxError */
export const textOfFile = (bytes: Uint8Array): string => textOfBytes(bytes).replace(/^\ufeff/, "");

/** `String.prototype.isWellFormed` is younger than the language that this repository is written for. */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
