/**
 * Texts of rows for the earnings page, from the model's server if it publishes them. A text is fetched once; it is not checked
 * against the ledger.
 */

import { rowText } from "@openledger/attribution/rows/row-line";
import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
import { z } from "zod";

/** Limit of one request. */
const TIMEOUT_MS = 10_000;
/** Maximum bytes of a row: the ledger's rows are smaller. */
const MAX_ROW_BYTES = 2 ** 20;
const manifestSchema = z.object({ manifest: z.object({ files: z.record(z.string(), z.unknown()) }) });

const texts = new Map<string, Promise<string | null>>();

/**
 * Fetches the texts of rows, by their places in the version; none if the model's server publishes no rows. @throws
 * ATT_SERVER_UNREACHABLE
 */
export async function fetchRowTexts(
  serverUrl: string,
  rows: ReadonlySet<number>,
): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
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
      const text = await (texts.get(url) ?? keep(url));
      if (text !== null) found.set(row, text);
    }),
  );
  return found;
}

function keep(url: string): Promise<string | null> {
  const request = fetchText(url).catch(() => {
    texts.delete(url);
    return null;
  });
  texts.set(url, request);
  return request;
}

async function fetchText(url: string): Promise<string | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return response.ok ? rowText(await boundedBytes(response, MAX_ROW_BYTES)) : null;
}
