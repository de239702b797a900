/** Terms of a version's rows, before its owner approves a model that answers for pay: refused, or lines that say what was found. */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { type RecipeBase, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { readHistory } from "@openledger/client/actions/data/list-commits";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { type RecipeTerms, requireRecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { type GlobalOptions, knownModelPlaces } from "../../cli/context.ts";
import { termsWords } from "../models/training/training-terms.ts";
import { askAnyHost } from "./host-options.ts";

/**
 * Applies the rule by the terms that the recipe binds, and by those that a host shows: named, or the one that this machine knows.
 * @param recipe of the model; undefined if it could not be read
 * @returns lines of what was found, and of what was not checked
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; as a host that was named refuses
 */
export async function termsOfApproval(
  client: LedgerClient,
  datanetId: number,
  recipe: RecipeTerms | undefined,
  options: GlobalOptions & { readonly host?: string | undefined },
): Promise<string[]> {
  const hosted = await askAnyHost(options, (hostUrl) =>
    requireApprovable(client, { hostUrl, datanetId, recipe }),
  );
  const bound = recipe === undefined ? null : requireRecipeTerms(recipe, { use: "paid" });
  return [
    ...termsWords(hosted ?? bound ?? undefined),
    ...(hosted === null && bound !== null ? await boundWords(client, datanetId, recipe!) : []),
    ...(recipe === undefined
      ? [
          "the model's recipe was not read, so its own licence was not compared: name its --server or --folder",
        ]
      : []),
  ];
}

/** Lines about terms that the recipe alone names. Its word about some rows is no word about the others. */
async function boundWords(client: LedgerClient, datanetId: number, recipe: RecipeTerms): Promise<string[]> {
  const { version = 0 } = versionsOf(recipe).find(({ id }) => id === datanetId) ?? {};
  const { versions } = await readHistory(client, datanetId);
  const rowCount = versions[version - 1]?.rowCount;
  const named = recipe.terms!.rows.filter(({ datanet }) => datanet === datanetId);
  const namedCount = named.reduce((sum, one) => sum + one.rowCount, 0);
  return [
    "the terms are those in the model's recipe, compared with no host's: name one with --host",
    ...(namedCount === rowCount
      ? []
      : [
          `the recipe has the terms of ${namedCount} of ${rowCount ?? "unknown"} rows of Datanet ${datanetId}: those of the others are not known`,
        ]),
  ];
}

/**
 * Checks, before a model is created and paid for, that its rows' terms do not forbid each approval that it needs.
 * @returns lines of what was found, and of what was not checked
 * @throws DNT_TERMS_FORBID naming the rows that stand in the way; as a host that was named refuses
 */
export async function termsOfRegistration(
  client: LedgerClient,
  recipe: RecipeTerms,
  options: GlobalOptions & { readonly host?: string | undefined },
): Promise<string[]> {
  const lines: string[] = [];
  for (const { id } of versionsOf(recipe))
    lines.push(...(await termsOfApproval(client, id, recipe, options)));
  return [...new Set(lines)];
}

/** Errors of a server that nobody named, and of a ledger that only L1 shows. */
const UNREAD = ["ATT_SERVER_UNREACHABLE", "CLI_NOT_CONFIGURED", "CLI_UNREACHABLE"] as const;

/**
 * Reads the recipe that a registered model's statics bind, from a folder or the model's server.
 * @returns undefined where nobody named a place, and none is known or it does not answer
 * @throws ATT_MODEL_MISMATCH for the recipe of another model; as `readModel` and `fetchAnswering`
 */
export async function registeredRecipe(
  client: LedgerClient,
  modelId: number,
  { base, folder, server }: { readonly base?: string; readonly folder?: string; readonly server?: string },
): Promise<RecipeBase | undefined> {
  const serverUrl = server ?? knownModelPlaces()[String(modelId)];
  if (folder === undefined && serverUrl === undefined) return undefined;
  try {
    const families = await modelFamilies({ base, serverUrl });
    const [{ recipe, staticsHash }, leaf] = await Promise.all([
      folder === undefined ? fetchAnswering(serverUrl!, families) : readModel(folder, families),
      getModel(client, modelId),
    ]);
    const [published, registered] = [hex32(staticsHash), hex32(staticsOf(leaf).hash)];
    if (published === registered) return recipe;
    throw attributionError(
      "ATT_MODEL_MISMATCH",
      `statics: ${published} is published, ${registered} is registered as model ${modelId}`,
      { data: { what: "statics", published, computed: registered } },
    );
  } catch (error) {
    const isNamed = folder !== undefined || server !== undefined;
    if (!isNamed && UNREAD.some((code) => isRollupError(error, code))) return undefined;
    throw error;
  }
}
