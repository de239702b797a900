/**
 * Grounds of an approval for the command line: where the recipe and a host are found, and the lines that say what was found. The rules
 * are the client's task.
 */
import { readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import type {
  ApprovalGrounds,
  ApprovalTerms,
  AskHost,
  PublishedRecipe,
} from "@openledger/client/tasks/approve-model";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { type GlobalOptions, knownModelLocations } from "../../cli/context.ts";
import { lineOfInputs, lineOfVectors } from "../models/line-of-vectors.ts";
import { termsWords } from "../models/training/training-terms.ts";
import { askAnyHost } from "./host-options.ts";

type HostChoice = GlobalOptions & { readonly host?: string | undefined };

/** The host that is named, or the one that this machine knows. */
export const askHostOf =
  (options: HostChoice): AskHost =>
  (ask) =>
    askAnyHost(options, ask);

/** Lines of what was found about terms, and of what was not checked. */
export function approvalWords(
  datanetId: number,
  {
    byRecipe,
    inputs = null,
    isRecipeRead,
    terms,
    vectors,
  }: ApprovalTerms & Partial<Pick<ApprovalGrounds, "inputs">>,
): string[] {
  const isAllNamed = byRecipe?.namedCount === byRecipe?.rowCount;
  return [
    ...termsWords(terms ?? undefined),
    ...lineOfVectors(vectors),
    ...(inputs === null ? [] : lineOfInputs(inputs)),
    ...(byRecipe === null
      ? []
      : ["the terms are those in the model's recipe, compared with no host's: name one with --host"]),
    ...(byRecipe === null || isAllNamed
      ? []
      : [
          `the recipe has the terms of ${byRecipe.namedCount} of ${byRecipe.rowCount ?? "unknown"} rows of Datanet ${datanetId}: those of the others are not known`,
        ]),
    ...(isRecipeRead
      ? []
      : [
          "the model's recipe was not read, so its own licence was not compared: name its --server or --folder",
        ]),
  ];
}

/** Errors of a server that nobody named, and of a ledger that only L1 shows. */
const UNREAD = ["ATT_SERVER_UNREACHABLE", "CLI_NOT_CONFIGURED", "CLI_UNREACHABLE"] as const;

/**
 * Reads a model's recipe from a folder or the model's server.
 * @returns null where nobody named a place, and none is known, or it or the ledger does not answer
 * @throws as `readModel` and `fetchAnswering`
 */
export async function readPublishedRecipe(
  client: LedgerClient,
  modelId: number,
  { base, folder, server }: { readonly base?: string; readonly folder?: string; readonly server?: string },
): Promise<PublishedRecipe | null> {
  const serverUrl = server ?? knownModelLocations()[String(modelId)];
  if (folder === undefined && serverUrl === undefined) return null;
  try {
    const families = await modelFamilies({ base, serverUrl });
    const [published] = await Promise.all([
      folder === undefined ? fetchAnswering(serverUrl!, families) : readModel(folder, families),
      // Only the ledger can say whether it is the model's.
      getModel(client, modelId),
    ]);
    return published;
  } catch (error) {
    const isNamed = folder !== undefined || server !== undefined;
    if (!isNamed && UNREAD.some((code) => isRollupError(error, code))) return null;
    throw error;
  }
}
