/** Hook of pages that name withdrawn rows of a Datanet's versions: the model's page and the versions tab. */
import type { ListWithdrawnOfVersionsReturnType } from "@openledger/client/datanets/withdrawn-of-versions";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { type Answer, useAnswer } from "../ledger/use-answer.ts";
import { placeOf } from "./hosts.ts";
import { readVisitor } from "./keys/visitor.ts";

interface Target {
  readonly datanetId: number;
  readonly versions: readonly number[];
}

/** Withdrawn rows of versions, by the first host that has the Datanet; null where none is set up. */
export function useWithdrawn(
  { live, site }: { readonly live: Live; readonly site: Site },
  { datanetId, versions }: Target,
): Answer<ListWithdrawnOfVersionsReturnType | null> {
  const reader = readVisitor(site, live)?.reader ?? null;
  return useAnswer(live, `withdrawn ${datanetId} ${versions.join()} ${reader !== null}`, async () => {
    if (reader === null || site.datanetHosts.length === 0) return null;
    // Fetched when somebody looks: other pages need no signatures.
    const { listWithdrawnOfVersions } = await import("@openledger/client/datanets/withdrawn-of-versions");
    const { place } = await placeOf(site, reader, datanetId);
    return listWithdrawnOfVersions(reader, { ...place, versions });
  });
}
