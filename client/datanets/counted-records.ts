/**
 * Records that decide about a Datanet's rows, as everybody computes them: signed by their leaves (sound-records.ts), whom a card of the
 * Datanet names for what they say. Publishing, labels, reports and papers read them.
 */
import type { Card } from "@openledger/datanets/card/card";
import type { SignedRecord } from "@openledger/datanets/records/record";
import { isNamedFor, isOfTeam as isOfCardsTeam } from "@openledger/datanets/records/record-roles";
import type { RecordState } from "@openledger/datanets/records/record-state";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readHistory } from "../actions/data/list-commits.ts";
import { cardByHash } from "./datanet-card.ts";
import type { HostAccess, HostedDatanetLocation } from "./host-request.ts";
import { readRecords } from "./signed-records.ts";
import { type DroppedRecord, type HostRecords, recordStateOf } from "./sound-records.ts";

/** Maximum earlier cards that are looked at, the newest. */
const MAX_CARDS = 32;

/** A dropped record, with whether its leaf is one of the Datanet's own people. */
export interface UncountedRecord extends DroppedRecord {
  /** The leaf is the Datanet, or a card of it names the leaf by its number. False for whoever labels where anyone may, and contributors. */
  readonly isOfTeam: boolean;
}
export interface CountedRecords extends HostRecords {
  readonly dropped: readonly UncountedRecord[];
  /** State that follows from the records. */
  readonly recordState: RecordState;
}

/**
 * Reads the records that count. One of a leaf that the present card does not name counts if an earlier one does: its key on the ledger
 * has named the leaf, and no host has. A record whose leaf no card names is dropped as such, whatever key has signed it.
 * @param rules.card whose rules hold
 * @param rules.contributors contributor of each row, by digest: they label their own
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @internal
 */
export async function readCountedRecords(
  client: HostAccess,
  location: HostedDatanetLocation,
  { card, contributors }: { card: Card; contributors: ReadonlyMap<string, number> },
): Promise<CountedRecords> {
  const { dropped, records } = await readRecords(client, location);
  const cards = [card];
  const isNamed = ({ body }: SignedRecord) =>
    cards.some((by) => isNamedFor(by, body, "row" in body ? (contributors.get(body.row) ?? null) : null));
  const isOfTeam = ({ body: { leafId } }: SignedRecord) =>
    leafId === location.datanetId || cards.some((by) => isOfCardsTeam(by, leafId));
  const isDoubtful = records.some((record) => !isNamed(record));
  if (isDoubtful || dropped.some(({ record }) => !isOfTeam(record)))
    cards.push(...(await earlierCards(client, location)));
  const counted = records.filter(isNamed);
  const unnamed = records.filter((record) => !isNamed(record));
  return {
    records: counted,
    dropped: [
      ...dropped.map(({ record, why }) => ({
        record,
        why: isNamed(record) ? why : ("not-named" as const),
        isOfTeam: isOfTeam(record),
      })),
      ...unnamed.map((record) => ({ record, why: "not-named" as const, isOfTeam: isOfTeam(record) })),
    ],
    recordState: recordStateOf(client.domain, counted),
  };
}

/** Cards of the ledger's versions that the host has, the newest first. Where the sequencer has pruned the versions, none is known. */
async function earlierCards(client: HostAccess, location: HostedDatanetLocation): Promise<Card[]> {
  const { versions } = await readHistory(client, location.datanetId).catch((error: unknown) => {
    if (isRollupError(error, "SEQ_HISTORY_PRUNED") || isRollupError(error, "CLI_COMMITS_INCOMPLETE"))
      return { versions: [] };
    throw error;
  });
  const policies = [...new Set(versions.map(({ policy }) => policy).reverse())].filter((one) => one !== 0n);
  const cards: Card[] = [];
  for (const policy of policies.slice(0, MAX_CARDS)) {
    const card = await cardByHash(client, location, policy);
    if (card !== null) cards.push(card);
  }
  return cards;
}
