/**
 * Chooses the rows that a labeller gets next, and reserves them for two minutes. The route of the label queue (row-routes.ts)
 * calls it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Queries } from "@openledger/foundation/database/queries";
import type { Card } from "../card/card.ts";
import { type HostedDatanet, labelCountOf } from "./hosted-datanet.ts";
import { outcomeSql } from "./row-outcome.ts";
import { SqlValues } from "./sql-values.ts";

/** Time for which a row is reserved for the labeller who got it, so that it gets no label too many. */
const RESERVED_MS = 120_000;
/** Maximum time that a reservation may have left, also by the clock of another host; one with more is of a clock that was wrong. */
const MAX_RESERVED_MS = 2 * RESERVED_MS;
/** One in this many rows of a labeller is a gold row, as long as there are gold rows they have not had. */
const GOLD_EVERY = 8;

/** A row whose label is known, by which labellers are tested. */
interface GoldRow {
  readonly number: number;
  /** True while it needs labels as any other row does. */
  readonly isWaiting: boolean;
}

export interface LabelRequest {
  /** Maximum rows. */
  readonly limit: number;
  /** Rows that the leaf has labelled, and will send: they stay reserved, and are not given again. */
  readonly unsent: readonly number[];
  /** Rows that the leaf does not want now. */
  readonly skipped: readonly number[];
}

export interface LabelPick {
  readonly rows: readonly number[];
  /** Rows that the leaf could label, were they not with others just now; null for none. */
  readonly held: {
    readonly rowCount: number;
    readonly leafIds: readonly number[];
    /** Time at which the first of them is free at the latest. */
    readonly untilMs: number;
  } | null;
}

/**
 * Chooses a labeller's next rows: first those that others have begun, so that rows get their labels together; then new ones,
 * from another position for each labeller. Nobody gets a row twice, nor one that as many labellers as it needs work on already.
 * They are reserved for the leaf for two minutes, and what was reserved for it before is free again, unless it is unsent.
 * Contributors get none of their own rows if the card does not say so.
 */
export function nextToLabel(
  datanet: HostedDatanet,
  card: Card,
  { leafId, nowMs, ...request }: LabelRequest & { leafId: number; nowMs: number },
): Promise<LabelPick> {
  return datanet.database.transaction(async (queries) => {
    const { unsent } = request;
    await queries.query(
      `delete from label_leases where datanet_id = $1
          and (until_ms <= $2::bigint or until_ms > $5::bigint or leaf_id = $3 and row_number <> all($4))`,
      [datanet.id, nowMs, leafId, unsent, nowMs + MAX_RESERVED_MS],
    );
    const queue = new Queue(queries, datanet, card, { ...request, leafId, nowMs });
    const picked = await queue.pick();
    if (picked.length > 0)
      await queries.query(
        `insert into label_leases select $1, row_number, $3, $4::bigint from unnest($2::int[]) as row_number
           on conflict (datanet_id, row_number, leaf_id) do update set until_ms = excluded.until_ms`,
        [datanet.id, picked, leafId, nowMs + RESERVED_MS],
      );
    return { rows: picked, held: await queue.held() };
  });
}

class Queue {
  readonly #queries: Queries;
  readonly #datanet: HostedDatanet;
  readonly #card: Card;
  readonly #request: LabelRequest & { readonly leafId: number; readonly nowMs: number };

  constructor(
    queries: Queries,
    datanet: HostedDatanet,
    card: Card,
    request: LabelRequest & { leafId: number; nowMs: number },
  ) {
    this.#queries = queries;
    this.#datanet = datanet;
    this.#card = card;
    this.#request = request;
  }

  async pick(): Promise<number[]> {
    const { limit, unsent } = this.#request;
    const ownCommits = await this.#ownCommits();
    let picked = await this.#pickOpen(ownCommits, "skip locked");
    // Others have them locked, but may not take them: those who label, decide or describe rows lock them for a moment, too.
    if (picked.length === 0) picked = await this.#pickOpen(ownCommits, "");
    const gold = await this.#gold(ownCommits);
    if (gold.length === 0) return picked;
    // Attack: a row that is given alone, and has its labels, is a test.
    if (picked.length === 0) return gold.flatMap(({ isWaiting, number }) => (isWaiting ? [number] : []));
    const secret = await this.#goldSecret();
    const { leafId } = this.#request;
    const doneCount =
      (await labelCountOf(this.#queries, this.#datanet.id, { card: this.#card, leafId })) + unsent.length;
    for (let at = 0; at <= picked.length && gold.length > 0; at++) {
      const turn = doneCount + at;
      const block = Math.floor(turn / GOLD_EVERY);
      if (turn % GOLD_EVERY === goldTurn(secret, leafId, block)) picked.splice(at, 0, gold.shift()!.number);
    }
    picked.splice(limit);
    return picked;
  }

  /** Rows that need one more label, but no gold ones. @param locked what becomes of rows that another transaction has locked */
  async #pickOpen(ownCommits: readonly number[], locked: "skip locked" | ""): Promise<number[]> {
    const { leafId, limit } = this.#request;
    const { rowCount } = this.#datanet;
    const picked = await this.#lockOpen(limit, locked, (bind) => ({
      which: `rows.begun_at is not null and rows.label_count > 0 and rows.gold_label is null and ${this.#mayLabel(bind, ownCommits)}`,
      order: "begun_at",
      // The index has rows of one number of labels in their order.
      maxLabelCount: this.#card.labelling.annotatorsPerRow - 1,
    }));
    const start = rowCount === 0 ? 0 : startOf(leafId) % rowCount;
    const turns = [`rows.number >= ${start}`, `rows.number < ${start}`];
    const fresh = [
      // No record is about them: they wait. Said so plainly, since their index is read in their order then.
      (bind: SqlValues["bind"]) => `rows.begun_at is null and ${this.#isForLeaf(bind, ownCommits)}`,
      // Nobody but their contributors has labelled them.
      (bind: SqlValues["bind"]) =>
        `rows.begun_at is not null and rows.label_count = 0 and rows.gold_label is null and ${this.#mayLabel(bind, ownCommits)}`,
    ];
    for (const conditionOf of fresh)
      for (const turn of turns) {
        if (picked.length === limit) break;
        picked.push(
          ...(await this.#lockOpen(limit - picked.length, locked, (bind) => ({
            which: `${turn} and ${conditionOf(bind)}`,
            order: "number",
          }))),
        );
      }
    return picked;
  }

  /** Rows that the leaf could label, were they not with others. */
  async held(): Promise<LabelPick["held"]> {
    const { bind, values } = new SqlValues();
    const { leafId, nowMs } = this.#request;
    const held = await this.#queries.query<{ leafIds: number[]; untilMs: number }>(
      `select array_agg(lease.leaf_id order by lease.leaf_id) as "leafIds", min(lease.until_ms)::float8 as "untilMs"
         from label_leases as lease join rows on rows.datanet_id = lease.datanet_id and rows.number = lease.row_number
        where ${this.#mayLabel(bind, await this.#ownCommits())} and rows.gold_label is null
          and lease.leaf_id <> ${bind(leafId)} and lease.until_ms > ${bind(nowMs)}::bigint
        group by rows.datanet_id, rows.number having ${outcomeSql(this.#card).counted} + count(*) >= ${bind(this.#card.labelling.annotatorsPerRow)}`,
      values,
    );
    if (held.length === 0) return null;
    return {
      rowCount: held.length,
      leafIds: [...new Set(held.flatMap(({ leafIds }) => leafIds))].sort((a, b) => a - b),
      untilMs: Math.min(...held.map(({ untilMs }) => untilMs)),
    };
  }

  /**
   * Locks rows that need one more label. Most of those that are locked are being reserved: they are passed over at first. What
   * another request has reserved a moment ago shows only now that the rows are locked.
   */
  async #lockOpen(
    limit: number,
    locked: "skip locked" | "",
    open: (bind: SqlValues["bind"]) => {
      readonly which: string;
      readonly order: "begun_at" | "number";
      /** Rows of 1 to this many labels are read apart, up to the limit each; all together if not given. */
      readonly maxLabelCount?: number;
    },
  ): Promise<number[]> {
    const { query } = this.#queries;
    const picked: number[] = [];
    const passed: number[] = [];
    while (picked.length < limit) {
      const { bind, values } = new SqlValues();
      const { maxLabelCount, order, which } = open(bind);
      const rest = bind(limit - picked.length);
      const apart = maxLabelCount === undefined ? "" : "and rows.label_count = counts.count";
      const lock = `select rows.number, rows.begun_at from rows where ${which} ${apart} and ${this.#hasRoom(bind)}
            and rows.number <> all(${bind([...picked, ...passed])}::int[])
          order by rows.${order} limit ${rest} for update of rows ${locked}`;
      const found = await query<{ number: number }>(
        maxLabelCount === undefined
          ? lock
          : `select next.number from generate_series(1, ${bind(maxLabelCount)}::int) as counts (count), lateral (${lock}) as next
              order by next.${order} limit ${rest}`,
        values,
      );
      if (found.length === 0) break;
      const numbers = found.map(({ number }) => number);
      const again = new SqlValues();
      const free = await query<{ number: number }>(
        `select rows.number from rows where rows.datanet_id = ${again.bind(this.#datanet.id)}
            and rows.number = any(${again.bind(numbers)}) and ${open(again.bind).which} and ${this.#hasRoom(again.bind)}`,
        again.values,
      );
      const isFree = new Set(free.map(({ number }) => number));
      picked.push(...numbers.filter((number) => isFree.has(number)));
      passed.push(...numbers.filter((number) => !isFree.has(number)));
    }
    return picked;
  }

  /** Gold rows that the leaf has not had, in the order in which they became ones. */
  async #gold(ownCommits: readonly number[]): Promise<GoldRow[]> {
    const { bind, values } = new SqlValues();
    return this.#queries.query<GoldRow>(
      `select rows.number, ${outcomeSql(this.#card).isWaiting} as "isWaiting" from rows where rows.begun_at is not null and rows.gold_label is not null
          and ${this.#isUnlabelled(bind)} and ${this.#isForLeaf(bind, ownCommits)}
        order by rows.begun_at limit ${bind(this.#request.limit)}`,
      values,
    );
  }

  /**
   * Secret of the order of gold rows, unknown to labellers: an unlisted record that makes a row a gold one, with its
   * signature.
   */
  async #goldSecret(): Promise<string> {
    const [found] = await this.#queries.query<{ record: string }>(
      `select records.record from records, (select number from rows where datanet_id = $1 and begun_at is not null
           and gold_label is not null order by begun_at limit 1) as first
        where records.datanet_id = $1 and records.row_number = first.number and is_current and kind = 'gold' limit 1`,
      [this.#datanet.id],
    );
    return found?.record ?? "";
  }

  #mayLabel(bind: SqlValues["bind"], ownCommits: readonly number[]): string {
    // The number of labels once more, for the index.
    return `${outcomeSql(this.#card).isWaiting} and rows.label_count < ${bind(this.#card.labelling.annotatorsPerRow)}
      and ${this.#isUnlabelled(bind)} and ${this.#isForLeaf(bind, ownCommits)}`;
  }

  #isUnlabelled(bind: SqlValues["bind"]): string {
    return `not exists (select 1 from labels where labels.datanet_id = rows.datanet_id and labels.row_number = rows.number
      and labels.leaf_id = ${bind(this.#request.leafId)})`;
  }

  /** Rows that the leaf does not pass over, and has not contributed. */
  #isForLeaf(bind: SqlValues["bind"], ownCommits: readonly number[]): string {
    const { skipped, unsent } = this.#request;
    return `rows.datanet_id = ${bind(this.#datanet.id)} and rows.number <> all(${bind([...unsent, ...skipped])}::int[])
      and rows.commit_number <> all(${bind(ownCommits)}::int[])`;
  }

  /** Commits of the leaf, whose rows it may not label; none if the card lets it. */
  async #ownCommits(): Promise<number[]> {
    if (this.#card.labelling.ownRows === "allowed") return [];
    const found = await this.#queries.query<{ number: number }>(
      "select number from commits where datanet_id = $1 and contributor_id = $2",
      [this.#datanet.id, this.#request.leafId],
    );
    return found.map(({ number }) => number);
  }

  #hasRoom(bind: SqlValues["bind"]): string {
    const { leafId, nowMs } = this.#request;
    return `${outcomeSql(this.#card).counted} + (select count(*) from label_leases as lease where lease.datanet_id = rows.datanet_id
        and lease.row_number = rows.number and lease.leaf_id <> ${bind(leafId)} and lease.until_ms > ${bind(nowMs)}::bigint)
        < ${bind(this.#card.labelling.annotatorsPerRow)}`;
  }
}

/** A leaf's own position among all rows. */
const startOf = (leafId: number) => hashNumber(`queue ${leafId}`);

/** Turn of the gold row among a leaf's rows of one block. Attack: who counts to it labels that row alone with care. */
const goldTurn = (secret: string, leafId: number, block: number) =>
  hashNumber(`gold ${leafId} ${block} ${secret}`) % GOLD_EVERY;

function hashNumber(text: string): number {
  const [a, b, c, d] = sha256(new TextEncoder().encode(text)) as unknown as number[];
  return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
}
