/** List of all adapters of the site's answer servers, free and registered ones, for the adapters' page. */
import { type ListedAdapter, listAdapters } from "@openledger/client/actions/answers/completion-stream";
import type { Site } from "../ledger/site.ts";
import { type Problem, problemOf } from "../words/problem.tsx";
import { findAdapter, type ServedModel } from "./served-models.ts";

export interface Adapter {
  /** Place of its server in the site's list. */
  readonly server: number;
  readonly serverUrl: string;
  readonly name: string;
  readonly isBase: boolean;
  /** The registered model, whose answers are paid; null if answers are free. */
  readonly registered: {
    readonly modelId: number;
    readonly datanetId: number;
    readonly version: number;
  } | null;
}

export interface Adapters {
  readonly adapters: readonly Adapter[];
  /** Errors of the servers that did not answer. */
  readonly problems: readonly Problem[];
}

/** Finds everything that can be asked: free of charge, or registered. */
export async function findAdapters({ answerServers, sequencer }: Site): Promise<Adapters> {
  const found = await Promise.allSettled(
    answerServers.map((serverUrl) => listAdapters(sequencer, serverUrl)),
  );
  return {
    adapters: inOrder(
      found.flatMap((one, server) =>
        one.status === "rejected"
          ? []
          : one.value.flatMap((listed) => adaptersOf(listed, server, answerServers[server]!)),
      ),
    ),
    problems: found.flatMap((one) => (one.status === "rejected" ? [problemOf(one.reason)] : [])),
  };
}

/** Sorts by server, the base first, then by name. Numbers in names count as numbers. */
const inOrder = (adapters: readonly Adapter[]): Adapter[] =>
  adapters.toSorted(
    (a, b) =>
      a.server - b.server ||
      Number(b.isBase) - Number(a.isBase) ||
      a.name.localeCompare(b.name, "en", { numeric: true }),
  );

function adaptersOf(
  { id: name, openledger, parent }: ListedAdapter,
  server: number,
  serverUrl: string,
): Adapter[] {
  const adapter = { server, serverUrl, name, isBase: parent === null };
  if (openledger.charging === "free") return [{ ...adapter, registered: null }];
  const { datanetId, modelId, version } = openledger;
  // If answers cost something, an unregistered adapter is not sold.
  if (datanetId === undefined || modelId === undefined || version === undefined) return [];
  return [{ ...adapter, registered: { modelId, datanetId, version } }];
}

/** Finds an answer server that has this model; null if none has. */
export async function findRegistered(site: Site, modelId: number): Promise<ServedModel | null> {
  const { adapters } = await findAdapters(site);
  const adapter = adapters.find(({ registered }) => registered?.modelId === modelId);
  return adapter === undefined ? null : findAdapter(site, adapter.serverUrl, modelId);
}

export const adapterHref = ({ name, server }: Adapter) => `#/adapters/${server}/${encodeURIComponent(name)}`;

/** Searches by words in any order: parts of the name, or "datanet 12" for a Datanet that the adapter was made of. */
export function searchAdapters(adapters: readonly Adapter[], text: string): Adapter[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return adapters.filter((adapter) => {
    const about = `${adapter.name} ${madeOf(adapter)}`.toLowerCase();
    return words.every((word) => about.includes(word));
  });
}

export function madeOf({ isBase, registered }: Adapter): string {
  if (registered !== null) return `Datanet ${registered.datanetId}, version ${registered.version}`;
  return isBase ? "the base itself" : "not registered";
}
