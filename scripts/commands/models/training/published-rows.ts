/**
 * Whether `models train` publishes the rows with the model: where all of its Datanets are public, or a flag says so. The words say also
 * whom a model answers that answers from its rows.
 */
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
  /** Why rows are for readers alone; "" where all Datanets are public. */
  readonly why: string;
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
  for (const [position, datanetId] of datanetIds.entries()) {
    const hosted = await askAnyHost(options, (hostUrl) => getHostedDatanet(client, { datanetId, hostUrl }));
    const access = hosted?.card.access ?? (position === 0 ? card?.card.access : undefined);
    if (access === undefined) unknown.push(datanetId);
    else if (access === "permissioned") permissioned.push(datanetId);
  }
  const why = [
    ...permissioned.map((id) => `Datanet ${id} is permissioned`),
    ...unknown.map((id) => `no host or card says whether Datanet ${id} is public`),
  ].join(", ");
  if (withholdRows) return { publishRows: false, words: ["rows.jsonl is not published"], why };
  if (why === "") return { publishRows: true, words: [], why };
  if (publishPermissionedRows)
    return { publishRows: true, words: [`rows.jsonl is published, though ${why}`], why };
  return {
    publishRows: false,
    words: [`rows.jsonl is not published: ${why}; --publish-permissioned-rows publishes it`],
    why,
  };
}

/** Lines about a model that answers from its rows: its index has their texts, and its answers say or quote them. */
export function citingWords(
  { retrieval }: { readonly retrieval?: object | undefined },
  { why }: Pick<RowPublication, "why">,
): readonly string[] {
  if (retrieval === undefined) return [];
  const texts = "says" in retrieval ? "each row's prompt and answer" : "the beginning of each row's text";
  const index = `query-map.bin has ${texts}, which is part of the model`;
  return why === ""
    ? [`${index}: everybody may read it`]
    : [
        `${index}: servers give it, and answers from the rows, to whom the Datanet's owner has granted access, since ${why}`,
      ];
}
