/** What is published of a model's epoch: enough to settle it, and to compute its settlement again. */

import { isDirect } from "@openledger/attribution/features/direct-rows";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { modelFamilies } from "../registered/model-families.ts";
import { fetchOpenings, type Openings } from "./model-openings.ts";

export interface PublishedEpoch {
  readonly model: PublishedModel;
  readonly openings: Openings;
}

/** The model from its folder or its server, and what opens an epoch's receipts. @throws ATT_… */
export async function fetchPublished(
  { folder, serverUrl }: { readonly serverUrl: string; readonly folder?: string | undefined },
  epoch: number,
  onProgress: (text: string) => void,
): Promise<PublishedEpoch> {
  const families = await modelFamilies();
  const model =
    folder === undefined
      ? await fetchModel(serverUrl, { onProgress: (file) => onProgress(`fetching ${file}`) }, families)
      : await readModel(folder, families);
  return { model, openings: await fetchOpenings(serverUrl, epoch, isDirect(model.features)) };
}
