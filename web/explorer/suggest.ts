/** What a word, a number, an address or a piece of a hash may stand for, best first. */
import { getLeaf, listBatches, listOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { getAddress, type Hex, isAddress, parseEventLogs, TransactionReceiptNotFoundError } from "viem";
import { holdings, mainAccount } from "../ledger/holdings.ts";
import { l1Node } from "../ledger/l1-node.ts";
import type { Live } from "../ledger/live.ts";
import type { Site } from "../ledger/site.ts";
import { showCount } from "../words/format.ts";
import { leafNames } from "../words/leaf-names.ts";
import { batchHref, leafHref, operationHref, queueHref } from "../words/links.tsx";

export interface Suggestion {
  readonly href: string;
  readonly label: string;
  readonly note: string;
}

const MOST_SHOWN = 8;
/** As many as one request lists: a piece of a hash is looked for among them. */
const BATCHES_SEARCHED = 100;
const OPERATIONS_SEARCHED = 200;
const FULL_HASH = /^0x[0-9a-f]{64}$/;
/** The beginning of a hash, and its end where it is written as pages shorten it. */
const PIECE = /^(0x[0-9a-f]{2,64})(?:(?:…|\.{2,3})([0-9a-f]{1,64}))?$/;

/** @throws CLI_UNREACHABLE and its like */
export async function suggest(site: Site, live: Live, text: string): Promise<readonly Suggestion[]> {
  const wanted = text.trim();
  if (wanted === "") return [];
  const found = [
    ...byName(wanted),
    ...(await byNumber(site, live, wanted)),
    ...byAddress(wanted),
    ...(await byHash(site, wanted.toLowerCase())),
  ];
  return found.slice(0, MOST_SHOWN);
}

/** Words in any order; a name that begins so comes first. */
function byName(wanted: string): Suggestion[] {
  const words = wanted.toLowerCase().split(/\s+/);
  const matches = [...leafNames.value].filter(([, { name, kind }]) => {
    const about = `${name} ${kind}`.toLowerCase();
    return words.every((word) => about.includes(word));
  });
  const begins = (name: string) => Number(!name.toLowerCase().startsWith(words[0]!));
  return matches
    .sort(([, a], [, b]) => begins(a.name) - begins(b.name))
    .map(([id, { href, kind, name }]) => ({ href, label: name, note: `${kind} ${id}` }));
}

async function byNumber(site: Site, live: Live, wanted: string): Promise<Suggestion[]> {
  const [, word, digits] = /^(batch|account|leaf|model|datanet)?\s*#?\s*(\d{1,8})$/i.exec(wanted) ?? [];
  if (digits === undefined) return [];
  const number = Number(digits);
  const found: Suggestion[] = [];
  if (word?.toLowerCase() !== "batch") {
    try {
      const { id, kind } = await getLeaf(site.sequencer, number);
      const { name = "", href = leafHref(id) } = leafNames.value.get(id) ?? {};
      const label = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${id}`;
      found.push({ href, label, note: name });
    } catch (error) {
      if (!isRollupError(error, "CLI_LEAF_NOT_FOUND")) throw error;
    }
  }
  const newest = live.batches.value[0]?.number ?? 0;
  if ((word === undefined || word.toLowerCase() === "batch") && number >= 1 && number <= newest)
    found.push({ href: batchHref(number), label: `Batch ${showCount(number)}`, note: "" });
  return found;
}

function byAddress(wanted: string): Suggestion[] {
  if (!isAddress(wanted, { strict: false })) return [];
  return [{ href: `#/address/${getAddress(wanted)}`, label: wanted, note: "Ethereum address" }];
}

async function byHash(site: Site, wanted: string): Promise<Suggestion[]> {
  const [, start, end = ""] = PIECE.exec(wanted) ?? [];
  if (start === undefined || isAddress(wanted, { strict: false })) return [];
  const fits = (hash: string | null | undefined) =>
    hash?.toLowerCase().startsWith(start) === true && hash.toLowerCase().endsWith(end);
  const account = mainAccount(holdings.value);
  const [batches, own] = await Promise.all([
    listBatches(site.sequencer, BATCHES_SEARCHED),
    account === null ? [] : listOperations(site.sequencer, account.id, { limit: OPERATIONS_SEARCHED }),
  ]);
  const found = [
    ...batches.filter(({ l1TransactionHash }) => fits(l1TransactionHash)).map(postedBy),
    ...own
      .filter(({ hash }) => fits(hash))
      .map(({ hash }) => ({ href: operationHref(hash), label: hash, note: "your operation" })),
  ];
  if (found.length > 0 || !FULL_HASH.test(wanted)) return found;
  const onL1 = await byTransaction(site, wanted as Hex);
  return [...onL1, { href: operationHref(wanted), label: wanted, note: "operation of the ledger" }];
}

const postedBy = ({ l1TransactionHash, number }: LedgerBatch): Suggestion => ({
  href: batchHref(number),
  label: `Batch ${showCount(number)}`,
  note: `posted by ${l1TransactionHash!.slice(0, 6)}…${l1TransactionHash!.slice(-4)}`,
});

/** What a transaction on Ethereum has told the rollup, or the rollup has told it. */
async function byTransaction(site: Site, hash: Hex): Promise<Suggestion[]> {
  const node = l1Node(site);
  if (node === null) return [];
  try {
    const { logs } = await node.getTransactionReceipt({ hash });
    return parseEventLogs({ abi: rollupAbi, logs }).flatMap((log): Suggestion[] => {
      if (log.eventName === "QueueEntryAdded")
        return [
          {
            href: queueHref(Number(log.args.index)),
            label: `Queue entry ${log.args.index}`,
            note: "on Ethereum",
          },
        ];
      if (log.eventName === "BatchAccepted")
        return [
          {
            href: batchHref(Number(log.args.batchNumber)),
            label: `Batch ${log.args.batchNumber}`,
            note: "on Ethereum",
          },
        ];
      return [];
    });
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError) return [];
    throw error;
  }
}
