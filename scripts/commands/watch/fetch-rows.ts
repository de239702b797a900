/** Rows of models that are published without them: a watcher fetches the version, with its labels, from the first host that is sound. */
import { readVersionRows } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { downloadVersion } from "@openledger/client/datanets/download-rows";
import { downloadLabels } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { WatcherOptions } from "./watch-parts.ts";

/** A version whose rows are in the watcher's folder. */
export interface FetchedVersion {
  readonly rowCount: number;
  /** Bytes of the rows; 0 if the folder had them all. */
  readonly sizeBytes: number;
}

/**
 * Fetches a version with its labels into the watcher's folder.
 * @throws CLI_RECORDS_UNSIGNED, DNT_ACCESS_NOT_GRANTED and what else the last host answers
 */
export async function fetchVersion(
  client: LedgerClient,
  { hosts, rowsFolder, withoutUnsigned }: Pick<WatcherOptions, "hosts" | "rowsFolder" | "withoutUnsigned">,
  { datanetId, version }: { readonly datanetId: number; readonly version: number },
): Promise<FetchedVersion> {
  const store = await openRowStore(rowsFolder);
  let receivedCount = 0;
  let failure: unknown;
  for (const hostUrl of hosts) {
    try {
      const location = { hostUrl, datanetId, store };
      const found = await downloadVersion(client, { ...location, version });
      const { rowCount, rowsRoot } = found;
      // Also what came from a host whose labels are not taken.
      receivedCount += found.receivedCount;
      await downloadLabels(client, { ...location, rowsRoot, withoutUnsigned });
      const rows = await readVersionRows(store, rowsRoot);
      const sizeBytes = rows.reduce((sum, { content }) => sum + content.length, 0);
      return { rowCount, sizeBytes: receivedCount === 0 ? 0 : sizeBytes };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
