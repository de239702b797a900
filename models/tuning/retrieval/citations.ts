/**
 * Citations in a language model's answer, the rows that it was written from: their form, the share of each if citations pay (in
 * millionths), and the fetch of their texts.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { type FetchModelOptions, fetchFile } from "@openledger/attribution/model/model-download";
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { rowText } from "@openledger/attribution/rows/row-line";
import { rowNumber } from "@openledger/foundation/row-number";
import { z } from "zod";

/** A row that an answer cites. A payment by citation goes to exactly these. */
const citationSchema = z.strictObject({
  /** Place in the version's order. */
  row: z.int().min(0),
  /** SHA-256 of the row's bytes: anyone who is given the row's text compares it. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  contributorId: z.int().min(0),
  validatorId: z.int().min(0),
  /** Share in what the rows get for an answer that is paid by citation, in millionths, rounded down. */
  shareMillionths: z.int().min(0).max(1_000_000),
  /** The row's own question, where its answer is said: whoever pays sees whether it is theirs. */
  question: z.string().optional(),
});
const citedSchema = z.object({
  /** Rule of this answer's payment: to the rows that it cites, or to those that its words come from. */
  paidBy: z.enum(["citation", "influence"]),
  citations: z.array(citationSchema).min(1),
});

export type Citation = z.output<typeof citationSchema>;
/** Rows that a model has read for an answer. The receipt hashes them with its text. */
export type Cited = z.output<typeof citedSchema>;

/** Citations of an answer; null if it has none. The answer has been checked, or will be. @throws ATT_ANSWER_INVALID */
export function parseCited(answer: string): Cited | null {
  try {
    const json = JSON.parse(answer) as object;
    return "citations" in json ? citedSchema.parse(json) : null;
  } catch (cause) {
    throw attributionError("ATT_ANSWER_INVALID", "the answer cites no rows as a model does", { cause });
  }
}

/** Citations of an answer; null if it has none, or is of another form than a language model's. */
export function citedIn(answer: string): Cited | null {
  try {
    return parseCited(answer);
  } catch {
    return null;
  }
}

/** A row as the model's server publishes it. */
export interface PublishedRow {
  readonly text: string;
  readonly content: Uint8Array;
  /** SHA-256 of the row's bytes: its name at a host. */
  readonly digest: string;
}

/**
 * Fetches a row from the model's server. Without a digest nothing here shows that it is the version's row.
 * @param digest of a citation that has been checked
 * @returns null if the server does not publish it
 * @throws ATT_ANSWER_INVALID if the server's row has another digest; ATT_SERVER_UNREACHABLE
 */
export async function fetchRow(
  serverUrl: string,
  row: number,
  digest?: string,
  options: FetchModelOptions = {},
): Promise<PublishedRow | null> {
  const limits = { maxFileBytes: MAX_PICTURE_BYTES, ...options };
  const content = await fetchFile(serverUrl, `rows/${row}`, limits);
  if (content === null) return null;
  const own = bytesToHex(sha256(content));
  if (digest === undefined || own === digest) return { text: rowText(content), content, digest: own };
  const message = `what was given as row ${rowNumber(row)} is not the row that the answer cites`;
  throw attributionError("ATT_ANSWER_INVALID", message, { data: { row, digest } });
}
