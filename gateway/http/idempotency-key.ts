/**
 * HTTP header `Idempotency-Key` of the paid routes: the same key with the same body is the same question and the same payment. The
 * journal has key and body as hashes.
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Idempotency } from "../asking/question-record.ts";
import { gatewayError } from "../gateway-errors.ts";

const MAX_KEY_CHARACTERS = 255;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * Reads the key of a request.
 * @param route path of the request: the same body on another route is another request
 * @param body as it was parsed; the order of an object's fields does not count
 * @returns null without the header
 * @throws GAT_KEY_INVALID
 */
export function idempotencyOf(
  { "idempotency-key": key }: IncomingHttpHeaders,
  route: string,
  body: unknown,
): Idempotency | null {
  if (key === undefined) return null;
  if (typeof key !== "string" || key.length > MAX_KEY_CHARACTERS || !/^[\x21-\x7e]+$/.test(key))
    throw gatewayError(
      "GAT_KEY_INVALID",
      `an Idempotency-Key has 1 to ${MAX_KEY_CHARACTERS} visible ASCII characters`,
    );
  return { keyHash: sha256(key), bodyHash: sha256(`${route}\n${JSON.stringify(body, sortedFields)}`) };
}

const sortedFields = (_name: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
