/**
 * Recomputations of a model, from every host of the site. Each record is checked here against its leaf's key on the ledger. The
 * pages of Ask, models and Datanets show them.
 */
import type { HostAccess } from "@openledger/client/datanets/host-request";
import type { ListVerifiedReturnType, Verification } from "@openledger/client/datanets/verified-records";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { type Answer, useAnswer } from "../ledger/use-answer.ts";
import { readVisitor } from "./keys/visitor.ts";

export type { Verification } from "@openledger/client/datanets/verified-records";

const NONE: ListVerifiedReturnType = { verifications: [], dropped: [] };

interface Recomputed {
  readonly modelId: number;
  readonly datanetIds: readonly number[];
}

/** Records of one model, of each leaf the last about the model and about each settlement: differences first. */
export function useRecomputations(
  { live, site }: { readonly live: Live; readonly site: Site },
  model: Recomputed,
): Answer<ListVerifiedReturnType> {
  const reader = readVisitor(site, live)?.reader ?? null;
  const about = `recomputations ${model.modelId} ${model.datanetIds.join(",")} ${reader !== null}`;
  return useAnswer(live, about, () =>
    reader === null ? Promise.resolve(NONE) : readRecomputations(site, reader, model),
  );
}

/** Asks every host of the site. Fetched when a model is shown: other pages need no signatures. */
async function readRecomputations(
  { datanetHosts: hostUrls }: Pick<Site, "datanetHosts">,
  reader: HostAccess,
  model: Recomputed,
): Promise<ListVerifiedReturnType> {
  if (hostUrls.length === 0) return NONE;
  const { findVerified } = await import("@openledger/client/datanets/verified-records");
  return findVerified(reader, { hostUrls, ...model });
}

export const differing = (found: readonly Verification[]): Verification[] =>
  found.filter(({ difference }) => difference !== null);
