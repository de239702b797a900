import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Logger } from "@openledger/foundation/logger";
import * as z from "zod/mini";

/** Path of the list of registered models at an answer server or a factory; each has its routes below it. */
const LEDGER = "/ledger";
const servedSchema = z.object({ models: z.array(z.object({ modelId: z.int() })) });

/**
 * Where each registered model is served: the address that its routes are below, by the model's id. The first server that has a
 * model counts.
 * @param known addresses that need not be asked for
 */
export async function findServedPlaces(
  client: Pick<LedgerClient, "requestTimeoutMs">,
  { known, servers }: { servers: readonly string[]; known: Readonly<Record<string, string>> },
  logger: Logger,
): Promise<Map<number, string>> {
  const places = new Map(Object.entries(known).map(([modelId, url]) => [Number(modelId), url]));
  for (const server of servers) {
    const url = server.replace(/\/+$/, "");
    try {
      const { models } = await requestModelServer(client, url, LEDGER, servedSchema);
      for (const { modelId } of models)
        if (!places.has(modelId)) places.set(modelId, `${url}${LEDGER}/${modelId}`);
    } catch (error) {
      logger.warn({ err: error, server: url }, "the server does not say which models it has");
    }
  }
  return places;
}
