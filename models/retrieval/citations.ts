/** The answer of a retrieval model: the rows that it cites, and what each earns of the payment. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { z } from "zod";

/** A row that an answer cites. Exactly the rows that its payment goes to are cited. */
const citationSchema = z.strictObject({
  /** Place in the version's order. */
  row: z.int().min(0),
  /** SHA-256 of the row's bytes: whoever is given the row's text compares it. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  contributorId: z.int().min(0),
  validatorId: z.int().min(0),
  /** Of what the rows get for the answer, in millionths, rounded down. */
  shareMillionths: z.int().min(0).max(1_000_000),
});
const answerSchema = z.strictObject({ citations: z.array(citationSchema).min(1) });

export type Citation = z.output<typeof citationSchema>;

/** What the receipt hashes. */
export function citationText(citations: readonly Citation[]): string {
  return JSON.stringify({ citations });
}

/** The citations of an answer's text. It has been checked, or will be. @throws ATT_ANSWER_INVALID */
export function parseCitations(text: string): readonly Citation[] {
  try {
    return answerSchema.parse(JSON.parse(text)).citations;
  } catch (cause) {
    throw attributionError("ATT_ANSWER_INVALID", "the answer cites no rows as a retrieval model does", {
      cause,
    });
  }
}

/** @throws ATT_ANSWER_INVALID where a server's row is not the cited one */
export function checkCitedRow({ digest, row }: Citation, content: Uint8Array): void {
  if (bytesToHex(sha256(content)) === digest) return;
  throw attributionError(
    "ATT_ANSWER_INVALID",
    `what was given as row ${row} is not the row that the answer cites`,
    {
      data: { row, digest },
    },
  );
}
