/** The answer of a retrieval model: the rows that it cites, and what each earns of the payment. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { type FetchModelOptions, fetchFile } from "@openledger/attribution/model/model-download";
import { decodeRow, MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, isTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { z } from "zod";

/** A row that an answer cites. Exactly the rows that its payment goes to are cited. */
const citationSchema = z.strictObject({
  /** Place in the version's order. */
  row: z.int().min(0),
  /** SHA-256 of the row's bytes: anyone who is given the row's text compares it. */
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
function checkCitedRow({ digest, row }: Citation, content: Uint8Array): void {
  if (bytesToHex(sha256(content)) === digest) return;
  throw attributionError(
    "ATT_ANSWER_INVALID",
    `what was given as row ${row} is not the row that the answer cites`,
    {
      data: { row, digest },
    },
  );
}

// The rows that an answer cites, from the model's server. Runs in browsers.

/** A row as the model's server publishes it. */
export interface PublishedRow {
  readonly text: string;
  /** SHA-256 of the row's bytes: its name at a host. */
  readonly digest: string;
}

/**
 * Nothing here shows that it is the version's row: its name does, where somebody knows that.
 * @returns null where the server does not publish it
 * @throws ATT_SERVER_UNREACHABLE, ATT_ROW_INVALID
 */
export async function fetchRow(
  serverUrl: string,
  row: number,
  options: FetchModelOptions = {},
): Promise<PublishedRow | null> {
  const limits = { maxFileBytes: MAX_ROW_BYTES, ...options };
  const content = await fetchFile(serverUrl, `rows/${row}`, limits);
  return content === null ? null : { text: textOfRow(content), digest: bytesToHex(sha256(content)) };
}

export interface CitedRow extends Citation {
  /** null where the rows are not published. */
  readonly text: string | null;
}

/** @throws ATT_ROW_INVALID */
export const textOfRow = (content: Uint8Array): string =>
  isTextRow(content) ? wholeText(decodeTextRow(content)) : decodeRow("email", content).input;

/**
 * @param citations of an answer that has been checked: the digests come from there
 * @throws ATT_ANSWER_INVALID where the server's row is another one; ATT_SERVER_UNREACHABLE, ATT_ROW_INVALID
 */
export async function fetchCitedRows(
  serverUrl: string,
  citations: readonly Citation[],
  options: FetchModelOptions = {},
): Promise<CitedRow[]> {
  return Promise.all(
    citations.map(async (citation) => {
      const limits = { maxFileBytes: MAX_ROW_BYTES, ...options };
      const content = await fetchFile(serverUrl, `rows/${citation.row}`, limits);
      if (content === null) return { ...citation, text: null };
      checkCitedRow(citation, content);
      return { ...citation, text: textOfRow(content) };
    }),
  );
}
