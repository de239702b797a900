/** The rows that an answer cites, from the model's server. Runs in browsers. */
import { type FetchModelOptions, fetchFile } from "@openledger/attribution/model/model-download";
import { decodeRow, MAX_ROW_BYTES } from "@openledger/attribution/rows/row-content";
import { decodeTextRow, isTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { type Citation, checkCitedRow } from "./citations.ts";

export interface CitedRow extends Citation {
  /** null where the rows are not published. */
  readonly text: string | null;
}

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
      const text = isTextRow(content) ? wholeText(decodeTextRow(content)) : decodeRow("email", content).input;
      return { ...citation, text };
    }),
  );
}
