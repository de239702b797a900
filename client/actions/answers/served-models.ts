/**
 * List of the registered models (those that the ledger has) of an answer server or a factory, with the address of
 * each. Pages, watchers and the factory read it.
 */
import * as z from "zod/mini";
import type { LedgerClient } from "../../ledger-client.ts";
import { requestModelServer } from "./model-answers.ts";

/** Path of an answer server's or a factory's list of registered models; each has its routes below it. */
const LEDGER = "/ledger";
const servedSchema = z.object({ models: z.array(z.object({ modelId: z.int() })) });

export interface ServedLocation {
  /** The address that the model's routes are below. */
  serverUrl: string;
  modelId: number;
}

/**
 * Address below which a server has the routes of a registered model.
 * @internal
 */
export const belowLedger = (url: string, modelId: number): string =>
  `${url.replace(/\/+$/, "")}${LEDGER}/${modelId}`;

export type ListServedModelsErrorCode = "CLI_UNREACHABLE" | "CLI_ANSWER_INVALID" | `SRV_${string}`;

/**
 * Registered models that an answer server or a factory has.
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID
 * @example
 * ```ts
 * const places = await listServedModels(client, serverUrl);
 * console.log(places.map(({ modelId }) => modelId));
 * ```
 */
export async function listServedModels(
  client: Pick<LedgerClient, "requestTimeoutMs">,
  url: string,
): Promise<ServedLocation[]> {
  const { models } = await requestModelServer(client, url, LEDGER, servedSchema);
  return models.map(({ modelId }) => ({ serverUrl: belowLedger(url, modelId), modelId }));
}
