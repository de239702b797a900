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

/** Hosts keep up to a thousand leaves' records a model. */
const MAX_SHOWN = 50;

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

/** Reads every host: some have what others lack. A host that answers with what nobody has signed counts as silent. */
async function readRecomputations(
  { datanetHosts }: Pick<Site, "datanetHosts">,
  reader: HostAccess,
  { datanetIds, modelId }: Recomputed,
): Promise<ListVerifiedReturnType> {
  if (datanetHosts.length === 0) return NONE;
  // Fetched when a model is looked at: other pages need no signatures.
  const { listVerified } = await import("@openledger/client/datanets/verified-records");
  const asked = datanetIds.flatMap((datanetId) =>
    datanetHosts.map((hostUrl) => listVerified(reader, { hostUrl, datanetId, modelId, limit: MAX_SHOWN })),
  );
  const answers = await Promise.allSettled(asked);
  const last = new Map<string, Verification>();
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  for (const one of found.flatMap(({ verifications }) => verifications)) {
    const name = `${one.leafId}/${one.epoch ?? ""}`;
    if (one.atMs > (last.get(name)?.atMs ?? -1)) last.set(name, one);
  }
  const rank = ({ difference }: Verification) => (difference === null ? 1 : 0);
  return {
    verifications: [...last.values()].sort((a, b) => rank(a) - rank(b) || b.atMs - a.atMs),
    dropped: found.flatMap(({ dropped }) => dropped),
  };
}

/** The records about the model itself that found the same bytes. */
export const sameBytes = (found: readonly Verification[]): Verification[] =>
  found.filter(({ difference, epoch }) => difference === null && epoch === null);

export const differing = (found: readonly Verification[]): Verification[] =>
  found.filter(({ difference }) => difference !== null);
