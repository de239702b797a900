/** Sources of a model's papers, for `openledger models card` and `openledger verify papers`. */
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import type { WriteModelPapersParameters } from "@openledger/client/datanets/model-papers";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { SERVER_OPTION, STORE_OPTION } from "../../cli/common-options.ts";
import { knownModelLocations } from "../../cli/context.ts";
import { type OptionsOf, withFallback } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { HOST_OPTION } from "../datanet/host-options.ts";

export const PAPER_OPTIONS = {
  ...HOST_OPTION,
  ...SERVER_OPTION,
  ...TEXT_BASE_OPTION,
  ...withFallback(STORE_OPTION, workspacePaths.rows),
};

/** Reads the recipe from the model's server, where one is named or known; papers say that it is not known otherwise. */
export async function paperParameters(
  modelId: number,
  { base, host, rows, server }: OptionsOf<typeof PAPER_OPTIONS>,
  output: Output,
): Promise<WriteModelPapersParameters> {
  const serverUrl = server ?? knownModelLocations()[String(modelId)];
  const onProgress = (step: string) => output.progress(step);
  const published =
    serverUrl === undefined
      ? undefined
      : await fetchAnswering(serverUrl, await modelFamilies({ base, serverUrl }), {
          onProgress: (file) => onProgress(`fetching ${file}`),
        });
  return {
    modelId,
    hostUrlOf: () => host,
    store: await openRowStore(rows),
    onProgress,
    ...(published === undefined ? {} : { published }),
  };
}
