/**
 * Suggestions of the pages' search field (search.tsx): what a word, a number, an address or a piece of a hash may stand for,
 * best first. Every request is bounded.
 */
import { findRows } from "@openledger/client/datanets/browse-rows";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { findHashes, findLeaves, getQueueEntry } from "@openledger/client/sequencer/ledger-reads";
import type { FoundHash } from "@openledger/client/sequencer/sequencer-schemas";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Hex, parseEventLogs, TransactionReceiptNotFoundError } from "viem";
import { findEverywhere } from "../hosts/hosts.ts";
import { findChosenNames } from "../hosts/name-leaves.ts";
import { datanetHref } from "../hosts/tab-props.ts";
import { ensAddressOf } from "../ledger/ens.ts";
import { l1Node } from "../ledger/l1-node.ts";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { showCount, showTotal } from "../words/format.ts";
import { leafNames } from "../words/leaf-names.ts";
import { batchHref, leafHref, operationHref, queueHref, settlementHref } from "../words/links.tsx";
import { KIND_NAMES } from "./leaf-kinds.ts";
import { type Query, readQuery } from "./read-query.ts";

export interface Suggestion {
  readonly href: string;
  readonly label: string;
  readonly note: string;
  /** Seed of its picture; absent if it has none. */
  readonly picture?: string;
}

export interface Suggested {
  readonly suggestions: readonly Suggestion[];
  /** Text to write instead, if this is too short; null if it is not. */
  readonly hint: string | null;
}

/** Sources of a search. `reader` is null until the ledger is known, and no host is asked then. */
export interface SearchAccess {
  readonly site: Site;
  readonly live: Pick<Live, "batches" | "info" | "status">;
  readonly reader: HostAccess | null;
}

/** Suggestions that are shown. */
const MAX_SHOWN = 10;
/** Suggestions by names, and as many by descriptions of Datanets. */
const MAX_OF_A_SORT = 5;
/** Datanets whose rows are searched. */
const MAX_DATANETS = 3;
/** Minimum characters of words that are searched for in rows: shorter ones match nearly everything. */
const MIN_LETTERS = 3;

/** @throws CLI_UNREACHABLE and its like, if the sequencer does not answer; hosts that do not are left out */
export async function suggest(access: SearchAccess, text: string): Promise<Suggested> {
  const query = readQuery(text);
  const found = await Promise.all([
    byWords(access, query),
    byNumber(access, query),
    byAddress(access, query),
    byHash(access, query),
  ]);
  return { suggestions: found.flat().slice(0, MAX_SHOWN), hint: query.hint };
}

async function byWords({ reader, site }: SearchAccess, { words }: Query): Promise<Suggestion[]> {
  if (words === "") return [];
  const isQuestion = reader !== null && site.datanetHosts.length > 0;
  const [directory] = isQuestion
    ? await Promise.all([
        findEverywhere(site, reader, { text: words }),
        findChosenNames(site, reader, { text: words, limit: MAX_OF_A_SORT }),
      ])
    : [];
  const named = byName(words);
  const described = (directory?.datanets ?? [])
    .map(({ facts: { description, id, name } }) => ({
      href: datanetHref(id),
      label: name,
      picture: `leaf ${id}`,
      note: `Datanet ${id}: ${description.slice(0, 60)}${description.length > 60 ? "…" : ""}`,
    }))
    .filter(({ href }) => !named.some((one) => one.href === href));
  return [
    ...named.slice(0, MAX_OF_A_SORT),
    ...described.slice(0, MAX_OF_A_SORT),
    ...(isQuestion ? await byRows(site, reader, words) : []),
  ];
}

/** Words in any order; a name that begins so comes first. */
function byName(target: string): Suggestion[] {
  const words = target.toLowerCase().split(/\s+/);
  const matches = [...leafNames.value].filter(([, { name, kind }]) => {
    const about = `${name} ${kind}`.toLowerCase();
    return words.every((word) => about.includes(word));
  });
  const begins = (name: string) => Number(!name.toLowerCase().startsWith(words[0]!));
  return matches
    .sort(([, a], [, b]) => begins(a.name) - begins(b.name))
    .map(([id, { href, kind, name }]) => ({
      href,
      label: name,
      note: `${kind} ${id}`,
      picture: `leaf ${id}`,
    }));
}

/** Counts the rows with the words in the site's first public Datanets. The Datanet's tab of rows lists them. */
async function byRows(site: Site, reader: HostAccess, words: string): Promise<Suggestion[]> {
  if (words.length < MIN_LETTERS) return [];
  const { datanets } = await findEverywhere(site, reader, {});
  const open = datanets.filter(({ facts }) => facts.access.kind === "public").slice(0, MAX_DATANETS);
  const text = `${words}*`;
  const answers = await Promise.allSettled(
    open.map(async ({ facts: { id, name }, hostUrls: [hostUrl] }) => {
      const found = await findRows(reader, { hostUrl: hostUrl!, datanetId: id, text, limit: 1 });
      const href = `${datanetHref(id)}/rows?q=${encodeURIComponent(text)}`;
      const label = `${showTotal(found)} with “${words}”`;
      return { total: found.total, href, label, note: `in ${name}`, picture: `leaf ${id}` };
    }),
  );
  return answers.flatMap((answer) => {
    if (answer.status === "rejected" || answer.value.total === 0) return [];
    const { total: _, ...suggestion } = answer.value;
    return [suggestion];
  });
}

/** An account, Datanet or model, a batch, and an entry of Ethereum's queue may have the same number. */
async function byNumber({ live, site }: SearchAccess, { numbered }: Query): Promise<Suggestion[]> {
  if (numbered === null) return [];
  const { number, of } = numbered;
  // Nothing is requested that is not there: a 404 shows in the console.
  const isEntry = number < (live.status.value?.queue.seenIndex ?? 0);
  const isTarget = (what: typeof of) => of === null || of === what;
  const [leaves, entry] = await Promise.all([
    isTarget("leaf") ? findLeaves(site.sequencer, { ids: [number] }) : [],
    isTarget("queue") && isEntry ? getQueueEntry(site.sequencer, number) : null,
  ]);
  const newest = live.batches.value[0]?.number ?? 0;
  const isBatch = isTarget("batch") && number >= 1 && number <= newest;
  return [
    ...leaves.map(({ id, kind }) => {
      const { name = "", href = leafHref(id) } = leafNames.value.get(id) ?? {};
      return { href, label: `${KIND_NAMES[kind]} ${id}`, note: name, picture: `leaf ${id}` };
    }),
    ...(isBatch ? [{ href: batchHref(number), label: `Batch ${showCount(number)}`, note: "" }] : []),
    ...(entry === null
      ? []
      : [{ href: queueHref(number), label: `Queue entry ${showCount(number)}`, note: "from Ethereum" }]),
  ];
}

async function byAddress({ live, site }: SearchAccess, { address, ensName }: Query): Promise<Suggestion[]> {
  const node = ensName === null ? null : l1Node(site);
  const chainId = live.info.value?.chainId;
  const named = node === null || chainId === undefined ? null : await ensAddressOf(node, chainId, ensName!);
  const found = address ?? named;
  if (found === null) return [];
  const label = ensName ?? found;
  return [{ href: `#/address/${found}`, label, note: "Ethereum address", picture: found.toLowerCase() }];
}

async function byHash({ live, site }: SearchAccess, { hash }: Query): Promise<Suggestion[]> {
  if (hash === null) return [];
  const { end, isWhole, start } = hash;
  const found = (await findHashes(site.sequencer, { start, end })).map(ofHash);
  if (!isWhole || found.length > 0) return found;
  return byTransaction(site, live.info.value?.rollupAddress, start as Hex);
}

function ofHash(found: FoundHash): Suggestion {
  const short = `${found.hash.slice(0, 6)}…${found.hash.slice(-4)}`;
  switch (found.what) {
    case "operation":
      return { href: operationHref(found.hash), label: `Operation ${short}`, note: "of the ledger" };
    case "batch": {
      const { batchNumber } = found;
      const label = `Batch ${showCount(batchNumber)}`;
      return { href: batchHref(batchNumber), label, note: `on Ethereum by the hash ${short}` };
    }
    case "queueEntry": {
      const { queueIndex } = found;
      const label = `Queue entry ${showCount(queueIndex)}`;
      return { href: queueHref(queueIndex), label, note: `from Ethereum transaction ${short}` };
    }
    case "settlement": {
      const { epoch, modelId } = found;
      const what = epoch === 0 ? "activation" : `settlement of epoch ${epoch}`;
      return { href: settlementHref(modelId, epoch), label: `Model ${modelId}, ${what}`, note: short };
    }
    default:
      return found satisfies never;
  }
}

/** Finds how a transaction on Ethereum concerns the rollup: one older than the server's index, or a payout. */
async function byTransaction(
  site: Site,
  rollupAddress: string | undefined,
  hash: Hex,
): Promise<Suggestion[]> {
  const node = l1Node(site);
  if (node === null || rollupAddress === undefined) return [];
  try {
    const { logs } = await node.getTransactionReceipt({ hash });
    const own = logs.filter(({ address }) => address.toLowerCase() === rollupAddress.toLowerCase());
    return parseEventLogs({ abi: rollupAbi, logs: own }).flatMap((log): Suggestion[] => {
      const note = "on Ethereum";
      if (log.eventName === "QueueEntryAdded")
        return [{ href: queueHref(Number(log.args.index)), label: `Queue entry ${log.args.index}`, note }];
      if (log.eventName === "BatchAccepted")
        return [
          { href: batchHref(Number(log.args.batchNumber)), label: `Batch ${log.args.batchNumber}`, note },
        ];
      if (log.eventName === "WithdrawalFinalized") {
        const { recipient } = log.args;
        const picture = recipient.toLowerCase();
        return [
          { href: `#/address/${recipient}`, label: recipient, note: "finalized a withdrawal", picture },
        ];
      }
      return [];
    });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return [];
    throw error;
  }
}
