/**
 * Texts and pictures of rows for the earnings page, from the model's server if it publishes them. A row is fetched once; it is not
 * checked against the ledger.
 */

import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { fetchRow } from "@openledger/models/tuning/retrieval/citations";
import { pictureAddress } from "../rows/picture-address.ts";
import { publishesRows } from "../rows/publishes-rows.ts";

/** Content of a row, as text. */
export interface RowSaid {
  readonly text: string;
  /** Address of the picture; null for rows of other kinds. */
  readonly picture: string | null;
}

/** Limit of one request. */
const TIMEOUT_MS = 10_000;

/** Characters of texts and pictures that stay. */
const MAX_CHARACTERS = 32_000_000;

const rowsSaid = new RecentAnswers<string, RowSaid | null>({
  maxItems: MAX_CHARACTERS,
  sizeOf: (said) => (said === null ? 1 : said.text.length + (said.picture?.length ?? 0)),
});

/**
 * Fetches what rows say, by their places in the version; none if the model's server publishes no rows. @throws
 * ATT_SERVER_UNREACHABLE
 */
export async function fetchRowsSaid(
  serverUrl: string,
  rows: ReadonlySet<number>,
): Promise<ReadonlyMap<number, RowSaid>> {
  const found = new Map<number, RowSaid>();
  if (rows.size === 0) return found;
  if (!(await publishesRows(serverUrl))) return found;
  await Promise.all(
    [...rows].map(async (row) => {
      const question = rowsSaid.get(`${serverUrl} ${row}`, () => fetchSaid(serverUrl, row));
      const said = await question.catch(() => null);
      if (said !== null) found.set(row, said);
    }),
  );
  return found;
}

async function fetchSaid(serverUrl: string, row: number): Promise<RowSaid | null> {
  const published = await fetchRow(serverUrl, row, undefined, { timeoutMs: TIMEOUT_MS });
  return published === null ? null : { text: published.text, picture: pictureAddress(published.content) };
}
