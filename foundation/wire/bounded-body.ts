/**
 * Bodies of other servers' answers. A server that does not end its answer must not fill this machine's memory, and bytes that
 * are no UTF-8 are refused, never replaced. Runs in browsers.
 */
import { textOfBytes } from "../utf8.ts";

/** Bytes up to which an uncompressed answer is read at once. */
const SMALL_BYTES = 65_536;

/** An answer has more bytes than its reader takes. */
export class BodyTooLong extends Error {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}

/** Reads a body; the connection ends where it is too long. @throws BodyTooLong; what the connection fails with */
export async function boundedBytes(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  // Chromium calls a `no-store` answer aborted where it is read in parts (findings/chromium-no-store-stream-aborted.sh).
  const { headers } = response;
  const announced = headers.get("content-length");
  if (
    announced !== null &&
    Number(announced) <= Math.min(SMALL_BYTES, maxBytes) &&
    !headers.has("content-encoding")
  )
    return new Uint8Array(await response.arrayBuffer());
  // A length that the sender names saves copies; nothing is taken of memory before bytes come.
  const isExpected = announced !== null && Number(announced) <= maxBytes && !headers.has("content-encoding");
  let bytes = new Uint8Array(isExpected ? Number(announced) : Math.min(SMALL_BYTES, maxBytes));
  let length = 0;
  // Not every browser iterates over a body.
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader!.read()) {
    const part = next.value as Uint8Array;
    const end = length + part.length;
    if (end > maxBytes) {
      await reader!.cancel();
      throw new BodyTooLong(maxBytes);
    }
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * bytes.length)));
      grown.set(bytes);
      bytes = grown;
    }
    bytes.set(part, length);
    length = end;
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

/** Reads JSON. @throws BodyTooLong; SyntaxError for what is no JSON, or no UTF-8; what the connection fails with */
export async function boundedJson(response: Response, maxBytes: number): Promise<unknown> {
  return JSON.parse(textOfBytes(await boundedBytes(response, maxBytes)));
}
