/** Whether `models train` publishes the rows with the model: where all of its Datanets are public, or a flag says so. */
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { NamedCard } from "@openledger/datanets/card/card";
import { commandError } from "../../../cli/cli-errors.ts";
import type { GlobalOptions } from "../../../cli/context.ts";
import { defineOptions } from "../../../cli/options.ts";
import { askAnyHost } from "../../datanet/host-options.ts";

export const PUBLISHED_ROWS_OPTIONS = defineOptions({
  "--withhold-rows": "leave the rows out of the published files, though their Datanets are public",
  "--publish-permissioned-rows":
    "publish the rows of permissioned Datanets, and of those whose card nobody shows: model servers give them to whom the owners have granted access",
});

interface AccessSources {
  readonly options: GlobalOptions & {
    readonly host?: string;
    readonly withholdRows?: boolean;
    readonly publishPermissionedRows?: boolean;
  };
  readonly datanetIds: readonly number[];
  /** Card of the first Datanet, from a file or the host that is named; null for none. */
  readonly card: NamedCard | null;
}

/** Decision, and a line that says it where it is not the usual one. */
export interface RowPublication {
  readonly publishRows: boolean;
  readonly words: readonly string[];
}

/** @throws CMD_USAGE for both flags; as a host that was named refuses */
export async function publicationOf(
  client: LedgerClient,
  { card, datanetIds, options }: AccessSources,
): Promise<RowPublication> {
  const { publishPermissionedRows = false, withholdRows = false } = options;
  if (withholdRows && publishPermissionedRows)
    throw commandError("CMD_USAGE", "--withhold-rows and --publish-permissioned-rows say opposite things");
  const permissioned: number[] = [];
  const unknown: number[] = [];
  for (const [place, datanetId] of datanetIds.entries()) {
    const hosted = await askAnyHost(options, (hostUrl) => getHostedDatanet(client, { datanetId, hostUrl }));
    const access = hosted?.card.access ?? (place === 0 ? card?.card.access : undefined);
    if (access === undefined) unknown.push(datanetId);
    else if (access === "permissioned") permissioned.push(datanetId);
  }
  if (withholdRows) return { publishRows: false, words: ["the rows are not published"] };
  const why = [
    ...permissioned.map((id) => `Datanet ${id} is permissioned`),
    ...unknown.map((id) => `no host or card says whether Datanet ${id} is public`),
  ].join(", ");
  if (why === "") return { publishRows: true, words: [] };
  if (publishPermissionedRows) return { publishRows: true, words: [`the rows are published, though ${why}`] };
  return {
    publishRows: false,
    words: [`the rows are not published: ${why}; --publish-permissioned-rows publishes them`],
  };
}
