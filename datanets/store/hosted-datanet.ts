/** One Datanet in a host's database: its cards, commits, rows, versions and records, read and written for the host's routes. */
import { contributionRoot, digestToField, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import type { Database } from "@openledger/foundation/database/database";
import type { Queries, SqlValue } from "@openledger/foundation/database/queries";
import { statement } from "@openledger/foundation/database/statement";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import type { Card, NamedCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { isGrantRecordOf } from "../records/grants.ts";
import type { SignedRecord } from "../records/record.ts";
import { RecordState } from "../records/record-state.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { DIGEST_BYTES, decodeVersion, type ListedRow, rowHashesOf, versionRowsOf } from "../rows/row-wire.ts";
import type { CardCache } from "./card-cache.ts";
import { CommitRows } from "./commit-rows.ts";
import type { HostCommit } from "./ledger-view.ts";
import { mendVersionList, writeDigests } from "./listed-digests.ts";
import type { Quotas } from "./quotas.ts";
import { isLabellersSql } from "./row-outcome.ts";
import { configurationsOf, wordsOfText } from "./row-words.ts";
import { bufferOf, digestsSql, storable } from "./sql-values.ts";
import { DATANET_COLUMNS, type StoredCommit, type StoredDatanet } from "./stored-datanet.ts";
import {
  receiveWithdrawn,
  requireNoneWithdrawn,
  rowWithdrawn,
  shareContents,
  withdrawnAmong,
} from "./withdrawn-rows.ts";

/** Digests that one statement looks up, and rows that one reads. */
const ROWS_A_STATEMENT = 4_096;
/** Bytes of a list that one statement reads. */
const LIST_SLICE_BYTES = 4 * 1024 * 1024;

const COMMIT = `number, rows_root as "rowsRoot", row_count as "rowCount", contributor_id as "contributorId",
  commit_index as "commitIndex", committed_at_ms::float8 as "committedAtMs", op_index::float8 as "opIndex", received_count as "receivedCount"`;

const FIND_COMMIT = statement(`select ${COMMIT} from commits where datanet_id = $1 and rows_root = $2`);
const READ_DIGESTS = statement(
  `select substring(list from $3::bigint::int for $4::int) as digests from commits where datanet_id = $1 and number = $2`,
);
const READ_FACTS = statement(`select ${DATANET_COLUMNS} from datanets where id = $1`);
const LOCK_FACTS = statement(`${READ_FACTS.text} for update`);
const COUNT_STORED = statement(
  `update datanets set commit_count = commit_count + $2, row_count = row_count + $3, record_count = record_count + $4,
          stored_bytes = stored_bytes + $5::bigint, revision = revision + 1 where id = $1`,
);

/** Uploader of bytes, and the quotas that they count against. */
export interface Account {
  readonly leafId: number;
  readonly quotas: Quotas;
}

/** A Datanet as the host had it when the request came; what it reads is of now. Writes are committed when they resolve. */
export class HostedDatanet implements StoredDatanet {
  readonly id: number;
  readonly cardCount: number;
  readonly commitCount: number;
  readonly rowCount: number;
  readonly describedCount: number;
  readonly recordCount: number;
  readonly withdrawalCount: number;
  readonly revision: number;
  readonly policy: string | null;
  readonly database: Database;
  readonly #cards: CardCache;

  constructor(facts: StoredDatanet, cards: CardCache) {
    this.id = facts.id;
    this.cardCount = facts.cardCount;
    this.commitCount = facts.commitCount;
    this.rowCount = facts.rowCount;
    this.describedCount = facts.describedCount;
    this.recordCount = facts.recordCount;
    this.withdrawalCount = facts.withdrawalCount;
    this.revision = facts.revision;
    this.policy = facts.policy;
    this.database = cards.database;
    this.#cards = cards;
  }

  /** Rows that searches do not find yet. */
  get undescribedCount(): number {
    return this.rowCount - this.describedCount;
  }

  /** Returns the card of a policy word; null if the host does not have it. */
  card(policy: bigint): Promise<NamedCard | null> {
    return this.#cards.card(this.id, hex32(policy));
  }

  /** Returns the newest card, which holds until the ledger's present one is here. @throws DNT_NOT_HOSTED */
  async requireCard(policy: bigint): Promise<NamedCard> {
    const card = (await this.card(policy)) ?? (await this.lastCard());
    if (card === null)
      throw datanetError("DNT_NOT_HOSTED", `this host has no card of Datanet ${this.id}`, {
        data: { datanetId: this.id },
      });
    return card;
  }

  /** Returns the card that was brought last; null if none was. */
  async lastCard(): Promise<NamedCard | null> {
    return this.policy === null ? null : this.#cards.card(this.id, this.policy);
  }

  /** Takes a card. Rows that it describes otherwise than the last one are described again, a part at a time. */
  addCard({ card, policy, text }: NamedCard): Promise<void> {
    return this.database.transaction(async (queries) => {
      const before = await lock(queries, this.id);
      if (before.policy === hex32(policy)) return;
      const last = before.policy === null ? null : await this.#cards.card(this.id, before.policy, queries);
      await queries.query("insert into cards values ($1, $2, $3, $4)", [
        this.id,
        before.cardCount,
        hex32(policy),
        text,
      ]);
      const { access, description, field, name, tags } = card;
      await queries.query(
        `update datanets set card_count = card_count + 1, revision = revision + 1, policy = $2, field = $3, access = $4,
                tags = $5, words = to_tsvector('simple', $6) where id = $1`,
        [
          this.id,
          hex32(policy),
          storable(field.toLowerCase()),
          access,
          tags.map((tag) => storable(tag.toLowerCase())),
          wordsOfText([name, field, ...tags, description].join(" ")),
        ],
      );
      // Those that nobody has described are read by the newest card.
      if (last === null || before.describedCount === 0 || describesAlike(last.card, card)) return;
      await queries.query(
        `insert into descriptions values ($1, 0, $2)
           on conflict (datanet_id) do update set next_row = 0, end_row = excluded.end_row`,
        [this.id, before.describedCount],
      );
    });
  }

  /** Commits whose lists are here, as they came. */
  commits(): Promise<StoredCommit[]> {
    return this.database.query<StoredCommit>(
      `select ${COMMIT} from commits where datanet_id = $1 order by number`,
      [this.id],
    );
  }

  async commit(rowsRoot: string): Promise<StoredCommit | undefined> {
    const [found] = await this.database.query<StoredCommit>(FIND_COMMIT, [this.id, rowsRoot]);
    return found;
  }

  /** @throws DNT_LIST_MISSING */
  async requireCommit(rowsRoot: string): Promise<StoredCommit> {
    const commit = await this.commit(rowsRoot);
    if (commit === undefined)
      throw datanetError("DNT_LIST_MISSING", `this host has no list of the commit ${rowsRoot}`, {
        data: { rowsRoot },
      });
    return commit;
  }

  /** Takes the list behind a final commit. @throws DNT_LIST_MISMATCH, SRV_QUOTA_USED, SRV_DISK_FULL */
  async addList(
    digests: Uint8Array,
    { commit, commitIndex }: { readonly commit: HostCommit; readonly commitIndex: number },
    { leafId, quotas }: Account,
  ): Promise<StoredCommit> {
    const rowsRoot = hex32(commit.rowsRoot);
    const rowCount = digests.length / DIGEST_BYTES;
    if (rowCount !== commit.rowCount || contributionRoot(rowHashesOf(digests)) !== commit.rowsRoot)
      throw mismatch(`the list of ${rowCount} rows is not that of the commit`, rowsRoot);
    const { committedAtMs, contributorId, opIndex } = commit;
    await this.database.transaction(async (queries) => {
      const { commitCount, withdrawalCount } = await lock(queries, this.id);
      const known = await queries.query("select 1 from commits where datanet_id = $1 and rows_root = $2", [
        this.id,
        rowsRoot,
      ]);
      if (known.length > 0) return;
      await quotas.takeBytes(queries, leafId, digests.length);
      await queries.query(
        `insert into commits (datanet_id, number, rows_root, row_count, contributor_id, commit_index, committed_at_ms, op_index, list)
           values ($1, $2, $3, $4, $5, $6, $7::bigint, $8::bigint, $9)`,
        [
          ...[this.id, commitCount, rowsRoot, rowCount, contributorId, commitIndex],
          ...[committedAtMs, opIndex, bufferOf(digests)],
        ],
      );
      if (withdrawalCount > 0)
        await receiveWithdrawn(queries, this.id, { commitNumber: commitCount, digests: bufferOf(digests) });
      await changed(queries, this.id, { commits: 1, bytes: digests.length });
    });
    return this.requireCommit(rowsRoot);
  }

  /** SHA-256 of each row of a commit, 32 bytes each, in pieces. */
  list({ number, rowCount }: StoredCommit): AsyncGenerator<Buffer> {
    return this.#slices("commits", "number", number, rowCount * DIGEST_BYTES);
  }

  /** SHA-256 of rows of a commit, 32 bytes each: as many as it has from place `from` on, at most `count`. */
  async digests({ number }: Pick<StoredCommit, "number">, from: number, count: number): Promise<Buffer> {
    const slice = [from * DIGEST_BYTES + 1, count * DIGEST_BYTES];
    const [found] = await this.database.query<{ digests: Buffer }>(READ_DIGESTS, [this.id, number, ...slice]);
    return found!.digests;
  }

  /**
   * Takes rows of a commit, from place `from` on, each checked against the list; those that are here are passed over. Where the
   * list has an alias of a row's digest (listed-digests.ts), the row's own is written. Searches find the rows a moment later
   * (describe-rows.ts).
   * @param published root of the published version, whose rows stay with whom it names; null for none
   * @returns how many are new. @throws DNT_LIST_MISMATCH, DNT_ROW_WITHDRAWN, SRV_QUOTA_USED, SRV_DISK_FULL
   */
  async addRows(
    commit: StoredCommit,
    from: number,
    rows: readonly Uint8Array[],
    account: Account,
    published: string | null = null,
  ): Promise<number> {
    const listed = await this.digests(commit, from, rows.length);
    const digests = rows.map((row, i) => {
      const digest = listed.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
      const own = Buffer.from(sha256Hex(row), "hex");
      if (row.length > 0 && (own.equals(digest) || digestToField(own) === digestToField(digest))) return own;
      throw datanetError(
        "DNT_LIST_MISMATCH",
        `row ${rowNumber(from + i)} is not the one that was committed`,
        { data: { reason: "row-mismatch", index: from + i, digest: digest.toString("hex") } },
      );
    });
    return this.database.transaction(async (queries) => {
      const [{ rowCount, withdrawalCount }] = await Promise.all([
        lock(queries, this.id),
        shareContents(queries),
      ]);
      const hasReturned =
        withdrawalCount > 0 &&
        (await requireNoneWithdrawn(queries, this.id, { ...commit, published }, digests));
      const pieces = new CommitRows(queries, this.id, commit, published);
      const fresh = await pieces.missingOf(from, rows.length);
      if (fresh.length === 0) return 0;
      const own = Buffer.concat(digests);
      const at = { commitNumber: commit.number, place: from };
      if (!own.equals(listed)) await writeDigests(queries, this.id, at, own);
      const bytes = fresh.reduce((sum, i) => sum + rows[i]!.length, 0);
      await account.quotas.takeBytes(queries, account.leafId, bytes);
      const addedCount = await pieces.add({
        rowCount,
        hasReturned,
        rows: fresh.map((i) => ({
          place: from + i,
          digest: digests[i]!,
          content: rows[i]!,
        })),
      });
      await changed(queries, this.id, { rows: addedCount, bytes });
      return fresh.length;
    });
  }

  /** Runs of rows that have not come, at most `max` of them. */
  async missing({ number }: StoredCommit, max: number): Promise<{ from: number; count: number }[]> {
    return this.database.query(
      `select lower(run) as "from", upper(run) - lower(run) as count
         from commits, unnest(int4multirange(int4range(0, row_count)) - received) as run
        where datanet_id = $1 and number = $2 order by lower(run) limit $3`,
      [this.id, number, max],
    );
  }

  /**
   * Rows of a commit as they lie here, from `from` on and without a gap, up to `maxBytes`, but one at least.
   * @throws DNT_ROW_WITHDRAWN if the first is withdrawn
   */
  async readRows(commit: StoredCommit, from: number, maxBytes: number): Promise<Uint8Array[]> {
    const [run] = await this.database.query<{ end: number }>(
      `select upper(run) as end from commits, unnest(received) as run
        where datanet_id = $1 and number = $2 and $3::bigint >= lower(run) and $3::bigint < upper(run)`,
      [this.id, commit.number, from],
    );
    const rows: Uint8Array[] = [];
    for (let next = from, bytes = 0; next < (run?.end ?? 0) && bytes < maxBytes; ) {
      const count = Math.min(ROWS_A_STATEMENT, run!.end - next);
      const found = await this.#contents(await this.digests(commit, next, count), {
        maxBytes: maxBytes - bytes,
        isFirst: rows.length === 0,
      });
      rows.push(...found);
      bytes += found.reduce((sum, row) => sum + row.length, 0);
      next += found.length;
      if (found.length < count) break;
    }
    if (rows.length === 0 && from < commit.rowCount) {
      const [withdrawn] = await withdrawnAmong(this.database, this.id, await this.digests(commit, from, 1));
      if (withdrawn !== undefined) throw rowWithdrawn(this.id, [withdrawn.digest], { index: from });
    }
    return rows;
  }

  /**
   * Contents of rows by digest, in the order asked for, as many as `maxBytes` have room for, but one at least.
   * @param digests 32 bytes each
   * @throws DNT_NOT_HOSTED for a row that the Datanet does not have here; DNT_ROW_WITHDRAWN, which names all withdrawn rows among
   *   those that are asked for
   */
  async fetchRows(digests: Uint8Array, maxBytes: number): Promise<Uint8Array[]> {
    const rows: Uint8Array[] = [];
    for (let at = 0, bytes = 0; at < digests.length && bytes < maxBytes; ) {
      const question = bufferOf(digests.subarray(at, at + ROWS_A_STATEMENT * DIGEST_BYTES));
      // Before what is absent: what is withdrawn meanwhile is found to be so.
      const found = await this.#contents(question, {
        maxBytes: maxBytes - bytes,
        isFirst: rows.length === 0,
      });
      const isShort = found.length < question.length / DIGEST_BYTES;
      const withdrawn =
        isShort || this.withdrawalCount > 0 ? await withdrawnAmong(this.database, this.id, question) : [];
      if (withdrawn.some(({ place }) => place <= found.length))
        throw rowWithdrawn(
          this.id,
          (await withdrawnAmong(this.database, this.id, bufferOf(digests))).map(({ digest }) => digest),
        );
      const [absent] = await this.database.query<{ digest: Buffer; place: number }>(
        `select digest, place from ${digestsSql("$2")} as asked
          where not exists (select 1 from rows where rows.digest = asked.digest and datanet_id = $1) order by place limit 1`,
        [this.id, question],
      );
      rows.push(...found);
      // What lies behind the room of the answer is nobody's business yet.
      if (absent !== undefined && absent.place <= found.length)
        throw notHosted(absent.digest.toString("hex"));
      if (isShort) break;
      bytes += found.reduce((sum, row) => sum + row.length, 0);
      at += question.length;
    }
    return rows;
  }

  /** Contents in the order of their digests, up to `maxBytes`; those that are not here, or withdrawn, end them. */
  async #contents(
    digests: Buffer,
    { isFirst, maxBytes }: { maxBytes: number; isFirst: boolean },
  ): Promise<Uint8Array[]> {
    const found = await this.database.query<{ place: number; bytes: Buffer }>(
      `select place, bytes from (
          select place, bytes, sum(octet_length(bytes)) over (order by place) as total
            from ${digestsSql("$1")} as asked join contents using (digest)
           where not exists (select 1 from rows where datanet_id = $4 and rows.digest = asked.digest and is_withdrawn)) as sized
        where total <= $2::bigint or (place = 0 and $3) order by place`,
      [digests, Math.max(0, maxBytes), isFirst, this.id],
    );
    const rows: Uint8Array[] = [];
    for (const { bytes, place } of found) {
      if (place !== rows.length) break;
      rows.push(bytes);
    }
    return rows;
  }

  /** Returns a row's id in the database. @throws DNT_NOT_HOSTED */
  async requireRow(digest: string): Promise<number> {
    const [row] = (await this.rowIds([digest])).values();
    if (row === undefined) throw notHosted(digest);
    return row;
  }

  /** Ids in the database of the rows that are here, by digest. */
  async rowIds(digests: readonly string[]): Promise<Map<string, number>> {
    if (digests.length === 0) return new Map();
    const found = await this.database.query<{ digest: Buffer; number: number }>(
      "select digest, number from rows where datanet_id = $1 and digest = any($2)",
      [this.id, digests.map((digest) => Buffer.from(digest, "hex"))],
    );
    return new Map(found.map(({ digest, number }) => [digest.toString("hex"), number]));
  }

  /** @throws DNT_NOT_HOSTED, DNT_ROW_WITHDRAWN */
  async content(digest: string): Promise<Uint8Array> {
    const [found] = await this.database.query<{ bytes: Buffer | null }>(
      `select case when not is_withdrawn then contents.bytes end as bytes from rows left join contents using (digest)
        where datanet_id = $1 and digest = $2`,
      [this.id, Buffer.from(digest, "hex")],
    );
    if (found === undefined) throw notHosted(digest);
    if (found.bytes === null) throw rowWithdrawn(this.id, [digest]);
    return found.bytes;
  }

  /** Roots among these that have versions whose lists are here. */
  async versionsHere(roots: readonly string[]): Promise<Set<string>> {
    const found = await this.database.query<{ root: string }>(
      "select rows_root as root from versions where datanet_id = $1 and rows_root = any($2)",
      [this.id, roots],
    );
    return new Set(found.map(({ root }) => root));
  }

  /**
   * Takes the list behind a version's root. Where it has aliases of rows that are here (listed-digests.ts), the rows' own digests
   * are written; one that has come before is mended so if another is brought.
   * @throws DNT_LIST_MISMATCH, SRV_QUOTA_USED, SRV_DISK_FULL
   */
  async addVersion(list: Uint8Array, rowsRoot: bigint, { leafId, quotas }: Account): Promise<void> {
    const root = hex32(rowsRoot);
    const [known] = await this.database.query<{ isSame: boolean }>(
      `select list = $3 as "isSame" from versions where datanet_id = $1 and rows_root = $2`,
      [this.id, root, bufferOf(list)],
    );
    if (known?.isSame === true) return;
    const rows = decodeVersion(list);
    if (versionRowsRoot(versionRowsOf(rows)) !== rowsRoot)
      throw mismatch(`the list of ${rows.length} rows is not that of the version`, root);
    await this.database.transaction(async (queries) => {
      await lock(queries, this.id);
      await quotas.takeBytes(queries, leafId, list.length);
      const mended = await mendVersionList(queries, this.id, list);
      const made = await queries.query(
        "insert into versions values ($1, $2, $3, $4) on conflict do nothing returning 1",
        [this.id, root, rows.length, mended],
      );
      if (made.length > 0) return changed(queries, this.id, { bytes: list.length });
      const [stored] = await queries.query<{ list: Buffer }>(
        "select list from versions where datanet_id = $1 and rows_root = $2",
        [this.id, root],
      );
      await queries.query("update versions set list = $3 where datanet_id = $1 and rows_root = $2", [
        this.id,
        root,
        await mendVersionList(queries, this.id, stored!.list),
      ]);
    });
  }

  /** Returns the list behind a version's root, as it travels, in pieces, and its length. @throws DNT_NOT_HOSTED */
  async versionList(rowsRoot: string): Promise<{ bytes: number; pieces: AsyncGenerator<Buffer> }> {
    const [found] = await this.database.query<{ bytes: number }>(
      "select octet_length(list) as bytes from versions where datanet_id = $1 and rows_root = $2",
      [this.id, rowsRoot],
    );
    if (found === undefined)
      throw datanetError("DNT_NOT_HOSTED", `this host has no version of root ${rowsRoot}`, {
        data: { rowsRoot },
      });
    return { bytes: found.bytes, pieces: this.#slices("versions", "rows_root", rowsRoot, found.bytes) };
  }

  async version(rowsRoot: string): Promise<ListedRow[]> {
    const { bytes, pieces } = await this.versionList(rowsRoot);
    return decodeVersion(await wholeOf(pieces, bytes));
  }

  async *#slices(
    table: "commits" | "versions",
    key: string,
    value: number | string,
    bytes: number,
  ): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes; at += LIST_SLICE_BYTES) {
      const [slice] = await this.database.query<{ bytes: Buffer }>(
        `select substring(list from $3::int for $4::int) as bytes from ${table} where datanet_id = $1 and ${key} = $2`,
        [this.id, value, at + 1, LIST_SLICE_BYTES],
      );
      yield slice!.bytes;
    }
  }

  /** Time until which a leaf may read, by the requests and answers that count (grants.ts); null if it was never granted. @param datanetKeyX the Datanet's present key */
  async grantedUntilMs(leafId: number, datanetKeyX: string): Promise<number | null> {
    const state = await this.stateOf(
      `id in (select unnest(array[asked.id, answer.id]) from records as asked
         join records as answer on answer.datanet_id = $1 and answer.row_number is null and answer.kind = 'accessAnswer'
              and answer.about = asked.id
        where asked.datanet_id = $1 and asked.row_number is null and asked.kind = 'accessRequest' and asked.about = ''
          and asked.leaf_id = $2)`,
      [leafId],
      (record) => isGrantRecordOf(record, datanetKeyX),
    );
    return state.grantedUntilMs(leafId);
  }

  /**
   * State by some of the records that hold, and of requests for access by those that were answered too.
   * @param where SQL; `$1` is the Datanet
   * @param counts which of them count; default: all
   */
  async stateOf(
    where: string,
    values: readonly SqlValue[] = [],
    counts: (record: SignedRecord) => boolean = () => true,
  ): Promise<RecordState> {
    const found = await this.database.query<{ id: string; record: string }>(
      `select id, record from records where datanet_id = $1 and (${where}) and (is_current or kind = 'accessRequest' and exists (
          select 1 from records as answer where answer.datanet_id = $1 and answer.row_number is null
             and answer.kind = 'accessAnswer' and answer.about = records.id))
        order by number`,
      [this.id, ...values],
    );
    const state = new RecordState();
    for (const { id, record } of found) {
      const parsed = JSON.parse(record) as SignedRecord;
      if (counts(parsed)) state.add(id, parsed.body);
    }
    return state;
  }

  /** State of some rows. */
  async stateOfRows(rows: readonly number[]): Promise<RecordState> {
    return rows.length === 0
      ? new RecordState()
      : this.stateOf("row_number = any($2) and is_current", [rows]);
  }

  /** Different rows that a leaf has labelled as a labeller. */
  labelCount(card: Card, leafId: number): Promise<number> {
    return labelCountOf(this.database, this.id, { card, leafId });
  }
}

/** Different rows of a Datanet that a leaf has labelled as a labeller. */
export async function labelCountOf(
  queries: Queries,
  datanetId: number,
  { card, leafId }: { card: Card; leafId: number },
): Promise<number> {
  const [found] = await queries.query<{ count: number }>(
    `select count(*)::int as count from labels where datanet_id = $1 and leaf_id = $2 and ${isLabellersSql(card)}`,
    [datanetId, leafId],
  );
  return found!.count;
}

/** True if rows have the same form and words by both cards. */
const describesAlike = (a: Card, b: Card) =>
  JSON.stringify([a.row, configurationsOf(a)]) === JSON.stringify([b.row, configurationsOf(b)]);

/** Locks the Datanet against other writes until the transaction ends. @returns its facts as they are then */
export async function lock(queries: Queries, datanetId: number): Promise<StoredDatanet> {
  const [facts] = await queries.query<StoredDatanet>(LOCK_FACTS, [datanetId]);
  return facts!;
}

/** Facts of a Datanet as they are; undefined if the host has nothing of it. */
export async function factsOf(queries: Queries, datanetId: number): Promise<StoredDatanet | undefined> {
  const [facts] = await queries.query<StoredDatanet>(READ_FACTS, [datanetId]);
  return facts;
}

/** Counts what the transaction has stored. */
export async function changed(
  { query }: Queries,
  datanetId: number,
  {
    bytes = 0,
    commits = 0,
    records = 0,
    rows = 0,
  }: { commits?: number; rows?: number; records?: number; bytes?: number },
): Promise<void> {
  await query(COUNT_STORED, [datanetId, commits, rows, records, bytes]);
}

/** Puts pieces together. @param bytes their length */
async function wholeOf(pieces: AsyncIterable<Buffer>, bytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for await (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const mismatch = (why: string, rowsRoot: string) =>
  datanetError("DNT_LIST_MISMATCH", why, { data: { rowsRoot } });

const notHosted = (digest: string) =>
  datanetError("DNT_NOT_HOSTED", `this host has no row ${digest}`, { data: { digest } });
