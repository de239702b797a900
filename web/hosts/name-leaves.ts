/**
 * Names of leaves from the hosts, for all links of the pages: of Datanets by their cards, of others as they have chosen; a model
 * without a name has its Datanet's.
 */
import { findDisplayNames, setDisplayName } from "@openledger/client/datanets/display-names";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { Site } from "../ledger/site.ts";
import { type LeafName, nameLeaves } from "../words/leaf-names.ts";
import { leafHref } from "../words/links.tsx";
import { findEverywhere } from "./hosts.ts";
import { datanetHref } from "./tab-props.ts";

/** Datanets whose models are looked for; the others' are called by their numbers. */
const MAX_ASKED = 20;

/** Asks all hosts of the site for names. A leaf that cannot be looked up has no name yet. */
export async function nameHostedLeaves(site: Site, reader: HostAccess): Promise<void> {
  const { datanets } = await findEverywhere(site, reader, {});
  const named: [number, LeafName][] = datanets.map(({ facts: { id, name } }) => [
    id,
    { name, kind: "Datanet", href: datanetHref(id) },
  ]);
  nameLeaves(named);
  // One after another: a search is charged for a thousand models until it has ended, and five at once are over the limit.
  for (const { facts } of datanets.slice(0, MAX_ASKED)) {
    const models = await findLeaves(site.sequencer, { datanetId: facts.id });
    nameLeaves(
      models.map(
        ({ id }) => [id, { name: `${facts.name} model`, kind: "Model", href: leafHref(id) }] as const,
      ),
    );
  }
}

/** Maximum names in one request to a host. */
const MAX_NAMES = 100;
const KINDS = { account: "Account", datanet: "Datanet", model: "Model" } as const;

type Filter = { readonly leafIds: readonly number[] } | { readonly text: string; readonly limit: number };

/** Names that leaves have chosen, from every host of the site; each is checked against its leaf's key. */
export async function findChosenNames(site: Site, reader: HostAccess, filter: Filter): Promise<void> {
  const answers = await Promise.allSettled(
    site.datanetHosts.map((hostUrl) => findDisplayNames(reader, { hostUrl, ...filter })),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  nameLeaves(
    found
      // A Datanet's name is in its card, of which the ledger has the hash.
      .filter(({ kind }) => kind !== "datanet")
      .map(({ kind, leafId, name }) => [
        leafId,
        { name, kind: KINDS[kind], href: leafHref(leafId), isChosen: true } as const,
      ]),
  );
}

/** The same for all these leaves, a hundred at a time. */
export async function nameShownLeaves(site: Site, reader: HostAccess, leafIds: readonly number[]) {
  for (let done = 0; done < leafIds.length; done += MAX_NAMES)
    await findChosenNames(site, reader, { leafIds: leafIds.slice(done, done + MAX_NAMES) });
}

/** Signs the name of a leaf, and brings it to every host of the site. @throws what the first host that refuses it says */
export async function chooseName(site: Site, client: LedgerClient, leafId: number, name: string) {
  for (const hostUrl of site.datanetHosts) await setDisplayName(client, { hostUrl, leafId, name });
  await nameShownLeaves(site, client, [leafId]);
}
