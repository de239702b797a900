/**
 * Texts and pictures of rows for the earnings page, from the model's server if it publishes them. A row is fetched once; it is not
 * checked against the ledger.
 */

import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { rowText } from "@openledger/attribution/rows/row-line";
import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
import { z } from "zod";
import { pictureAddress } from "../rows/picture-address.ts";

/** What a row says. */
export interface RowSaid {
  readonly text: string;
  /** Address of the picture; null for rows of other kinds. */
  readonly picture: string | null;
}

/** Limit of one request. */
const TIMEOUT_MS = 10_000;
/** Maximum bytes of a row: a picture has the most. */
const MAX_ROW_BYTES = MAX_PICTURE_BYTES;
const manifestSchema = z.object({ manifest: z.object({ files: z.record(z.string(), z.unknown()) }) });

const rowsSaid = new Map<string, Promise<RowSaid | null>>();

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
  const { manifest } = await requestModelServer(
    { requestTimeoutMs: TIMEOUT_MS },
    serverUrl,
    "/v1/model",
    manifestSchema,
  );
  if (!Object.hasOwn(manifest.files, "rows.jsonl")) return found;
  await Promise.all(
    [...rows].map(async (row) => {
      const url = `${serverUrl}/v1/rows/${row}`;
      const said = await (rowsSaid.get(url) ?? keep(url));
      if (said !== null) found.set(row, said);
    }),
  );
  return found;
}

function keep(url: string): Promise<RowSaid | null> {
  const request = fetchSaid(url).catch(() => {
    rowsSaid.delete(url);
    return null;
  });
  rowsSaid.set(url, request);
  return request;
}

async function fetchSaid(url: string): Promise<RowSaid | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) return null;
  const content = await boundedBytes(response, MAX_ROW_BYTES);
  return { text: rowText(content), picture: pictureAddress(content) };
}
