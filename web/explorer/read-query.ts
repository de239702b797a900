/**
 * Parser of the pages' search field: tells numbers, addresses, hashes, ENS names and words apart by their form alone, before
 * suggest.ts asks anybody.
 */
import { getAddress, isAddress } from "viem";
import { isEnsName } from "../ledger/ens.ts";

export interface Query {
  /** Words to look for in names, descriptions and rows; "" if the query is something else. */
  readonly words: string;
  /** "batch 5", "model 12", or a number alone. */
  readonly numbered: { readonly of: "batch" | "leaf" | "queue" | null; readonly number: number } | null;
  readonly address: `0x${string}` | null;
  /** "vitalik.eth" */
  readonly ensName: string | null;
  /** Beginning of a hash, and its end if it is written as pages shorten it. */
  readonly hash: { readonly start: string; readonly end: string; readonly isWhole: boolean } | null;
  /** Why nothing is looked for yet; null if something is. */
  readonly hint: string | null;
}

/** Minimum digits of a hash that the sequencer looks for: MIN_DIGITS of its api-schemas.ts. */
const MIN_DIGITS = 4;
const HASH = /^0x([0-9a-f]{0,64})(?:(?:…|\.{2,3})([0-9a-f]{0,64}))?$/;
const NUMBERED = /^(batch|account|leaf|model|datanet|queue|queue entry|entry)?\s*#?\s*(\d{1,8})$/;
const NOTHING: Query = { words: "", numbered: null, address: null, ensName: null, hash: null, hint: null };

export function readQuery(text: string): Query {
  const written = text.trim().slice(0, 100);
  const lower = written.toLowerCase();
  if (isAddress(written, { strict: false })) return { ...NOTHING, address: getAddress(written) };
  const piece = HASH.exec(lower);
  if (piece !== null) {
    const [, digits = "", end = ""] = piece;
    if (digits.length < MIN_DIGITS)
      return { ...NOTHING, hint: `Enter at least ${MIN_DIGITS} digits after 0x.` };
    return { ...NOTHING, hash: { start: `0x${digits}`, end, isWhole: digits.length === 64 } };
  }
  const [, kind, digits] = NUMBERED.exec(lower) ?? [];
  if (digits !== undefined) {
    const of =
      kind === undefined ? null : kind === "batch" ? "batch" : /queue|entry/.test(kind) ? "queue" : "leaf";
    return { ...NOTHING, numbered: { of, number: Number(digits) } };
  }
  return { ...NOTHING, words: written, ensName: isEnsName(lower) ? lower : null };
}
