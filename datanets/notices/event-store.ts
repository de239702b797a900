/** Events of a host in its database, with the marks up to which it has looked. Webhooks get a delivery with each new event. */
import { createHash } from "node:crypto";
import type { Queries, Transactions } from "@openledger/foundation/database/queries";
import type { EventKind, NewEvent, StoredEvent } from "./event.ts";

/** Digits of an event's name that does not depend on the database. */
const UID_DIGITS = 32;
/** Time that an event stays, in milliseconds. */
const EVENT_LIFE_MS = 90 * 86_400_000;
const DELETED_AT_ONCE = 1_000;
/** Deliveries given up in a row, after which a webhook is off. */
export const MAX_FAILURES = 10;

/** Advisory lock under which events get their ids. */
const EVENTS_LOCK = 0x6e6f7469;

/**
 * Stores events that are not there yet, and a delivery to each webhook that wants one. One host after the other: ids are committed
 * in their order, so that a reader behind an id misses none.
 */
async function addEvents(queries: Queries, events: readonly NewEvent[], nowMs: number): Promise<void> {
  const fresh = events.filter(({ atMs }) => atMs > nowMs - EVENT_LIFE_MS);
  if (fresh.length === 0) return;
  await queries.query("select pg_advisory_xact_lock($1::bigint)", [EVENTS_LOCK]);
  await queries.query(
    `with added as (
       insert into events (name, leaf_id, datanet_id, kind, at_ms, body)
         select * from unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::bigint[], $6::text[])
         on conflict (name) do nothing returning id, leaf_id, kind)
     insert into deliveries (webhook_id, event_id, next_at_ms, is_held)
       select webhooks.id, added.id, $7, webhooks.failures >= $8 from added join webhooks using (leaf_id) where added.kind = any(webhooks.kinds)`,
    [
      fresh.map(({ name }) => name),
      fresh.map(({ leafId }) => leafId),
      fresh.map(({ datanetId }) => datanetId),
      fresh.map(({ kind }) => kind),
      fresh.map(({ atMs }) => atMs),
      fresh.map(({ data }) => JSON.stringify(data)),
      nowMs,
      MAX_FAILURES,
    ],
  );
}

/** A row of the table, as JSON of an event. */
export interface EventRow {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly leafId: number;
  readonly datanetId: number | null;
  readonly atMs: number;
  readonly body: string;
}
/** Columns of an `EventRow`. */
export const EVENT_COLUMNS = `events.id::float8 as id, events.name, events.kind, events.leaf_id as "leafId", events.datanet_id as "datanetId",
  events.at_ms::float8 as "atMs", events.body`;

export const eventOf = ({ body, kind, name, ...rest }: EventRow): StoredEvent => ({
  ...rest,
  uid: createHash("sha256").update(name).digest("hex").slice(0, UID_DIGITS),
  kind: kind as EventKind,
  data: JSON.parse(body) as StoredEvent["data"],
});

/**
 * Events of a leaf, or about a Datanet.
 * @param after null lists the newest first. The id or uid of an event lists those behind it, the oldest first: a program that goes on
 * behind the last event that it has had reads each one. 0 begins with the oldest, and so does a uid that the database does not know:
 * a restored database lacks events, and gives their ids again.
 */
export async function listEvents(
  queries: Queries,
  {
    after,
    limit,
    ...about
  }: ({ leafId: number } | { datanetId: number }) & { after: number | string | null; limit: number },
): Promise<StoredEvent[]> {
  const [column, value] = "leafId" in about ? ["leaf_id", about.leafId] : ["datanet_id", about.datanetId];
  const behind =
    typeof after === "string"
      ? `(select coalesce(max(id), 0) from events
           where ${column} = $1::bigint and left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), ${UID_DIGITS}) = $2)`
      : "$2::bigint";
  const found = await queries.query<EventRow>(
    `select ${EVENT_COLUMNS} from events
      where ${column} = $1::bigint and kind <> 'test' and id > ${behind}
      order by id ${after === null ? "desc" : "asc"} limit $3`,
    [value, after ?? 0, limit],
  );
  return found.map(eventOf);
}

/** Mark of a name; null where there is none. */
export async function readMark(queries: Queries, name: string): Promise<string | null> {
  const [found] = await queries.query<{ mark: string }>("select mark from event_marks where name = $1", [
    name,
  ]);
  return found?.mark ?? null;
}

/** Stores events and the mark behind them, both or neither. */
export function addEventsUpTo(
  database: Transactions,
  { events, mark, name, nowMs }: { events: readonly NewEvent[]; name: string; mark: string; nowMs: number },
): Promise<void> {
  return database.transaction(async (queries) => {
    await addEvents(queries, events, nowMs);
    await queries.query(
      "insert into event_marks values ($1, $2) on conflict (name) do update set mark = excluded.mark",
      [name, mark],
    );
  });
}

/** Deletes events that have lived their time, a part at a time. @returns whether another part follows */
export async function deleteOldEvents(queries: Queries, nowMs: number): Promise<boolean> {
  const deleted = await queries.query(
    `delete from events using (select id from events where at_ms < $1 limit $2 for update skip locked) as old
      where events.id = old.id returning 1`,
    [nowMs - EVENT_LIFE_MS, DELETED_AT_ONCE],
  );
  return deleted.length === DELETED_AT_ONCE;
}
