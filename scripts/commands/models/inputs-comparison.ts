/** Rows that a model's inputs are compared with on the command line: of its folder, or those that its server gives to the reader. */
import { readModel } from "@openledger/attribution/model/model-directory";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { fetchPublishedRows } from "@openledger/attribution/spans/published-spans";
import { modelReader } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { ApprovalGroundsParameters, PublishedRecipe } from "@openledger/client/tasks/approve-model";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { knownModelLocations } from "../../cli/context.ts";

interface RowsLocation {
  readonly base?: string | undefined;
  readonly folder?: string | undefined;
  readonly server?: string | undefined;
  /** Leaf whose key signs requests for rows of permissioned Datanets; default: the client's account. */
  readonly leafId?: number;
}

/** Compares a recipe's inputs with the rows that a folder or the model's server publishes. */
export function inputsComparison(
  client: LedgerClient,
  modelId: number,
  { base, folder, leafId, server }: RowsLocation,
): Required<Pick<ApprovalGroundsParameters, "compareInputs">> {
  const serverUrl = server ?? knownModelLocations()[String(modelId)];
  const readRows = async (recipe: PublishedRecipe["recipe"]) => {
    const families = await modelFamilies({ base, serverUrl });
    if (folder !== undefined) return (await readModel(folder, families)).rows;
    const roots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
    // Only a leaf's key reads rows of a permissioned Datanet.
    const sign = client.l2Key === null ? undefined : modelReader(client, serverUrl!, leafId);
    const published = await fetchPublishedRows(serverUrl!, families, roots, { sign });
    return typeof published === "string" ? null : published.rows;
  };
  return {
    compareInputs: async ({ recipe }) => {
      const { compareInputs } = await import("@openledger/client/tasks/compare-inputs");
      return compareInputs({ recipe, readRows: () => readRows(recipe) });
    },
  };
}
