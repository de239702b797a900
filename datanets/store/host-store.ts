/**
 * A Datanet host's database, as its routes take it: the hosted Datanets, their directory and their totals. One Datanet is a
 * `HostedDatanet`.
 */
import type { Database } from "@openledger/foundation/database/database";
import type { Queries } from "@openledger/foundation/database/queries";
import { CARD_FORMAT, type NamedCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { CardCache } from "./card-cache.ts";
import { boundUndescribed, describeAll, describePart } from "./describe-rows.ts";
import { factsOf, HostedDatanet } from "./hosted-datanet.ts";
import { queryOf, querySql } from "./row-words.ts";
import { SqlValues } from "./sql-values.ts";
import { DATANET_COLUMNS, type StoredDatanet } from "./stored-datanet.ts";

/** A leaf's number has 24 bits: a larger one is nobody's, and no number of a column. */
const MAX_LEAF_ID = 2 ** 24 - 1;

export interface DirectoryQuery {
  /** Beginnings of words. */
  readonly text?: string | undefined;
  readonly tag?: string | undefined;
  readonly field?: string | undefined;
  readonly access?: string | undefined;
  readonly from: number;
  readonly limit: number;
}

/** All hosts on one database see the same: nothing of it is kept here but cards, which never change, and rough sizes. */
export class HostStore {
  readonly database: Database;
  readonly domain: bigint;
  readonly #cards: CardCache;
  readonly #seenRowCounts = new Map<number, number>();

  constructor(database: Database, domain: bigint) {
    this.database = database;
    this.domain = domain;
    this.#cards = new CardCache(database);
  }

  /** @throws DNT_NOT_HOSTED */
  async require(id: number): Promise<HostedDatanet> {
    const [found] = await this.#facts(id);
    if (found !== undefined) return found;
    throw datanetError("DNT_NOT_HOSTED", `this host has nothing of Datanet ${id}`, {
      data: { datanetId: id },
    });
  }

  /** The Datanet, made where the host has nothing of it yet. */
  async openOrMake(id: number): Promise<HostedDatanet> {
    const [found] = await this.#facts(id);
    if (found !== undefined) return found;
    await this.database.query("insert into datanets (id) values ($1) on conflict do nothing", [id]);
    return this.require(id);
  }

  /**
   * Requires that the newest card of each Datanet is of the present format: rows of earlier ones had labels inside.
   * @throws DNT_CARD_EARLIER
   */
  async requirePresentCards(): Promise<void> {
    const found = await this.database.query<{ id: number }>(
      `select datanets.id from datanets join cards on datanet_id = datanets.id and cards.policy = datanets.policy
        where position($1 in card) = 0 order by 1`,
      [`"format":"${CARD_FORMAT}"`],
    );
    if (found.length === 0) return;
    const datanetIds = found.map(({ id }) => id);
    throw datanetError(
      "DNT_CARD_EARLIER",
      `the database has ${found.length} Datanets of an earlier version, the first is ${datanetIds[0]}: name an empty database`,
      { data: { datanetIds: datanetIds.slice(0, 20) } },
    );
  }

  /** Every Datanet of which the host has a card, by its number. */
  async all(): Promise<HostedDatanet[]> {
    const found = await this.database.query<StoredDatanet>(
      `select ${DATANET_COLUMNS} from datanets where card_count > 0 order by id`,
    );
    return found.map((facts) => this.#open(facts));
  }

  async #facts(id: number): Promise<HostedDatanet[]> {
    if (id > MAX_LEAF_ID) return [];
    const facts = await factsOf(this.database, id);
    return facts === undefined ? [] : [this.#open(facts)];
  }

  #open(facts: StoredDatanet): HostedDatanet {
    this.#seenRowCounts.set(facts.id, facts.rowCount);
    return new HostedDatanet(facts, this.#cards);
  }

  /**
   * Rows that a Datanet, or all of them, had when this process read of it last: what an answer may cost is told before anything
   * is read.
   */
  seenRowCount(id: number | null): number {
    if (id !== null) return this.#seenRowCounts.get(id) ?? 0;
    let sum = 0;
    for (const count of this.#seenRowCounts.values()) sum += count;
    return sum;
  }

  /** Datanets that this process has read of. */
  get seenDatanetCount(): number {
    return this.#seenRowCounts.size;
  }

  /** Datanets by their newest card: those with the words first that have them more often. */
  async find({ access, field, from, limit, tag, text }: DirectoryQuery) {
    const { bind, values } = new SqlValues();
    const expected = ["card_count > 0"];
    if (access !== undefined) expected.push(`access = ${bind(access)}`);
    if (field !== undefined) expected.push(`field = ${bind(field.toLowerCase())}`);
    if (tag !== undefined) expected.push(`${bind(tag.toLowerCase())} = any(tags)`);
    const words = querySql(queryOf(text ?? "", true), ["simple"], bind);
    // A text without a letter or digit leaves nobody out.
    if (words !== "") expected.push(`words @@ (${words})`);
    const order = words === "" ? "" : `ts_rank(words, ${words}) desc, `;
    const matching = `from datanets where ${expected.join(" and ")}`;
    const [counted, found] = await Promise.all([
      this.database.query<{ total: number }>(`select count(*)::int as total ${matching}`, values),
      this.database.query<StoredDatanet>(
        `select ${DATANET_COLUMNS} ${matching} order by ${order}id offset ${Math.floor(from)} limit ${Math.floor(limit)}`,
        values,
      ),
    ]);
    return { total: counted[0]!.total, datanets: found.map((facts) => this.#open(facts)) };
  }

  /**
   * Finds the rows with these SHA-256, 32 bytes each, in public Datanets: the Datanets, and who has contributed the rows. Of a
   * permissioned one nobody learns what it has by guessing.
   */
  knownRows(digests: Buffer): Promise<{ place: number; datanetId: number; contributorId: number }[]> {
    return this.database.query(
      `select asked.place, rows.datanet_id as "datanetId", contributor_id as "contributorId"
         from (select place, substring($1::bytea from 32 * place + 1 for 32) as digest
                 from generate_series(0, octet_length($1::bytea) / 32 - 1) as place) as asked
         join rows using (digest)
         join datanets on datanets.id = rows.datanet_id and access = 'public'
         join commits on commits.datanet_id = rows.datanet_id and commits.number = rows.commit_number
        order by rows.datanet_id, asked.place`,
      [digests],
    );
  }

  /** A card by its hash; null if the host does not have it. */
  card(datanetId: number, policy: string, queries: Queries): Promise<NamedCard | null> {
    return this.#cards.card(datanetId, policy, queries);
  }

  /** Describes a part of the rows that wait for it. @returns false if none does, or other hosts are at all of them */
  describePart(): Promise<boolean> {
    return describePart(this.#cards);
  }

  /** Describes all rows that wait for it, and waits for those that other hosts describe. */
  describeAll(): Promise<void> {
    return describeAll(this.#cards);
  }

  /** Waits until fewer than `max` rows of a Datanet wait to be described, so that more may come. */
  boundUndescribed(id: number, max?: number): Promise<void> {
    return boundUndescribed(this.#cards, id, max);
  }

  /** Rows and bytes of all Datanets, rows that wait to be described, and requests for access that nobody has answered. */
  async totals(): Promise<{
    rowCount: number;
    undescribedCount: number;
    storedBytes: number;
    unansweredCount: number;
  }> {
    const [totals] = await this.database.query<{
      rowCount: number;
      undescribedCount: number;
      storedBytes: number;
      unansweredCount: number;
    }>(
      `select coalesce(sum(row_count), 0)::float8 as "rowCount", coalesce(sum(row_count - described_count), 0)::float8 as "undescribedCount",
              coalesce(sum(stored_bytes), 0)::float8 as "storedBytes",
              (select count(*) from records asked where kind = 'accessRequest' and is_current and not exists (
                select 1 from records answer where answer.datanet_id = asked.datanet_id
                   and answer.kind = 'accessAnswer' and answer.row_number is null and answer.about = asked.id))::float8 as "unansweredCount"
         from datanets`,
    );
    return totals!;
  }
}
