/**
 * Daily quotas of a host: bytes and records that each leaf stores, and the bytes of all together. Every write counts against
 * them.
 */
import type { Queries } from "@openledger/foundation/database/queries";
import { statement } from "@openledger/foundation/database/statement";
import { datanetError } from "../datanet-errors.ts";

const DAY_MS = 86_400_000;

/** Days that usage stays: hosts' clocks may differ around midnight. */
const KEPT_DAYS = 1;
const DELETED_AT_ONCE = 1_000;

export interface QuotaLimits {
  readonly quotaBytesPerDay: number;
  readonly quotaRecordsPerDay: number;
  readonly maxStoreBytes: number;
}

// The update changes nothing: it locks the rows that are there, in this order.
const BEGIN_USAGE = statement(
  `insert into usage select leaf_id, $2, 0, 0 from unnest($1::int[]) as leaf_id order by leaf_id
     on conflict (leaf_id, day) do update set bytes = usage.bytes
     returning leaf_id as "leafId", bytes::float8 as bytes, records::float8 as records`,
);
const STORE_USAGE = statement(
  `update usage set bytes = used.bytes, records = used.records
     from unnest($2::int[], $3::bigint[], $4::bigint[]) as used (leaf_id, bytes, records)
    where usage.leaf_id = used.leaf_id and day = $1`,
);

interface Usage {
  bytes: number;
  records: number;
}

/** Amounts that leaves store in a day (UTC), counted in the transaction that stores them. */
export class Quotas {
  readonly #limits: QuotaLimits;
  readonly #nowMs: () => number;

  constructor(limits: QuotaLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Counts bytes that the transaction stores. @throws SRV_QUOTA_USED, SRV_DISK_FULL */
  async takeBytes(queries: Queries, leafId: number, bytes: number): Promise<void> {
    const { maxStoreBytes } = this.#limits;
    if ((await storedBytes(queries)) + bytes > maxStoreBytes)
      throw datanetError("SRV_DISK_FULL", `the host stores ${maxStoreBytes} bytes and no more`, {
        data: { maxStoreBytes },
      });
    const used = await this.begin(queries, [leafId]);
    used.take(leafId, { bytes, records: 0 });
    await used.store();
  }

  /** Usage of some leaves today; nobody else changes it until the transaction ends. */
  async begin(queries: Queries, leafIds: readonly number[]): Promise<DayUsage> {
    const day = Math.floor(this.#nowMs() / DAY_MS);
    const ids = [...new Set(leafIds)].sort((a, b) => a - b);
    const found = await queries.query<Usage & { leafId: number }>(BEGIN_USAGE, [ids, day]);
    return new DayUsage(queries, this.#limits, {
      day,
      usages: new Map(found.map(({ bytes, leafId, records }) => [leafId, { bytes, records }])),
    });
  }
}

/** Deletes usage of days that are over, a part at a time. @returns false if nothing is left to delete */
export async function deleteOldUsage(queries: Queries, nowMs: number): Promise<boolean> {
  const today = Math.floor(nowMs / DAY_MS);
  // Another host may be at the same rows.
  const deleted = await queries.query(
    `delete from usage using (select leaf_id, day from usage where day < $1 limit $2 for update skip locked) as old
      where usage.leaf_id = old.leaf_id and usage.day = old.day returning 1`,
    [today - KEPT_DAYS, DELETED_AT_ONCE],
  );
  return deleted.length === DELETED_AT_ONCE;
}

/** Usage of some leaves in one day, within a transaction. */
export class DayUsage {
  readonly #queries: Queries;
  readonly #limits: QuotaLimits;
  readonly #day: number;
  readonly #usages: ReadonlyMap<number, Usage>;

  constructor(
    queries: Queries,
    limits: QuotaLimits,
    { day, usages }: { day: number; usages: ReadonlyMap<number, Usage> },
  ) {
    this.#queries = queries;
    this.#limits = limits;
    this.#day = day;
    this.#usages = usages;
  }

  /** @throws SRV_QUOTA_USED */
  takeRecord(leafId: number): void {
    this.take(leafId, { bytes: 0, records: 1 });
  }

  /** @throws SRV_QUOTA_USED */
  take(leafId: number, more: Usage): void {
    const usage = this.#usages.get(leafId)!;
    const limits = { bytes: this.#limits.quotaBytesPerDay, records: this.#limits.quotaRecordsPerDay };
    for (const what of ["bytes", "records"] as const) {
      const max = limits[what];
      if (more[what] > 0 && usage[what] + more[what] > max)
        throw datanetError("SRV_QUOTA_USED", `leaf ${leafId} has stored its ${max} ${what} of today`, {
          data: { reason: "quota-used", leafId, what, max },
        });
    }
    usage.bytes += more.bytes;
    usage.records += more.records;
  }

  async store(): Promise<void> {
    const entries = [...this.#usages];
    await this.#queries.query(STORE_USAGE, [
      this.#day,
      entries.map(([leafId]) => leafId),
      entries.map(([, { bytes }]) => bytes),
      entries.map(([, { records }]) => records),
    ]);
  }
}

/** Bytes that the host stores, all Datanets together. */
async function storedBytes(queries: Queries): Promise<number> {
  const [sum] = await queries.query<{ bytes: number }>(
    "select coalesce(sum(stored_bytes), 0)::float8 as bytes from datanets",
  );
  return sum!.bytes;
}
