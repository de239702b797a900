/**
 * Signed records of a watcher, "verified" with the first difference or none, sent to every host that has one of the model's
 * Datanets.
 */
import { sayRecords } from "@openledger/client/datanets/signed-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError, RollupError } from "@openledger/foundation/rollup-error";
import { versionOf } from "../verify/verify-model.ts";
import type { Difference } from "./recomputation.ts";
import type { WatchTask } from "./watch-tasks.ts";
import type { WatchedModel } from "./watched-models.ts";

export interface WatchResult extends WatchTask {
  readonly difference: Difference | null;
  /** Versions of the model's Datanets in their places; undefined if nobody knows which. */
  readonly versions: readonly (number | undefined)[];
  /** Id of the signed figure that was recomputed with the model; null or absent: none was. */
  readonly figure?: string | null;
}

const locationName = (hostUrl: string, datanetId: number) => `${hostUrl}#${datanetId}`;

/** Places that a record of this model may be sent to, and that do not have it. */
export function unsentPlaces(model: WatchedModel, hosts: readonly string[], sentTo: readonly string[]) {
  return model.datanetIds.flatMap((datanetId, place) =>
    hosts
      .filter((hostUrl) => !sentTo.includes(locationName(hostUrl, datanetId)))
      .map((hostUrl) => ({ datanetId, hostUrl, place })),
  );
}

/**
 * Signs what was found and brings it to each host that has the Datanet.
 * @param to.history asked for versions before the present one
 * @returns names of the places that have it now
 * @throws what a host answers, and CLI_UNREACHABLE
 */
export async function sendRecords(
  client: LedgerClient,
  { difference, epoch, figure = null, modelId, versions }: WatchResult,
  { history, places }: { history: LedgerClient; places: ReturnType<typeof unsentPlaces> },
): Promise<string[]> {
  const sent: string[] = [];
  const modelRoot = hex32(staticsOf(await getModel(client, modelId)).hash);
  for (const { datanetId, hostUrl, place } of places) {
    const version = versions[place];
    if (version === undefined) continue;
    const versionRoot = hex32((await versionOf(client, datanetId, version, history)).rowsRoot);
    const record = {
      kind: "verified" as const,
      ...{ modelId, modelRoot, version, versionRoot, epoch, difference },
      ...(figure === null ? {} : { figure }),
    };
    try {
      const [result] = await sayRecords(client, { hostUrl, datanetId, records: [record] });
      const error = result!.error;
      if (error !== null && error.code !== "DNT_RECORD_OUTDATED")
        throw new RollupError(error.code, error.message);
      sent.push(locationName(hostUrl, datanetId));
    } catch (error) {
      if (!isRollupError(error, "DNT_NOT_HOSTED")) throw error;
    }
  }
  return sent;
}
