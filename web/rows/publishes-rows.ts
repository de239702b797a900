/** Finds out whether a model's server publishes its rows, before the pages Ask and Earnings fetch any. */
import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { z } from "zod";

/** Limit of one request to an answer server. */
const TIMEOUT_MS = 10_000;
const manifestSchema = z.object({ manifest: z.object({ files: z.record(z.string(), z.unknown()) }) });
const publishing = new RecentAnswers<string, boolean>({ maxItems: 1_000 });

/**
 * Returns true if a server publishes its rows. One request saves a vain request for each row.
 * @throws ATT_SERVER_UNREACHABLE
 */
export function publishesRows(serverUrl: string): Promise<boolean> {
  const access = { requestTimeoutMs: TIMEOUT_MS };
  return publishing.get(serverUrl, async () => {
    const { manifest } = await requestModelServer(access, serverUrl, "/v1/model", manifestSchema);
    return Object.hasOwn(manifest.files, "rows.jsonl");
  });
}
