/** Knows which model servers publish their rows: the Ask and Earnings pages look before they fetch any. */
import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import { z } from "zod";

/** Limit of one request to an answer server. */
const TIMEOUT_MS = 10_000;
const manifestSchema = z.object({ manifest: z.object({ files: z.record(z.string(), z.unknown()) }) });
const publishing = new Map<string, Promise<boolean>>();

/** Tells whether a server publishes its rows. One request a server saves a vain request for each row. @throws ATT_SERVER_UNREACHABLE */
export function publishesRows(serverUrl: string): Promise<boolean> {
  const known = publishing.get(serverUrl);
  if (known !== undefined) return known;
  const asked = requestModelServer(
    { requestTimeoutMs: TIMEOUT_MS },
    serverUrl,
    "/v1/model",
    manifestSchema,
  ).then(({ manifest }) => Object.hasOwn(manifest.files, "rows.jsonl"));
  publishing.set(serverUrl, asked);
  asked.catch(() => publishing.delete(serverUrl));
  return asked;
}
