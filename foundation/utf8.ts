/** Decoding of UTF-8 without a loss: bytes that are no UTF-8 are refused, never replaced. Runs in pages, too. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SyntaxError if the bytes are no UTF-8 */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new SyntaxError("it is no UTF-8", { cause });
  }
}

/**
 * The text of a person's file, without the byte-order mark that some editors put before it.
 *
 * @throws SyntaxError also for zero bytes: text in UTF-16 without a mark is UTF-8 with a zero after every letter
 */
export function textOfFile(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw new SyntaxError("it is no UTF-8: it has zero bytes");
  return textOfBytes(bytes).replace(/^\ufeff/, "");
}

/**
 * Returns the first line, from 1 on, that ends with a carriage return alone; null if there is none. Such a file is one
 * line to whoever looks for line feeds.
 */
export function lineWithoutFeed(text: string): number | null {
  const at = text.search(/\r(?!\n)/);
  return at < 0 ? null : text.slice(0, at).split("\n").length;
}

/** `String.prototype.isWellFormed` is younger than the language that this repository is written for. */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
