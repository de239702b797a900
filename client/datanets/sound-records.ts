/**
 * The one reader of records that a Datanet's host shows: each is checked as it comes, page after page, and one that its leaf's key on
 * the ledger has not signed is dropped, counted and named. A test holds all other files to it (scripts/record-readers.test.ts).
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  aboutOf,
  type BodyOf,
  checkRecords,
  type RecordKind,
  recordId,
  recordSubject,
  type SignedRecord,
  signedRecordSchema,
} from "@openledger/datanets/records/record";
import { RecordState } from "@openledger/datanets/records/record-state";
import { canonicalJson } from "@openledger/datanets/terms/canonical-json";
import { counted } from "@openledger/foundation/counted";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { clientError } from "../client-errors.ts";
import { hostFalse } from "./host-false.ts";
import { askAsReader, type HostAccess, type HostedDatanetLocation } from "./host-request.ts";
import { presentKeysOf, type UnsignedWhy, WHOLE_HISTORY, whyUnsigned } from "./signing-keys.ts";

declare const sound: unique symbol;

/**
 * A record of one kind that its leaf's key has signed, by the ledger; of requests for access also one that the Datanet has answered. This
 * file alone makes one.
 * @internal
 */
export type SoundRecord<Kind extends RecordKind = RecordKind> = SignedRecord & {
  readonly body: BodyOf<Kind>;
  readonly [sound]: true;
};

/** A record that a host shows and that counts for nothing: its leaf's key, by the ledger, has not signed it. */
export interface DroppedRecord {
  readonly record: SignedRecord;
  /** not-named: signed by its leaf, whom no card of the Datanet names for what it says. */
  readonly why: UnsignedWhy | "not-named";
}

/**
 * Records of a host, apart by whether they count.
 * @internal
 */
export interface HostRecords<Kind extends RecordKind = RecordKind> {
  /** In the order in which they came to the host, which may leave some out. */
  readonly records: readonly SoundRecord<Kind>[];
  /** Without those about a subject of which their leaf has signed a record of the same time or later. */
  readonly dropped: readonly DroppedRecord[];
}

interface Listed<Kind extends RecordKind> {
  readonly datanetId: number;
  /** Name of a record of the list, in errors. */
  readonly what: string;
  /** Kind of all records of the list; absent: of any. */
  readonly kind?: Kind;
}
const recordsPageSchema = z.object({
  records: z.array(z.unknown()),
  total: z.int().min(0),
  nextFrom: z.int().min(0).nullable(),
  texts: z.array(z.string()).optional(),
});
type RecordsPage = z.output<typeof recordsPageSchema>;

/**
 * Checks the form, signature, Datanet and kind of records that a host shows. Whose key has signed is compared later.
 * @param first place of the first one in its list, for errors
 * @throws CLI_DATANET_HOST_FALSE
 */
function requireRecords(
  domain: bigint,
  values: readonly unknown[],
  { datanetId, first = 0, kind, what }: Listed<RecordKind> & { readonly first?: number },
): SignedRecord[] {
  const parsed = z.array(signedRecordSchema).safeParse(values);
  const isSound = parsed.success ? checkRecords(domain, parsed.data) : [];
  return (parsed.data ?? [null]).map((record, i) => {
    const body = record?.body;
    const isOne = body?.datanetId === datanetId && (kind === undefined || body.kind === kind);
    if (!isOne || !isSound[i]) throw hostFalse("record", `${what} ${first + i}`, { index: first + i });
    return record!;
  });
}

/** Parts records by the keys that the ledger has. Attack: a host lists what one leaf has signed as often as it likes; it counts once. */
async function partRecords<Kind extends RecordKind>(
  client: HostAccess,
  listed: readonly SignedRecord[],
): Promise<HostRecords<Kind>> {
  const byName = new Map(listed.map((record) => [`${record.keyX}/${canonicalJson(record.body)}`, record]));
  const all = [...byName.values()];
  const present = await presentKeysOf(client, all);
  const isByKey = ({ body, keyX }: SignedRecord) => present.get(body.leafId) === keyX;
  // The Datanet's answer names a request by the hash of what it says: it vouches for one whose reader has another key now.
  const answered = new Set(
    all.flatMap((record) => {
      const { body } = record;
      return body.kind === "accessAnswer" && body.leafId === body.datanetId && isByKey(record)
        ? [body.request]
        : [];
    }),
  );
  const isOfLeaf = (record: SignedRecord) =>
    isByKey(record) ||
    (record.body.kind === "accessRequest" && answered.has(recordId(client.domain, record.body)));
  const records = all.filter(isOfLeaf) as SignedRecord[] as SoundRecord<Kind>[];
  const lastAtMs = new Map<string, number>();
  for (const { body } of records) {
    const subject = recordSubject(body);
    lastAtMs.set(subject, Math.max(body.atMs, lastAtMs.get(subject) ?? -1));
  }
  const left = all.filter(
    (record) => !isOfLeaf(record) && record.body.atMs > (lastAtMs.get(recordSubject(record.body)) ?? -1),
  );
  const whys = await whyUnsigned(client, left, present);
  return { records, dropped: left.map((record, i) => ({ record, why: whys[i]! })) };
}

const RECORDS_A_PAGE = 1_000;
/** Maximum records of a list that is read, some 2 kB each. */
const MAX_RECORDS = 2 ** 21;
/** Maximum pages of a list of so many records. A page is short where records come in the same moment. */
const maxPages = (total: number) => 2 * Math.ceil(total / RECORDS_A_PAGE) + 2;
const pagePath = (datanetId: number, route: string, from: number) =>
  `/v1/datanets/${datanetId}/${route}?limit=${RECORDS_A_PAGE}&from=${from}`;

/**
 * Paths of the pages in which `readRecords` reads so many records, for who signs the requests beforehand.
 * @internal
 */
export const recordPaths = (datanetId: number, recordCount: number): string[] =>
  Array.from({ length: Math.max(1, Math.ceil(recordCount / RECORDS_A_PAGE)) }, (_, page) =>
    pagePath(datanetId, "records", page * RECORDS_A_PAGE),
  );

/**
 * Reads all records of a list.
 * @param route last part of the list's path
 * @param query further fields of the query, each behind an `&`
 * @param isLater true for a list that hosts of earlier releases do not have: it is empty there
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @internal
 */
export async function readSoundRecords<Kind extends RecordKind>(
  client: HostAccess,
  {
    hostUrl,
    isLater = false,
    query = "",
    route,
    ...listed
  }: Pick<HostedDatanetLocation, "hostUrl"> &
    Listed<Kind> & { readonly route: string; readonly query?: string; readonly isLater?: boolean },
): Promise<HostRecords<Kind>> {
  await initPoseidon();
  const all: SignedRecord[] = [];
  let pageCount = 0;
  for (let from: number | null = 0; from !== null; ) {
    const path = `${pagePath(listed.datanetId, route, from)}${query}`;
    const page: RecordsPage = await askAsReader(
      client,
      { hostUrl, datanetId: listed.datanetId },
      { path },
      recordsPageSchema,
    ).catch((error: unknown) => {
      if (isLater && isRollupError(error, "SRV_UNKNOWN_ROUTE"))
        return { records: [], total: 0, nextFrom: null };
      throw error;
    });
    const { nextFrom, records, total } = page;
    pageCount += 1;
    // Attack: a list without an end, whose pages go on by one position, or have nothing in them.
    const hasEnd = nextFrom === null || (from < nextFrom && nextFrom < total && pageCount < maxPages(total));
    if (!hasEnd || total > MAX_RECORDS || records.length > RECORDS_A_PAGE)
      throw hostFalse("record", `page ${from} of ${listed.what}s`, { index: from });
    all.push(...requireRecords(client.domain, records, { ...listed, first: all.length }));
    from = nextFrom;
  }
  return partRecords(client, all);
}

/**
 * Reads one page of a list, for callers that show the first ones.
 * @param path with its query
 * @returns its records; `texts` of a page of reports: hashes of those whose text the host has
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @internal
 */
export async function readSoundPage<Kind extends RecordKind>(
  client: HostAccess,
  {
    hostUrl,
    path,
    ...listed
  }: Pick<HostedDatanetLocation, "hostUrl"> & Required<Listed<Kind>> & { readonly path: string },
): Promise<HostRecords<Kind> & { readonly texts: readonly string[] }> {
  const page = await askAsReader(
    client,
    { hostUrl, datanetId: listed.datanetId },
    { path },
    recordsPageSchema,
  );
  await initPoseidon();
  const all = requireRecords(client.domain, page.records, listed);
  return { ...(await partRecords(client, all)), texts: page.texts ?? [] };
}

/**
 * Records that hold: of two by one leaf about one subject the later one. Attack: a host shows what a leaf has said before, too.
 * @internal
 */
export function latestRecords<Kind extends RecordKind>(
  records: readonly SoundRecord<Kind>[],
): readonly SoundRecord<Kind>[] {
  const latest = new Map<string, SoundRecord<Kind>>();
  for (const record of records) {
    const subject = recordSubject(record.body);
    const held = latest.get(subject);
    if (held === undefined || held.body.atMs < record.body.atMs) latest.set(subject, record);
  }
  return records.filter((record) => latest.get(recordSubject(record.body)) === record);
}

/** Kinds of records that decide which rows and labels a version has. */
const DECIDING: ReadonlySet<RecordKind> = new Set(["label", "settle", "leaveOut", "verdict", "withdrawal"]);
/** Maximum records that an error names. */
const MAX_NAMED = 20;

/** A dropped record, with whether the Datanet's owner has named its leaf (counted-records.ts). */
interface JudgedRecord extends DroppedRecord {
  readonly isOfTeam: boolean;
}

/**
 * True for a dropped record that stops who publishes, trains or signs: it would decide about rows or labels, and
 * - nobody has signed it. An honest host takes a record only by the key that the ledger has then, so this accuses the host, or somebody
 *   between, and no stranger can bring it about at an honest host; or
 * - it is of somebody whom the owner has named, by a key that was replaced, or one that is not known. They can sign again, and without
 *   their word rows of the present version would go.
 *
 * The others are facts that a stranger can bring about alone: a new key of whoever labels where anyone may, or of a contributor, also
 * once the sequencer has pruned the change, and a leaf that no card names. They are counted and shown, and stop nobody.
 */
const isStopping = ({ isOfTeam, record, why }: JudgedRecord) =>
  DECIDING.has(record.body.kind) && (why === "foreign" || (why !== "not-named" && isOfTeam));

/**
 * Returns true if no record was dropped that would stop `requireAllSigned`: what follows from the others may be stored.
 * @internal
 */
export const areAllSigned = (dropped: readonly JudgedRecord[]): boolean => !dropped.some(isStopping);

/**
 * Passes if no dropped record stops; `withoutUnsigned` passes always. Whoever publishes, trains or signs by a host's records calls it,
 * and shows what was dropped.
 * @returns the dropped records, with reasons by the whole histories of their leaves' keys
 * @throws CLI_RECORDS_UNSIGNED
 * @internal
 */
export async function requireAllSigned<Dropped extends JudgedRecord>(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
  dropped: readonly Dropped[],
  withoutUnsigned = false,
): Promise<readonly Dropped[]> {
  if (withoutUnsigned) return dropped;
  const known = await explainWhole(client, dropped);
  const stopping = known.filter(isStopping);
  if (stopping.length === 0) return known;
  const records = stopping.slice(0, MAX_NAMED).map(({ record: { body }, why }) => ({
    kind: body.kind,
    leafId: body.leafId,
    about: aboutOf(body),
    why,
  }));
  const named = records
    .slice(0, 3)
    .map(({ about, kind, leafId, why }) => `${kind} of leaf ${leafId} on ${about}, ${WORDS[why]}`);
  throw clientError(
    "CLI_RECORDS_UNSIGNED",
    `${hostUrl} shows ${counted(stopping.length, "record")} of Datanet ${datanetId} that count for nothing: ${named.join("; ")}${stopping.length > named.length ? "; …" : ""}`,
    { data: { hostUrl, datanetId, count: stopping.length, records } },
  );
}

/** Looks up the reasons that a short look has left open. */
async function explainWhole<Dropped extends JudgedRecord>(
  client: HostAccess,
  dropped: readonly Dropped[],
): Promise<readonly Dropped[]> {
  const open = dropped.filter(({ record, why }) => why === "unknown" && DECIDING.has(record.body.kind));
  if (open.length === 0) return dropped;
  const records = open.map(({ record }) => record);
  const whys = await whyUnsigned(client, records, await presentKeysOf(client, records), WHOLE_HISTORY);
  const found = new Map(open.map((one, i) => [one, { ...one, why: whys[i]! }]));
  return dropped.map((one) => found.get(one) ?? one);
}

/**
 * Says how many records were dropped, for those who read; empty for none.
 * @example
 * ```ts
 * const { dropped } = await readRecords(client, { hostUrl, datanetId: 10 });
 * for (const line of droppedLines(dropped)) console.log(line);
 * ```
 */
export function droppedLines(dropped: readonly DroppedRecord[]): string[] {
  if (dropped.length === 0) return [];
  const groups = new Map<string, number>();
  for (const { record, why } of dropped) {
    const name = `${record.body.kind} of leaf ${record.body.leafId}, ${WORDS[why]}`;
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  const all = [...groups].sort(([, a], [, b]) => b - a);
  return [
    `${counted(dropped.length, "record was", "records were")} not signed by ${dropped.length === 1 ? "its leaf's key" : "their leaves' keys"}; left out:`,
    ...all.slice(0, MAX_NAMED).map(([name, count]) => `  ${count} ${name}`),
    ...(all.length > MAX_NAMED ? [`  and ${all.length - MAX_NAMED} more kinds and leaves`] : []),
  ];
}

const WORDS: Readonly<Record<DroppedRecord["why"], string>> = {
  foreign: "by a key that it never had",
  former: "by a key that was replaced: it has to sign again",
  "not-named": "whom no card of the Datanet names for it",
  unknown: "by a key that is not known",
};

/**
 * Folds sound records into the state that follows from them.
 * @param refusals refusals of access by other keys, behind the records
 * @internal
 */
export function recordStateOf(
  domain: bigint,
  records: readonly SoundRecord[],
  refusals: readonly BodyOf<"accessAnswer">[] = [],
): RecordState {
  const state = new RecordState();
  for (const body of [...records.map((record) => record.body), ...refusals])
    state.add(recordId(domain, body), body);
  return state;
}
