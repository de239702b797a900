/** Directory of the Datanets at all hosts of the site, and the host that serves one. Hosts that do not answer are left out. */
import { clientError } from "@openledger/client/client-errors";
import {
  type FindDatanetsParameters,
  findDatanets,
  getHostedDatanet,
} from "@openledger/client/datanets/datanet-card";
import type { HostAccess, HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import type { DatanetDirectory, HostedDatanetFacts } from "@openledger/client/datanets/host-schemas";
import type { Site } from "../ledger/site.ts";
import { type Problem, problemOf } from "../words/problem.tsx";

export interface ListedDatanet {
  /** Every host that has the Datanet: the first one is asked. */
  readonly hostUrls: readonly string[];
  readonly facts: DatanetDirectory["datanets"][number];
}

interface Directory {
  readonly datanets: readonly ListedDatanet[];
  /** Errors of the hosts that did not answer. */
  readonly problems: readonly Problem[];
}

type Filter = Omit<FindDatanetsParameters, "hostUrl">;

/** Asks every host that the site names. A Datanet that several have is there once. */
export async function findEverywhere(site: Site, reader: HostAccess, filter: Filter): Promise<Directory> {
  const answers = await Promise.allSettled(
    site.datanetHosts.map((hostUrl) => findDatanets(reader, { hostUrl, ...filter })),
  );
  const found = new Map<number, ListedDatanet>();
  const problems: Problem[] = [];
  for (const [i, answer] of answers.entries()) {
    const hostUrl = site.datanetHosts[i]!;
    if (answer.status === "rejected") {
      problems.push(problemOf(answer.reason));
      continue;
    }
    for (const facts of answer.value.datanets) {
      const known = found.get(facts.id);
      found.set(facts.id, {
        hostUrls: [...(known?.hostUrls ?? []), hostUrl],
        facts: known?.facts ?? facts,
      });
    }
  }
  return { datanets: [...found.values()].sort((a, b) => a.facts.id - b.facts.id), problems };
}

interface LocatedDatanet {
  readonly place: HostedDatanetLocation;
  readonly facts: HostedDatanetFacts;
}

/** The first host that has the Datanet. @throws what the last one answered if none has it */
export async function placeOf(site: Site, reader: HostAccess, datanetId: number): Promise<LocatedDatanet> {
  let failure: unknown = clientError("CLI_NOT_CONFIGURED", "no Datanet host is set up for these pages");
  for (const hostUrl of site.datanetHosts) {
    const place = { hostUrl, datanetId };
    try {
      return { place, facts: await getHostedDatanet(reader, place) };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
