/**
 * Records that decide about a Datanet's rows, as everybody computes them: signed by their leaves (sound-records.ts), whom a card of the
 * Datanet names for what they say. Publishing, labels, reports and papers read them.
 */
import type { Card } from "@openledger/datanets/card/card";
import { isNamedFor } from "@openledger/datanets/records/record-roles";
import type { RecordState } from "@openledger/datanets/records/record-state";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readHistory } from "../actions/data/list-commits.ts";
import { cardByHash } from "./datanet-card.ts";
import type { HostAccess, HostedDatanetPlace } from "./host-request.ts";
import { readRecords } from "./signed-records.ts";
import { type HostRecords, recordStateOf, type SoundRecord } from "./sound-records.ts";

/** Maximum earlier cards that are looked at, the newest. */
const MAX_CARDS = 32;

export interface CountedRecords extends HostRecords {
  /** State that follows from the records. */
  readonly recordState: RecordState;
}

/**
 * Reads the records that count. One of a leaf that the present card does not name counts if an earlier one does: its key on the ledger
 * has named the leaf, and no host has.
 * @param rules.card whose rules hold
 * @param rules.contributors contributor of each row, by digest: they label their own
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @internal
 */
export async function readCountedRecords(
  client: HostAccess,
  place: HostedDatanetPlace,
  { card, contributors }: { card: Card; contributors: ReadonlyMap<string, number> },
): Promise<CountedRecords> {
  const { dropped, records } = await readRecords(client, place);
  const isNamed = (by: Card, { body }: SoundRecord) =>
    isNamedFor(by, body, "row" in body ? (contributors.get(body.row) ?? null) : null);
  const doubtful = new Set(records.filter((record) => !isNamed(card, record)));
  if (doubtful.size > 0)
    for (const earlier of await earlierCards(client, place))
      for (const record of doubtful) if (isNamed(earlier, record)) doubtful.delete(record);
  const counted = records.filter((record) => !doubtful.has(record));
  return {
    records: counted,
    dropped: [...dropped, ...[...doubtful].map((record) => ({ record, why: "not-named" as const }))],
    recordState: recordStateOf(client.domain, counted),
  };
}

/** Cards of the ledger's versions that the host has, the newest first. Where the sequencer has pruned the versions, none is known. */
async function earlierCards(client: HostAccess, place: HostedDatanetPlace): Promise<Card[]> {
  const { versions } = await readHistory(client, place.datanetId).catch((error: unknown) => {
    if (isRollupError(error, "SEQ_HISTORY_PRUNED") || isRollupError(error, "CLI_COMMITS_INCOMPLETE"))
      return { versions: [] };
    throw error;
  });
  const policies = [...new Set(versions.map(({ policy }) => policy).reverse())].filter((one) => one !== 0n);
  const cards: Card[] = [];
  for (const policy of policies.slice(0, MAX_CARDS)) {
    const card = await cardByHash(client, place, policy);
    if (card !== null) cards.push(card);
  }
  return cards;
}
