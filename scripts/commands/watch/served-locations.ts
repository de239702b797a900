/** Finds the answer servers from which a watcher (`openledger watch`) fetches models' files and the openings of receipts. */
import { listServedModels } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Logger } from "@openledger/foundation/logger";

/**
 * Finds the server of each registered model: the address that its routes are below, by the model's id. The first server
 * that has a model counts.
 * @param known addresses that are given, by the model's id
 */
export async function findServedLocations(
  client: Pick<LedgerClient, "requestTimeoutMs">,
  { known, servers }: { servers: readonly string[]; known: Readonly<Record<string, string>> },
  logger: Logger,
): Promise<Map<number, string>> {
  const locations = new Map(Object.entries(known).map(([modelId, url]) => [Number(modelId), url]));
  for (const server of servers) {
    try {
      for (const { modelId, serverUrl } of await listServedModels(client, server))
        if (!locations.has(modelId)) locations.set(modelId, serverUrl);
    } catch (error) {
      logger.warn({ err: error, server }, "the server does not say which models it has");
    }
  }
  return locations;
}
