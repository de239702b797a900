/**
 * Journal of what must outlive the database: withdrawals of rows and answers to requests for access, in files beside it. A database
 * that is put back to an earlier copy has the rows and grants of that time; the host reads the journal at its start, and puts in
 * again what was withdrawn and refused since. Hosts that share a folder each write a file of their own,
 * and read all; journal-files.ts has their form.
 */
import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { integers } from "@openledger/foundation/database/binary-lists";
import type { DatabaseLogger, Queries } from "@openledger/foundation/database/queries";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";
import { recordId, type SignedRecord } from "../records/record.ts";
import type { HostStore } from "./host-store.ts";
import {
  appendJournal,
  compactJournal,
  isJournalled,
  type JournalBody,
  type JournalPlace,
  type JournalRecord,
  journalNames,
  NewestRecords,
  newJournalPath,
  readJournal,
  refused,
} from "./journal-files.ts";
import { Quotas } from "./quotas.ts";
import type { RecordKnowledge, RecordOffer } from "./record-offer.ts";
import { recordsHere, requireNewest, takeRecords } from "./take-records.ts";

/** Records after which a running host compacts its folder again, if they are as many as the last compaction left. */
const COMPACT_AFTER = 10_000;
/** Records that are put in again, or written, at once. */
const PART_RECORDS = 500;
/** Quota of replayed records: each was within its author's quota when it came. */
const UNLIMITED = { quotaBytesPerDay: 1e15, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e15 };
/** Refusals after which a record is offered again when more of its Datanet has come. */
const NOT_YET = "DNT_NOT_HOSTED";

interface JournalFolder extends JournalPlace {
  readonly nowMs: () => number;
  readonly logger: Pick<DatabaseLogger, "info" | "warn">;
}

export class RecordJournal {
  readonly #files: JournalFolder;
  readonly #store: HostStore;
  readonly #quotas: Quotas;
  readonly #path: string;
  /** Records that are taken and not written yet: after a failure the next call writes them, too. */
  #unwritten: JournalRecord[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Records by Datanet whose rows, lists or requests this database does not have. */
  readonly #waiting = new Map<number, JournalRecord[]>();
  /** Records that this host has written since the last compaction. */
  #writtenCount = 0;
  /** Records that the last compaction left. */
  #compactedCount = 0;

  private constructor(store: HostStore, files: JournalFolder) {
    this.#store = store;
    this.#files = files;
    this.#quotas = new Quotas(UNLIMITED, files.nowMs);
    this.#path = newJournalPath(files.folder);
  }

  /**
   * Opens the journal, puts into the database what it lacks, and writes down what only the database has.
   * @throws SRV_STORE_FAILED, SRV_DISK_FULL, SRV_STORE_CORRUPT, SRV_STORE_FORMAT, SRV_WRONG_DIRECTORY
   */
  static async open(store: HostStore, files: JournalFolder): Promise<RecordJournal> {
    const journal = new RecordJournal(store, files);
    await refused(async () => {
      await mkdir(files.folder, { recursive: true });
      await access(files.folder, constants.R_OK | constants.W_OK);
    });
    const known = new Set<string>();
    const newest = new NewestRecords();
    let putCount = 0;
    let names: string[];
    // Another host of the folder may compact it meanwhile: until all that there is was read.
    const read = new Set<string>();
    do {
      names = (await refused(() => journalNames(files.folder))).filter((name) => !read.has(name));
      for (const name of names) {
        read.add(name);
        let part: JournalRecord[] = [];
        for await (const record of journal.#readPresent(name)) {
          newest.add(record);
          known.add(recordId(files.domain, record.body));
          part.push(record);
          if (part.length < PART_RECORDS) continue;
          putCount += await journal.#putMissing(part);
          part = [];
        }
        putCount += await journal.#putMissing(part);
      }
    } while (names.length > 0);
    if (putCount > 0)
      files.logger.info({ putCount }, "withdrawals and answers that the database had lost are in it again");
    journal.#compactedCount = known.size;
    if (read.size > 1 || newest.supersededCount > 0) await journal.#compact();
    for await (const found of journalledRecords(store.database))
      await journal.add(
        found.flatMap(({ id, record }) => (known.has(id) ? [] : [JSON.parse(record) as SignedRecord])),
      );
    return journal;
  }

  /**
   * Writes the records of its kinds among these; they outlive a power failure from when it resolves. What an earlier call could not
   * write is written first.
   * @throws SRV_DISK_FULL, SRV_STORE_FAILED
   */
  add(records: readonly SignedRecord[]): Promise<void> {
    this.#unwritten.push(...records.filter(isJournalled));
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => {});
    return written;
  }

  /**
   * Puts in all that waits. Lists and requests may have come to another host of the database.
   * @returns false: what still waits has time
   */
  async putAllWaiting(): Promise<false> {
    for (const datanetId of [...this.#waiting.keys()]) await this.putWaiting(datanetId);
    return false;
  }

  /** Puts in what has waited for lists or requests of a Datanet, before rows of these come. */
  async putWaiting(datanetId: number): Promise<void> {
    const waiting = this.#waiting.get(datanetId);
    if (waiting === undefined) return;
    this.#waiting.delete(datanetId);
    for (let at = 0; at < waiting.length; at += PART_RECORDS)
      await this.#put(datanetId, waiting.slice(at, at + PART_RECORDS));
  }

  async #write(): Promise<void> {
    const records = this.#unwritten.splice(0);
    if (records.length === 0) return;
    try {
      await refused(() => appendJournal(this.#path, this.#files, records));
    } catch (error) {
      this.#unwritten.unshift(...records);
      throw error;
    }
    this.#writtenCount += records.length;
    if (this.#writtenCount >= Math.max(COMPACT_AFTER, this.#compactedCount)) await this.#compact();
  }

  /** Compacts the folder. A failure loses nothing, and is tried again later. */
  async #compact(): Promise<void> {
    const { logger } = this.#files;
    this.#writtenCount = 0;
    try {
      for await (const done of compactJournal(this.#files))
        if (done.step === "written") this.#compactedCount = done.recordCount;
      logger.info({ recordCount: this.#compactedCount }, "the journal of withdrawals is one file");
    } catch (err) {
      logger.warn({ err }, "the journal of withdrawals is not compacted; nothing of it is lost");
    }
  }

  /** Reads a file, none where another host has compacted it away. */
  async *#readPresent(name: string): AsyncGenerator<JournalRecord> {
    try {
      yield* readJournal(join(this.#files.folder, name), this.#files, { isChecked: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  /** @returns how many were put in */
  async #putMissing(records: readonly JournalRecord[]): Promise<number> {
    let putCount = 0;
    for (const datanetId of new Set(records.map(({ body }) => body.datanetId)))
      putCount += await this.#put(
        datanetId,
        records.filter(({ body }) => body.datanetId === datanetId),
      );
    return putCount;
  }

  /** Puts in the records that the database lacks; those about what it does not have wait. @returns how many were put in */
  async #put(datanetId: number, records: readonly JournalRecord[]): Promise<number> {
    const { domain } = this.#files;
    const offers = records.map((record): RecordOffer => {
      const { body } = record;
      const check = (known: RecordKnowledge) => {
        requireNewest(known, body);
        requireThere(known, body);
      };
      return { id: recordId(domain, body), record, check };
    });
    const datanet = await this.#store.require(datanetId).catch((error: unknown) => {
      if (isRollupError(error, NOT_YET)) return null;
      throw error;
    });
    const here =
      datanet === null
        ? new Set<string>()
        : await recordsHere(
            this.#store.database,
            datanetId,
            offers.map(({ id, record }) => ({ id, body: record.body })),
          );
    const missing = offers.filter(({ id }) => !here.has(id));
    const results =
      datanet === null
        ? missing.map(() => NOT_YET)
        : (await takeRecords(datanet, missing, this.#quotas)).map((error) => error?.code);
    const waiting = missing.flatMap(({ record }, i) =>
      results[i] === NOT_YET ? [record as JournalRecord] : [],
    );
    if (waiting.length > 0)
      this.#waiting.set(datanetId, [...(this.#waiting.get(datanetId) ?? []), ...waiting]);
    return results.filter((code) => code === undefined).length;
  }
}

/**
 * Requires that the database has what a record is about. The host has checked the signer when the record came, by the leaf's key of
 * that time.
 * @throws DNT_NOT_HOSTED, DNT_RECORD_NOT_ALLOWED
 */
function requireThere({ recordState, withdrawableBy }: RecordKnowledge, body: JournalBody): void {
  if (body.kind === "accessAnswer") {
    if (recordState.accessCases().some(({ id }) => id === body.request)) return;
    throw datanetError(NOT_YET, `there is no request ${body.request} here`, {
      data: { request: body.request },
    });
  }
  const contributorId = withdrawableBy(body.row);
  if (contributorId === body.leafId) return;
  if (contributorId === null)
    throw datanetError(NOT_YET, `this host has no row ${body.row}`, { data: { digest: body.row } });
  const why = "has not contributed the row";
  throw datanetError("DNT_RECORD_NOT_ALLOWED", `leaf ${body.leafId} ${why}`, {
    data: { why, kind: body.kind },
  });
}

interface FoundRecord {
  readonly id: string;
  readonly record: string;
}

/** Records of the journal's kinds that hold in the database, a part at a time. */
async function* journalledRecords({ query }: Queries): AsyncGenerator<FoundRecord[]> {
  const datanets = await query<{ id: number; withdrawalCount: number }>(
    `select id, withdrawal_count as "withdrawalCount" from datanets order by id`,
  );
  for (let at = 0; at < datanets.length; at += PART_RECORDS)
    yield await query<FoundRecord>(
      `select id, record from records
        where datanet_id = any($1::int[]) and row_number is null and kind = 'accessAnswer' and is_current`,
      [integers(datanets.slice(at, at + PART_RECORDS).map(({ id }) => id))],
    );
  for (const { id } of datanets.filter(({ withdrawalCount }) => withdrawalCount > 0))
    for (let after: Buffer = Buffer.alloc(0); ; ) {
      const found: (FoundRecord & { digest: Buffer })[] = await query(
        `select digest, records.id, record from (
            select datanet_id, number, digest from rows
             where datanet_id = $1 and is_withdrawn and digest > $2 order by digest limit $3) as withdrawn
           join records on records.datanet_id = withdrawn.datanet_id and row_number = withdrawn.number
          where is_current and kind = 'withdrawal' order by digest`,
        [id, after, PART_RECORDS],
      );
      if (found.length === 0) break;
      yield found;
      after = found.at(-1)!.digest;
    }
}
