/**
 * Canonical JSON: one text for each value, so that its SHA-256 names it. Cards (card.ts) and signed records (records/record.ts)
 * are hashed in this form.
 */
import { isWellFormed } from "@openledger/foundation/utf8";
import { datanetError } from "../datanet-errors.ts";

/**
 * One text for one value, so that its hash names it: objects with their keys in the order of UTF-16 code units, no
 * spaces, strings as JSON.stringify writes them, whole numbers below 2^53 alone. Other numbers have several spellings in
 * other languages, so a card has none. @throws SRV_BAD_REQUEST for a value that has no such text
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw unwritable(`the number ${value}`);
    return String(value);
  }
  if (typeof value === "string") {
    if (!isWellFormed(value)) throw unwritable("a text with half of a surrogate pair");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, field]) => `${canonicalJson(key)}:${canonicalJson(field)}`).join(",")}}`;
  }
  throw unwritable(`a ${typeof value}`);
}

function unwritable(what: string) {
  return datanetError("SRV_BAD_REQUEST", `${what} has no canonical form`, { data: { what } });
}
