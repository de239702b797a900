/**
 * Request schemas of the HTTP API (zod): they check form and turn text into bigints. docs/reference/api.md is the
 * contract.
 */

import { operationError } from "@openledger/circuits/circuit-errors";
import { KIND_RULES } from "@openledger/circuits/protocol";
import { address, element, hash } from "@openledger/circuits/wire/wire-fields";
import { countFromText, countsFromText, limit } from "@openledger/foundation/wire/query-text";
import { z } from "zod";

/** @throws OP_UNKNOWN_KIND */
export function signedKind(name: string): number {
  const rule = KIND_RULES.find((candidate) => candidate.name === name);
  if (rule?.isSigned) return rule.kind;
  throw operationError("OP_UNKNOWN_KIND", `${JSON.stringify(name)} is not a signed operation`, {
    data: { kind: name },
  });
}

export const hashParams = z.object({ hash });
export const idParams = z.object({ id: countFromText });
export const numberParams = z.object({ number: countFromText });
export const indexParams = z.object({ index: countFromText });
export const leavesQuery = z
  .strictObject({
    owner: address.optional(),
    keyX: element.optional(),
    /** Datanets whose dependent models are listed: one, or several with commas between them. */
    datanetId: countsFromText(100).optional(),
    ids: countsFromText(100).optional(),
    /** The answer goes on behind this leaf. */
    after: countFromText.optional(),
  })
  .refine(
    ({ after: _, ...query }) => Object.values(query).filter((value) => value !== undefined).length === 1,
    "needs one of owner, keyX, datanetId and ids",
  );
export const operationsQuery = z.strictObject({
  leaf: countFromText,
  /** Operation's hash, or a queue entry's index. */
  before: z.union([hash, countFromText]).optional(),
  limit: limit(200, 50),
});
export const recordsQuery = z.strictObject({ before: countFromText.optional(), limit: limit(50, 25) });
/** Shorter pieces would name too much to look through. */
const MIN_DIGITS = 4;
const lower = (text: string) => text.toLowerCase();
export const hashesQuery = z.strictObject({
  start: z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${MIN_DIGITS},64}$`), `is not 0x and ${MIN_DIGITS} to 64 digits`)
    .transform(lower),
  end: z
    .string()
    .regex(/^[0-9a-fA-F]{0,64}$/, "is not at most 64 hexadecimal digits")
    .transform(lower)
    .default(""),
  limit: limit(20, 8),
});
export const batchesQuery = z.strictObject({ before: countFromText.optional(), limit: limit(100, 20) });
export const feedQuery = z.object({ topics: z.string().max(2_000).optional() });

export const readyQuery = z.object({ limit: limit(64, 8) });
