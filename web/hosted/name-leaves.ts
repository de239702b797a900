/** Names of leaves: Datanets have them in their cards, and a model is called after the Datanet that it has learnt from. */
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { Site } from "../ledger/site.ts";
import { type LeafName, nameLeaves } from "../words/leaf-names.ts";
import { leafHref } from "../words/links.tsx";
import { findEverywhere } from "./hosts.ts";
import { datanetHref } from "./tab-props.ts";

/** Datanets whose models are looked for; the others' are called by their numbers. */
const MOST_ASKED = 20;

/** Asks all hosts of the site. What cannot be asked has no name yet. */
export async function nameHostedLeaves(site: Site, reader: HostAccess): Promise<void> {
  const { datanets } = await findEverywhere(site, reader, {});
  const named: [number, LeafName][] = datanets.map(({ facts: { id, name } }) => [
    id,
    { name, kind: "Datanet", href: datanetHref(id) },
  ]);
  nameLeaves(named);
  const found = await Promise.allSettled(
    datanets.slice(0, MOST_ASKED).map(async ({ facts: { id: datanetId, name } }) => {
      const models = await findLeaves(site.sequencer, { datanetId });
      nameLeaves(
        models.map(({ id }) => [id, { name: `${name} model`, kind: "Model", href: leafHref(id) }] as const),
      );
    }),
  );
  const failed = found.find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}
