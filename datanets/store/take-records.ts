/**
 * Stores signed records that clients send to a host (record-routes.ts). What each may say is checked in the transaction that
 * stores it, so that of two contradicting records at once only one passes.
 */
import {
  bigints,
  booleans,
  byteStrings,
  integers,
  texts,
} from "@openledger/foundation/database/binary-lists";
import type { Queries } from "@openledger/foundation/database/queries";
import { statement } from "@openledger/foundation/database/statement";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";
import {
  aboutOf,
  type BodyOf,
  type RecordBody,
  recordSubject,
  type SignedRecord,
} from "../records/record.ts";
import { teamOf } from "../records/record-roles.ts";
import { RecordState } from "../records/record-state.ts";
import { changed, type HostedDatanet, lock } from "./hosted-datanet.ts";
import { moveRows } from "./move-rows.ts";
import { everPublishedAmong } from "./published-rows.ts";
import type { Quotas } from "./quotas.ts";
import type { RecordOffer } from "./record-offer.ts";
import { writeRowStates } from "./row-states.ts";
import { SqlValues } from "./sql-values.ts";
import { isVerifiedRecord, knownRecomputations, storeRecomputations } from "./verified-records.ts";
import {
  type AbsentRow,
  addAbsentRows,
  eraseRows,
  type ListedPosition,
  listedPositions,
} from "./withdrawn-rows.ts";

interface KnownRow {
  readonly number: number;
  readonly digest: string;
  readonly contributorId: number;
  /** Position of its commit among the Datanet's. */
  readonly commitIndex: number;
  readonly begunAt: number | null;
}

// What may be planned in several ways is not prepared: a plan that was made while a table was small stays after it has grown.
const recordsHereSql = (table: "records" | "verified") =>
  `select id from ${table} where datanet_id = $1 and id = any($2)`;
/** Rows, each as often as it has records that hold, and once without them. */
const KNOWN_ROWS = `select rows.number, digest, begun_at as "begunAt", record.id, record.record,
          (select contributor_id from commits
            where commits.datanet_id = rows.datanet_id and commits.number = commit_number) as "contributorId",
          (select commit_index from commits
            where commits.datanet_id = rows.datanet_id and commits.number = commit_number) as "commitIndex"
     from rows left join lateral (
            select number, id, record from records
             where records.datanet_id = $1 and row_number = rows.number and is_current offset 0) as record on true
    where rows.datanet_id = $1 and digest = any($2) order by record.number`;
const ADD_RECORDS = statement(
  `insert into records (datanet_id, number, id, kind, leaf_id, row_number, about, record)
     select $1, $2::int + at::int - 1, id, kind, leaf_id, row_number, about, record
       from unnest($3::text[], $4::text[], $5::int[], $6::int[], $7::text[], $8::text[])
            with ordinality as part (id, kind, leaf_id, row_number, about, record, at)`,
);
const MARK_OUTDATED = "update records set is_current = false where datanet_id = $1 and id = any($2)";
const SET_LABELS = statement(
  `insert into labels select $1, * from unnest($2::int[], $3::int[], $4::text[], $5::bigint[], $6::boolean[], $7::int[], $8::boolean[])
     on conflict (datanet_id, row_number, leaf_id) do update
        set label = excluded.label, at_ms = excluded.at_ms, saw_suggestion = excluded.saw_suggestion`,
);
const END_LEASES = statement(
  `delete from label_leases using unnest($2::int[], $3::int[]) as given (row_number, leaf_id)
    where datanet_id = $1 and label_leases.row_number = given.row_number and label_leases.leaf_id = given.leaf_id`,
);

/** Ids among these whose records are here. */
export async function recordsHere(
  { query }: Queries,
  datanetId: number,
  records: readonly { readonly id: string; readonly body: RecordBody }[],
): Promise<Set<string>> {
  const of = async (table: "records" | "verified") => {
    const ids = records.flatMap(({ body, id }) =>
      (body.kind === "verified") === (table === "verified") ? [id] : [],
    );
    return ids.length === 0 ? [] : query<{ id: string }>(recordsHereSql(table), [datanetId, texts(ids)]);
  };
  const found = await Promise.all([of("records"), of("verified")]);
  return new Set(found.flat().map(({ id }) => id));
}

/**
 * Takes records whose signatures are checked, one after another; they hold, together, from when it resolves.
 * @returns for each why it is not taken, or null
 */
export async function takeRecords(
  datanet: HostedDatanet,
  offers: readonly RecordOffer[],
  quotas: Quotas,
): Promise<(RollupError | null)[]> {
  if (offers.length === 0) return [];
  const card = offers.some(({ record }) => isVerifiedRecord(record)) ? await datanet.lastCard() : null;
  const team = card === null ? [] : teamOf(card.card);
  return datanet.database.transaction(async (queries) => {
    const bodies = offers.map(({ record }) => record.body);
    // Sent together; the first one has the others wait for the lock.
    const [
      { recordCount, rowCount },
      here,
      { records, rows },
      commits,
      others,
      recomputations,
      usage,
      positions,
    ] = await Promise.all([
      lock(queries, datanet.id),
      recordsHere(
        queries,
        datanet.id,
        offers.map(({ id, record }) => ({ id, body: record.body })),
      ),
      knownRows(queries, datanet.id, bodies),
      knownCommits(queries, datanet.id, bodies),
      knownOthers(queries, datanet.id, bodies),
      knownRecomputations(queries, datanet.id, bodies),
      quotas.begin(
        queries,
        bodies.map(({ leafId }) => leafId),
      ),
      listedPositions(
        queries,
        datanet.id,
        bodies.flatMap((body) => (body.kind === "withdrawal" ? [body] : [])),
      ),
    ]);
    const held = await heldRows(queries, datanet.id, bodies, { rows, positions });
    const withdrawn = new WithdrawnRows(rows, { positions, held }, rowCount);
    const state = new RecordState();
    /** Id of the record that holds, by subject. */
    const current = new Map<string, string>();
    for (const { id, record } of [...records, ...others]) {
      const { body } = JSON.parse(record) as SignedRecord;
      state.add(id, body);
      current.set(recordSubject(body), id);
    }
    for (const { id, record } of recomputations) state.add(id, record.body);
    const known = {
      recordState: state,
      isRowKnown: (digest: string) => rows.has(digest),
      withdrawableBy: (digest: string) => withdrawn.withdrawableBy(digest),
      isCommitKnown: (root: string) => commits.has(root),
      committerOf: (root: string) => commits.get(root) ?? null,
      contributorOf: (digest: string) => rows.get(digest)?.contributorId ?? null,
    };
    const taken: RecordOffer[] = [];
    const outdated: string[] = [];
    const results: (RollupError | null)[] = [];
    for (const offer of offers) {
      try {
        if (!here.has(offer.id)) {
          offer.check(known);
          usage.takeRecord(offer.record.body.leafId);
          here.add(offer.id);
          state.add(offer.id, offer.record.body);
          const subject = recordSubject(offer.record.body);
          const before = current.get(subject);
          if (before !== undefined) outdated.push(before);
          current.set(subject, offer.id);
          if (offer.record.body.kind === "withdrawal") withdrawn.take(offer.record.body.row);
          taken.push(offer);
        }
        results.push(null);
      } catch (error) {
        if (!isRollupError(error)) throw error;
        results.push(error);
      }
    }
    if (taken.length === 0) return results;
    const stored = taken.filter(({ record }) => !isVerifiedRecord(record));
    await addAbsentRows(queries, datanet.id, withdrawn.absent);
    for (const { at, number } of withdrawn.moved) await moveToListed(queries, datanet.id, { number, at });
    await Promise.all([
      usage.store(),
      storeRecords(queries, datanet.id, { first: recordCount, offers: stored, rows }),
      // After the records: an outdated one may be among them.
      outdated.length === 0 ? [] : queries.query(MARK_OUTDATED, [datanet.id, texts(outdated)]),
      storeRecomputations(queries, datanet.id, taken, team),
      storeRowStates(queries, datanet.id, { first: recordCount, offers: stored, rows, state }),
      storeVerdicts(queries, datanet.id, { bodies: stored.map(({ record }) => record.body), state }),
    ]);
    // Last: nothing that was stored of them is to stay.
    const bytes = await eraseRows(queries, datanet.id, withdrawn.erased, positions);
    await changed(queries, datanet.id, {
      records: stored.length,
      rows: withdrawn.absent.length,
      bytes: -bytes,
    });
    return results;
  });
}

type Positions = ReadonlyMap<string, readonly ListedPosition[]>;

/** Rows that a request's records withdraw. */
class WithdrawnRows {
  readonly #rows: Map<string, KnownRow>;
  readonly #positions: Positions;
  readonly #held: ReadonlyMap<string, number>;
  readonly #rowCount: number;
  readonly absent: AbsentRow[] = [];
  /** Rows that are here by later commits than that of their contributor, whose list alone has come. */
  readonly moved: { readonly number: number; readonly at: ListedPosition }[] = [];
  readonly erased: KnownRow[] = [];

  /**
   * @param rows those that are here; one that is withdrawn before it comes is added
   * @param listed positions in lists, and contributors whose a row stays whatever list has come
   */
  constructor(
    rows: Map<string, KnownRow>,
    { held, positions }: { positions: Positions; held: ReadonlyMap<string, number> },
    rowCount: number,
  ) {
    this.#rows = rows;
    this.#positions = positions;
    this.#held = held;
    this.#rowCount = rowCount;
  }

  /**
   * Contributor of a row, which may have been committed by another leaf before those that have brought it; null if it is in no
   * list.
   */
  withdrawableBy(digest: string): number | null {
    return (this.#earlier(digest) ?? this.#rows.get(digest))?.contributorId ?? null;
  }

  /** Position in a list whose commit is earlier than that of the row that is here; undefined if there is none. */
  #earlier(digest: string): ListedPosition | undefined {
    const row = this.#rows.get(digest);
    const holder = this.#held.get(digest);
    const listed = this.#positions
      .get(digest)
      ?.find(({ contributorId }) => holder === undefined || contributorId === holder);
    return listed !== undefined && (row === undefined || listed.commitIndex < row.commitIndex)
      ? listed
      : undefined;
  }

  take(digest: string): void {
    let row = this.#rows.get(digest);
    const at = this.#earlier(digest);
    if (at !== undefined) {
      const { commitIndex, contributorId } = at;
      if (row === undefined) {
        row = {
          number: this.#rowCount + this.absent.length,
          digest,
          begunAt: null,
          contributorId,
          commitIndex,
        };
        this.absent.push({ number: row.number, digest, at });
      } else {
        row = { ...row, contributorId, commitIndex };
        this.moved.push({ number: row.number, at });
      }
      this.#rows.set(digest, row);
    }
    if (!this.erased.includes(row!)) this.erased.push(row!);
  }
}

/**
 * Contributors whom some version names, or named, for withdrawn rows, by digest: of rows that are here their own, of others who withdraws.
 * Attack: a stranger brings the list alone of an earlier commit, and the contributor of a published row can withdraw it no more.
 */
async function heldRows(
  queries: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
  { positions, rows }: { rows: ReadonlyMap<string, KnownRow>; positions: Positions },
): Promise<ReadonlyMap<string, number>> {
  const doubtful = new Map<number, Map<string, Buffer>>();
  for (const body of bodies) {
    const [listed] = body.kind === "withdrawal" ? (positions.get(body.row) ?? []) : [];
    if (listed === undefined || body.kind !== "withdrawal") continue;
    const row = rows.get(body.row);
    const contributorId = row?.contributorId ?? body.leafId;
    if (listed.contributorId === contributorId || (row && listed.commitIndex > row.commitIndex)) continue;
    const own = doubtful.get(contributorId) ?? new Map<string, Buffer>();
    doubtful.set(contributorId, own.set(body.row, Buffer.from(body.row, "hex")));
  }
  const held = new Map<string, number>();
  for (const [contributorId, own] of doubtful) {
    const asked = [...own.values()].map((digest) => ({ digest, contributorId }));
    for (const digest of await everPublishedAmong(queries, datanetId, asked)) held.set(digest, contributorId);
  }
  return held;
}

/** Gives a row to the earlier commit whose list alone has come. */
async function moveToListed(
  queries: Queries,
  datanetId: number,
  { at, number }: { number: number; at: ListedPosition },
): Promise<void> {
  const { commitNumber, contributorId, place } = at;
  const commit = { number: commitNumber, contributorId };
  await moveRows(queries, { datanetId, commit, moved: [{ number, place, bytes: 0 }] });
  await queries.query("update commits set own_count = own_count + 1 where datanet_id = $1 and number = $2", [
    datanetId,
    commitNumber,
  ]);
}

const rowOf = (body: RecordBody) => ("row" in body ? [body.row] : []);

interface HeldRecord {
  readonly id: string;
  readonly record: string;
}

/** Rows of these bodies that are here, by digest, and the records about them that hold, as they came. */
async function knownRows(
  { query }: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
): Promise<{ rows: Map<string, KnownRow>; records: HeldRecord[] }> {
  const digests = [...new Set(bodies.flatMap(rowOf))];
  const rows = new Map<string, KnownRow>();
  if (digests.length === 0) return { rows, records: [] };
  type Found = Omit<KnownRow, "digest"> & { digest: Buffer } & (HeldRecord | { id: null });
  const found = await query<Found>(KNOWN_ROWS, [
    datanetId,
    byteStrings(digests.map((digest) => Buffer.from(digest, "hex"))),
  ]);
  for (const { begunAt, commitIndex, contributorId, digest, number } of found) {
    const name = digest.toString("hex");
    rows.set(name, { number, digest: name, contributorId, commitIndex, begunAt });
  }
  return { rows, records: found.filter((one): one is Found & HeldRecord => one.id !== null) };
}

/** Contributors of these bodies' commits, by root: of those whose lists are here. */
async function knownCommits(
  { query }: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
): Promise<Map<string, number>> {
  const roots = bodies.flatMap((body) => ("commit" in body ? [body.commit] : []));
  if (roots.length === 0) return new Map();
  const found = await query<{ root: string; contributorId: number }>(
    `select rows_root as root, contributor_id as "contributorId" from commits where datanet_id = $1 and rows_root = any($2)`,
    [datanetId, roots],
  );
  return new Map(found.map(({ contributorId, root }) => [root, contributorId]));
}

/** Records that hold about the subjects of these bodies that are no rows, as they came. */
async function knownOthers(
  { query }: Queries,
  datanetId: number,
  bodies: readonly RecordBody[],
): Promise<HeldRecord[]> {
  const of = <Kind extends RecordBody["kind"], T>(kind: Kind, read: (body: BodyOf<Kind>) => T): T[] =>
    bodies.flatMap((body) => (body.kind === kind ? [read(body as BodyOf<Kind>)] : []));
  const askers = of("accessRequest", ({ leafId }) => leafId);
  const question = of("accessAnswer", ({ request }) => request);
  const roots = bodies.flatMap((body) => ("commit" in body ? [body.commit] : []));
  const reports = of("report", (body) => body);
  const shown = of("showEarnings", ({ leafId }) => leafId);
  const { bind, values } = new SqlValues();
  const from = `select number, id, record from records where datanet_id = ${bind(datanetId)} and row_number is null`;
  // Only what they are about: each part costs the planner as much as its rows.
  const parts: string[] = [];
  if (roots.length > 0)
    parts.push(`${from} and is_current and kind in ('verdict', 'terms') and about = any(${bind(roots)})`);
  if (askers.length + question.length > 0) {
    const requests = bind(question);
    parts.push(
      `${from} and kind = 'accessRequest' and about = '' and (is_current and leaf_id = any(${bind(askers)}) or id = any(${requests}))`,
      `${from} and is_current and kind = 'accessAnswer' and about = any(${requests})`,
    );
  }
  if (reports.length > 0)
    parts.push(
      `${from} and is_current and kind = 'report' and about = any(${bind(reports.map(aboutOf))}) and leaf_id = any(${bind(reports.map(({ leafId }) => leafId))})`,
    );
  if (shown.length > 0)
    parts.push(
      `${from} and is_current and kind = 'showEarnings' and about = '' and leaf_id = any(${bind(shown)})`,
    );
  if (parts.length === 0) return [];
  return query<HeldRecord & { number: number }>(
    `select id, record from (${parts.join(" union all ")}) as found order by number`,
    values,
  );
}

interface Stored {
  /** Number of the first record. */
  readonly first: number;
  readonly offers: readonly RecordOffer[];
  readonly rows: ReadonlyMap<string, KnownRow>;
}

async function storeRecords(
  { query }: Queries,
  datanetId: number,
  { first, offers, rows }: Stored,
): Promise<void> {
  if (offers.length === 0) return;
  const bodies = offers.map(({ record }) => record.body);
  await query(ADD_RECORDS, [
    ...[datanetId, first],
    texts(offers.map(({ id }) => id)),
    texts(bodies.map(({ kind }) => kind)),
    integers(bodies.map(({ leafId }) => leafId)),
    integers(bodies.map((body) => ("row" in body ? rows.get(body.row)!.number : null))),
    texts(bodies.map(aboutOf)),
    // JSON writes a NUL and half a surrogate pair by their numbers.
    texts(offers.map(({ record }) => JSON.stringify(record))),
  ]);
}

/** Writes to each row what its records say together now. */
async function storeRowStates(
  queries: Queries,
  datanetId: number,
  { first, offers, rows, state }: Stored & { state: RecordState },
): Promise<void> {
  const { query } = queries;
  const begun = new Map<string, number>();
  const labels: { row: number; body: BodyOf<"label">; record: number }[] = [];
  const touched = new Set<string>();
  for (const [i, { record }] of offers.entries()) {
    const { body } = record;
    if (!("row" in body)) continue;
    touched.add(body.row);
    // A model may have suggested something for every row: that begins none of them.
    if (body.kind !== "suggestion" && !begun.has(body.row)) begun.set(body.row, first + i);
    if (body.kind === "label") labels.push({ row: rows.get(body.row)!.number, body, record: first + i });
  }
  if (touched.size === 0) return;
  const updated = writeRowStates(
    queries,
    datanetId,
    [...touched].map((digest) => {
      const { begunAt, contributorId, number } = rows.get(digest)!;
      return {
        number,
        begunAt: begunAt ?? begun.get(digest) ?? null,
        contributorId,
        records: state.row(digest),
      };
    }),
  );
  // The last of each leaf for a row: of two in one request the second.
  const last = [...new Map(labels.map((label) => [`${label.row} ${label.body.leafId}`, label])).values()];
  if (last.length === 0) {
    await updated;
    return;
  }
  const rowIds = integers(last.map(({ row }) => row));
  const leafIds = integers(last.map(({ body }) => body.leafId));
  const inserted = query(SET_LABELS, [
    ...[datanetId, rowIds, leafIds],
    texts(last.map(({ body }) => body.label)),
    bigints(last.map(({ body }) => body.atMs)),
    booleans(last.map(({ body }) => body.sawSuggestion === true)),
    integers(last.map(({ record }) => record)),
    booleans(last.map(({ body }) => body.leafId === rows.get(body.row)!.contributorId)),
  ]);
  const deleted = query(END_LEASES, [datanetId, rowIds, leafIds]);
  await Promise.all([updated, inserted, deleted]);
}

async function storeVerdicts(
  { query }: Queries,
  datanetId: number,
  { bodies, state }: { bodies: readonly RecordBody[]; state: RecordState },
): Promise<void> {
  const roots = [...new Set(bodies.flatMap((body) => (body.kind === "verdict" ? [body.commit] : [])))];
  if (roots.length === 0) return;
  await query(
    `update commits set rejected_at_ms = verdict.at_ms from unnest($2::text[], $3::bigint[]) as verdict (root, at_ms)
      where datanet_id = $1 and rows_root = verdict.root`,
    [
      datanetId,
      roots,
      roots.map((root) => {
        const verdict = state.verdict(root);
        return verdict?.verdict === "reject" ? verdict.atMs : null;
      }),
    ],
  );
}

/** @throws DNT_RECORD_OUTDATED if the leaf has said something newer about the same */
export function requireNewest({ recordState }: { recordState: RecordState }, body: RecordBody): void {
  const lastAtMs = recordState.lastAtMs(body);
  if (body.atMs <= lastAtMs)
    throw datanetError("DNT_RECORD_OUTDATED", `leaf ${body.leafId} has said something newer of this`, {
      data: { atMs: lastAtMs },
    });
}
