/**
 * Store of the answers of registered models and of the payments that were found for them, in PostgreSQL: all servers on one
 * database are one. What a server gave is opened by any other, and none of them reads a payment twice.
 */
import type { Database, Queries } from "@openledger/foundation/database/database";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { hex32 } from "@openledger/foundation/hex";

/** Answer that was given, and the opening of its receipt. Numbers that are field elements are 0x-hex of 32 bytes. */
export interface StoredAnswer {
  readonly receipt: string;
  readonly payerId: number;
  /** Hash of the signed question: the same question is answered the same way while the answer is unpaid. */
  readonly ask: string;
  /** Label; null for models without labels. */
  readonly label: string | null;
  readonly answer: string;
  /**
   * Prompt, stored if others may compare it with the query once its payment is drawn; absent if the payer asked for
   * privacy.
   */
  readonly prompt?: string;
  readonly answerHash: string;
  /** q, a byte an entry, in base64 (docs/reference/settlement.md). */
  readonly queryBytes: string;
  readonly queryCommitment: string;
  readonly salt: string;
  readonly priceWei: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** True for an answer that is opened once it is paid. */
  readonly isSealed?: true;
  /** True if the payment was drawn for a settlement: the data that others may compare is published. */
  readonly isDrawn?: true;
  /** null until the ledger has a payment with this receipt by this payer. */
  readonly payment: { readonly epoch: number; readonly index: number; readonly amountWei: string } | null;
}

/** Place up to which the ledger's payments are read: payments of `epoch` before place `index` are known. */
export interface PaymentCursor {
  readonly epoch: number;
  readonly index: number;
  /**
   * Chain of the payments that are known (docs/reference/settlement.md), 0x-hex. Another one means that others were put
   * in their place.
   */
  readonly chain: string;
}

/** Room of a page of paid answers. */
export interface PageLimits {
  readonly count: number;
  /** Maximum bytes of prompts together; the first answer is in the page at any rate. */
  readonly promptBytes: number;
}

export interface PaidPage {
  readonly paid: readonly { readonly index: number; readonly record: StoredAnswer }[];
  /** True if no answer follows. */
  readonly isLast: boolean;
}

/** Payment as the ledger has it, by its place in its epoch. */
export interface ReadPayment {
  readonly index: number;
  readonly receipt: bigint;
  readonly payerId: number;
  readonly amountWei: bigint;
}

/** Payments that a look at the ledger has read from a cursor on. */
export interface ReadStep {
  readonly cursor: PaymentCursor;
  readonly payments: readonly ReadPayment[];
  /** Cursor at the end of an epoch that was read to its end; absent where none was. */
  readonly closed?: PaymentCursor;
}

/** An account's turn at a model, which one server has at a time. */
export interface AccountTurn {
  readonly payerId: number;
  /** Name of the server's own, which nobody else has. */
  readonly holder: string;
}

const BEGINNING: PaymentCursor = { epoch: 1, index: 0, chain: hex32(0n) };
/** Time after which a turn is free that its server has not extended: it was killed. */
export const TURN_MS = 15_000;
/** Rows that one statement of a sweep deletes. */
const SWEEP_ROWS = 1_000;

/**
 * Texts of answers are bytes: a model's text may have characters that PostgreSQL's text has not. A receipt may be paid twice;
 * the first payment is its answer's, and `payments` has both.
 */
export const ANSWERS_PART: DatabasePart = {
  name: "answers",
  migrations: [
    `create table answers (
       model_id integer not null,
       receipt bytea not null check (octet_length(receipt) = 32),
       payer_id integer not null,
       ask bytea not null,
       label bytea,
       answer bytea not null,
       prompt bytea,
       answer_hash bytea not null,
       query_bytes bytea not null,
       query_commitment bytea not null,
       salt bytea not null,
       price_wei numeric(78, 0) not null,
       created_at timestamptz not null,
       expires_at timestamptz not null,
       is_sealed boolean not null,
       is_drawn boolean not null default false,
       paid_epoch integer,
       paid_index integer,
       paid_wei numeric(78, 0),
       -- When its payment was taken back: it is read again, and no sweep may delete the opening before that.
       taken_back_at timestamptz,
       primary key (model_id, receipt),
       check (num_nulls(paid_epoch, paid_index, paid_wei) in (0, 3))
     );
     create index answers_unpaid on answers (model_id, expires_at) where paid_epoch is null;
     create index answers_paid on answers (model_id, paid_epoch, paid_index) where paid_epoch is not null;
     create table unpaid (
       model_id integer not null,
       payer_id integer not null,
       receipt bytea not null,
       primary key (model_id, payer_id),
       foreign key (model_id, receipt) references answers on delete cascade
     );
     create index unpaid_receipt on unpaid (model_id, receipt);
     create table payments (
       model_id integer not null,
       epoch integer not null,
       index integer not null,
       receipt bytea not null,
       primary key (model_id, epoch, index),
       foreign key (model_id, receipt) references answers on delete cascade
     );
     create index payments_receipt on payments (model_id, receipt);
     create table cursors (
       model_id integer primary key,
       epoch integer not null,
       index integer not null,
       chain bytea not null
     );
     create table epochs_read (
       model_id integer not null,
       epoch integer not null,
       index integer not null,
       chain bytea not null,
       primary key (model_id, epoch)
     );
     create table turns (
       model_id integer not null,
       payer_id integer not null,
       holder text not null,
       ends_at timestamptz not null,
       primary key (model_id, payer_id)
     )`,
    // Signed requests for rows. Not logged: what a crash forgets of both goes together.
    `create unlogged table sessions (
       id integer primary key check (id = 1),
       session text not null
     );
     create unlogged table requests (
       nonce text primary key,
       expires_at_ms bigint not null
     );
     create index requests_expiry on requests (expires_at_ms)`,
    // Names that clients of x402 give their payments: each account has its own, for all models.
    `create table payment_names (
       payer_id integer not null,
       name text not null,
       model_id integer not null,
       receipt bytea not null,
       -- Answers of the same question that were given up for this one.
       given_up_count integer not null default 0,
       primary key (payer_id, name),
       foreign key (model_id, receipt) references answers on delete cascade
     );
     create index payment_names_receipt on payment_names (model_id, receipt)`,
  ],
};

/** Maximum names of one answer's payment. */
const MAX_NAMES = 16;
/** Maximum answers that are given up for one that was paid: each was computed for nothing. */
const MAX_GIVEN_UP = 8;

/** A payment by the name that its client gave it. */
export interface NamedPayment {
  readonly payerId: number;
  readonly name: string;
}

interface AnswerRow {
  readonly receipt: Buffer;
  readonly payer_id: number;
  readonly ask: Buffer;
  readonly label: Buffer | null;
  readonly answer: Buffer;
  readonly prompt: Buffer | null;
  readonly answer_hash: Buffer;
  readonly query_bytes: Buffer;
  readonly query_commitment: Buffer;
  readonly salt: Buffer;
  readonly price_wei: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly is_sealed: boolean;
  readonly is_drawn: boolean;
  readonly paid_epoch: number | null;
  readonly paid_index: number | null;
  readonly paid_wei: string | null;
}

/** All columns of an answer but its prompt. */
const OPENED_COLUMNS = `answers.receipt, payer_id, ask, label, answer, answer_hash, query_bytes, query_commitment, salt, price_wei, created_at,
  expires_at, is_sealed, is_drawn, paid_epoch, paid_index, paid_wei`;

interface CursorRow {
  readonly epoch: number;
  readonly index: number;
  readonly chain: Buffer;
}

/**
 * The answers of one model, by receipt. Every call throws SRV_DATABASE_UNREACHABLE, SRV_DISK_FULL or SRV_DATABASE_FAILED; what
 * has returned is committed.
 */
export class AnswerStore {
  readonly #database: Database;
  readonly #modelId: number;

  constructor(database: Database, modelId: number) {
    this.#database = database;
    this.#modelId = modelId;
  }

  async answer(receipt: string): Promise<StoredAnswer | undefined> {
    const [row] = await this.#database.query<AnswerRow>(
      "select * from answers where model_id = $1 and receipt = $2",
      [this.#modelId, bytesOf(receipt)],
    );
    return row === undefined ? undefined : answerOf(row);
  }

  /** The account's answer that waits for its payment, expired or not. */
  async unpaid(payerId: number): Promise<StoredAnswer | undefined> {
    const [row] = await this.#database.query<AnswerRow>(
      `select answers.* from unpaid join answers using (model_id, receipt)
         where unpaid.model_id = $1 and unpaid.payer_id = $2`,
      [this.#modelId, payerId],
    );
    return row === undefined ? undefined : answerOf(row);
  }

  /** Whether the account has left another answer unpaid that was open, and has not expired yet. */
  async hasGivenUp(
    payerId: number,
    { nowMs, receipt }: { readonly receipt: string; readonly nowMs: number },
  ): Promise<boolean> {
    const found = await this.#database.query(
      `select 1 from answers where model_id = $1 and paid_epoch is null and expires_at > $2 and payer_id = $3 and receipt <> $4
           and not is_sealed limit 1`,
      [this.#modelId, new Date(nowMs), payerId, bytesOf(receipt)],
    );
    return found.length > 0;
  }

  /**
   * Takes the account's turn: who has it makes the account's answer, and all others wait.
   * @returns false while another server has it
   */
  async takeTurn({ holder, payerId }: AccountTurn): Promise<boolean> {
    const taken = await this.#database.query(
      `insert into turns values ($1, $2, $3, now() + $4 * interval '1 ms')
         on conflict (model_id, payer_id) do update set holder = excluded.holder, ends_at = excluded.ends_at
           where turns.holder = excluded.holder or turns.ends_at < now()
         returning 1`,
      [this.#modelId, payerId, holder, TURN_MS],
    );
    return taken.length > 0;
  }

  /** Extends a turn that is not over yet. */
  async extendTurn({ holder, payerId }: AccountTurn): Promise<void> {
    await this.#database.query(
      `update turns set ends_at = now() + $4 * interval '1 ms' where model_id = $1 and payer_id = $2 and holder = $3`,
      [this.#modelId, payerId, holder, TURN_MS],
    );
  }

  async endTurn(turn: AccountTurn): Promise<void> {
    await this.#endTurn(this.#database, turn);
  }

  /**
   * Adds an answer in place of the account's unpaid one, and ends the turn in which it was made. The old one stays stored, so
   * that it can be opened if its payment comes late.
   * @returns false where the turn was over: another server may answer the account now, and nothing is stored
   */
  async add(record: StoredAnswer, turn: AccountTurn): Promise<boolean> {
    return this.#database.transaction(async (queries) => {
      if (!(await this.#endTurn(queries, turn))) return false;
      await queries.query(
        `insert into answers
           (model_id, receipt, payer_id, ask, label, answer, prompt, answer_hash, query_bytes, query_commitment, salt, price_wei,
            created_at, expires_at, is_sealed)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
        [
          this.#modelId,
          bytesOf(record.receipt),
          record.payerId,
          bytesOf(record.ask),
          record.label === null ? null : Buffer.from(record.label),
          Buffer.from(record.answer),
          record.prompt === undefined ? null : Buffer.from(record.prompt),
          bytesOf(record.answerHash),
          Buffer.from(record.queryBytes, "base64"),
          bytesOf(record.queryCommitment),
          bytesOf(record.salt),
          record.priceWei,
          new Date(record.createdAtMs),
          new Date(record.expiresAtMs),
          record.isSealed === true,
        ],
      );
      await queries.query(
        `insert into unpaid values ($1, $2, $3)
           on conflict (model_id, payer_id) do update set receipt = excluded.receipt`,
        [this.#modelId, record.payerId, bytesOf(record.receipt)],
      );
      return true;
    });
  }

  /** The answer that the payer's name of a payment stands for, of any model; undefined where it stands for none. */
  async named({ name, payerId }: NamedPayment): Promise<{ modelId: number; receipt: string } | undefined> {
    const [row] = await this.#database.query<{ model_id: number; receipt: Buffer }>(
      "select model_id, receipt from payment_names where payer_id = $1 and name = $2",
      [payerId, name],
    );
    return row === undefined
      ? undefined
      : { modelId: row.model_id, receipt: `0x${row.receipt.toString("hex")}` };
  }

  /**
   * Names the payment of an answer. A name that stands for another one is left to it unless that is `instead`.
   * @returns false where the name is another answer's, or this one has as many names as it may have
   */
  async name({ name, payerId }: NamedPayment, receipt: string, instead = receipt): Promise<boolean> {
    const named = await this.#database.query(
      `insert into payment_names (payer_id, name, model_id, receipt)
         select $1, $2, $3, $4 where (
           select count(*) from payment_names where model_id = $3 and receipt = $4 and name <> $2
         ) < $6
         on conflict (payer_id, name) do update set receipt = excluded.receipt
           where payment_names.model_id = $3 and payment_names.receipt in ($4, $5)
         returning 1`,
      [payerId, name, this.#modelId, bytesOf(receipt), bytesOf(instead), MAX_NAMES],
    );
    return named.length > 0;
  }

  /**
   * Lets an account ask further questions whose unpaid answer is given up: the same question's answer was paid before, by this name.
   * Attack: answers are made for nothing, one after another. A name has a few given up.
   */
  async giveUp({ name, payerId }: NamedPayment, receipt: string): Promise<void> {
    await this.#database.query(
      `with counted as (
         update payment_names set given_up_count = given_up_count + 1
           where payer_id = $1 and name = $2 and given_up_count < $5
             and exists (select 1 from unpaid where model_id = $3 and payer_id = $1 and receipt = $4)
           returning 1
       )
       delete from unpaid where model_id = $3 and payer_id = $1 and receipt = $4 and exists (select 1 from counted)`,
      [payerId, name, this.#modelId, bytesOf(receipt), MAX_GIVEN_UP],
    );
  }

  async cursor(): Promise<PaymentCursor> {
    const [row] = await this.#database.query<CursorRow>(
      "select epoch, index, chain from cursors where model_id = $1",
      [this.#modelId],
    );
    return row === undefined ? BEGINNING : cursorOf(row);
  }

  /** Cursor at which a closed epoch was read to its end; undefined if it was not. */
  async epochRead(epoch: number): Promise<PaymentCursor | undefined> {
    const [row] = await this.#database.query<CursorRow>(
      "select epoch, index, chain from epochs_read where model_id = $1 and epoch = $2",
      [this.#modelId, epoch],
    );
    return row === undefined ? undefined : cursorOf(row);
  }

  /**
   * Marks the answers that payments of the cursor's epoch are for, and moves the cursor, all or nothing. A payment by somebody
   * else than the account that asked marks nothing: its receipt does not open for them.
   * @param from cursor from which the payments were read; where another server has moved it, nothing is changed
   * @returns the cursor, and how many answers were paid for
   */
  async advance(
    from: PaymentCursor,
    { closed, cursor, payments }: ReadStep,
  ): Promise<{ cursor: PaymentCursor; count: number }> {
    return this.#whereCursorIs(from, async ({ query }) => {
      await this.#moveCursor(query, cursor);
      if (closed !== undefined)
        await query(
          `insert into epochs_read values ($1, $2, $3, $4)
             on conflict (model_id, epoch) do update set index = excluded.index, chain = excluded.chain`,
          [this.#modelId, closed.epoch, closed.index, bytesOf(closed.chain)],
        );
      const count = payments.length === 0 ? 0 : await this.#markPaid(query, from.epoch, payments);
      return { cursor, count };
    });
  }

  async #markPaid(query: Queries["query"], epoch: number, payments: readonly ReadPayment[]): Promise<number> {
    const [row] = await query<{ count: number }>(
      `with own as (
         select paid.index, paid.amount_wei, answers.receipt
           from unnest($3::integer[], $4::bytea[], $5::integer[], $6::numeric[]) as paid (index, receipt, payer_id, amount_wei)
           join answers on answers.model_id = $1 and answers.receipt = paid.receipt and answers.payer_id = paid.payer_id
           for update of answers
       ),
       listed as (insert into payments select $1, $2, index, receipt from own on conflict do nothing),
       marked as (
         update answers set paid_epoch = $2, paid_index = first.index, paid_wei = first.amount_wei
           from (select distinct on (receipt) * from own order by receipt, index) as first
           where answers.model_id = $1 and answers.receipt = first.receipt and answers.paid_epoch is null
       ),
       settled as (delete from unpaid using own where unpaid.model_id = $1 and unpaid.receipt = own.receipt)
       select count(*)::integer as count from own`,
      [
        this.#modelId,
        epoch,
        payments.map(({ index }) => index),
        payments.map(({ receipt }) => bytesOf(hex32(receipt))),
        payments.map(({ payerId }) => payerId),
        payments.map(({ amountWei }) => amountWei.toString()),
      ],
    );
    return row!.count;
  }

  /**
   * Forgets what was read of an epoch and of those after it, all or nothing: the ledger has other payments in their place.
   * @param from cursor at which that was found; where another server has moved it, nothing is changed
   * @returns the cursor, at the beginning of the epoch
   */
  async rewind(from: PaymentCursor, epoch: number): Promise<PaymentCursor> {
    const { cursor } = await this.#whereCursorIs(from, async ({ query }) => {
      const beginning = { ...BEGINNING, epoch };
      const values = [this.#modelId, epoch];
      await this.#moveCursor(query, beginning);
      await query("delete from epochs_read where model_id = $1 and epoch >= $2", values);
      await query(
        `with taken_back as (
           select payer_id, receipt, paid_epoch, paid_index from answers where model_id = $1 and paid_epoch >= $2 for update
         )
         insert into unpaid
           select distinct on (payer_id) $1, payer_id, receipt from taken_back order by payer_id, paid_epoch desc, paid_index desc
           on conflict do nothing`,
        values,
      );
      await query(
        `update answers set paid_epoch = null, paid_index = null, paid_wei = null, is_drawn = false, taken_back_at = now()
           where model_id = $1 and paid_epoch >= $2`,
        values,
      );
      await query("delete from payments where model_id = $1 and epoch >= $2", values);
      return { cursor: beginning, count: 0 };
    });
    return cursor;
  }

  /**
   * Answers paid in an epoch in the order of its payments, from payment `from` on: as many as a page has room for, one at least. Prompts are
   * read of those alone whose data are published, since a prompt may be a picture's file.
   */
  async paidIn(epoch: number, from: number, { count, promptBytes }: PageLimits): Promise<PaidPage> {
    const rows = await this.#database.query<AnswerRow & { index: number; upTo: number }>(
      `with following as (
         select payments.index, payments.receipt,
                case when is_drawn then coalesce(octet_length(prompt), 0) else 0 end as size
           from payments join answers using (model_id, receipt)
           where payments.model_id = $1 and payments.epoch = $2 and payments.index >= $3
           order by payments.index limit $4),
       sized as (select index, receipt, sum(size) over (order by index)::float8 as "upTo", min(index) over () as first from following)
       select index, "upTo", ${OPENED_COLUMNS}, case when is_drawn and ("upTo" <= $5 or index = first) then prompt end as prompt
         from sized join answers on answers.model_id = $1 and answers.receipt = sized.receipt order by index`,
      [this.#modelId, epoch, from, count + 1, promptBytes],
    );
    const within = rows.filter(({ upTo }, i) => i < count && (i === 0 || upTo <= promptBytes));
    return {
      paid: within.map((row) => ({ index: row.index, record: answerOf(row) })),
      isLast: within.length === rows.length,
    };
  }

  /** Marks the answers of an epoch's drawn payments. Payments for answers that nobody gave here are passed over. */
  async markDrawn(epoch: number, indices: Iterable<number>): Promise<void> {
    await this.#database.query(
      `update answers set is_drawn = true from payments
         where payments.model_id = $1 and payments.epoch = $2 and payments.index = any($3::integer[])
           and answers.model_id = $1 and answers.receipt = payments.receipt and not answers.is_drawn`,
      [this.#modelId, epoch, [...new Set(indices)]],
    );
  }

  /**
   * Forgets unpaid answers that expired, or whose payment was taken back, before `beforeMs`, and turns of servers that were killed. Several servers may do it at
   * once: each deletes others. @returns how many answers
   */
  async forgetUnpaid(beforeMs: number): Promise<number> {
    await this.#database.query(
      "delete from turns where model_id = $1 and ends_at < now() - interval '1 hour'",
      [this.#modelId],
    );
    for (let count = 0; ; ) {
      const gone = await this.#database.query(
        `delete from answers where model_id = $1 and receipt in (
           select receipt from answers where model_id = $1 and paid_epoch is null and expires_at < $2
                and (taken_back_at is null or taken_back_at < $2)
             limit $3 for update skip locked
         ) returning 1`,
        [this.#modelId, new Date(beforeMs), SWEEP_ROWS],
      );
      count += gone.length;
      if (gone.length < SWEEP_ROWS) return count;
    }
  }

  async #endTurn(queries: Queries, { holder, payerId }: AccountTurn): Promise<boolean> {
    const ended = await queries.query(
      "delete from turns where model_id = $1 and payer_id = $2 and holder = $3 returning 1",
      [this.#modelId, payerId, holder],
    );
    return ended.length > 0;
  }

  /** Runs a change alone with the model's cursor, where that is still the one that the caller has read from. */
  async #whereCursorIs(
    from: PaymentCursor,
    change: (queries: Queries) => Promise<{ cursor: PaymentCursor; count: number }>,
  ): Promise<{ cursor: PaymentCursor; count: number }> {
    return this.#database.transaction(async (queries) => {
      await this.#moveCursor(queries.query, BEGINNING, "do nothing");
      const [row] = await queries.query<CursorRow>(
        "select epoch, index, chain from cursors where model_id = $1 for update",
        [this.#modelId],
      );
      const found = cursorOf(row!);
      const isSame =
        found.epoch === from.epoch &&
        found.index === from.index &&
        BigInt(found.chain) === BigInt(from.chain);
      return isSame ? change(queries) : { cursor: found, count: 0 };
    });
  }

  async #moveCursor(
    query: Queries["query"],
    { chain, epoch, index }: PaymentCursor,
    onConflict = "do update set epoch = excluded.epoch, index = excluded.index, chain = excluded.chain",
  ): Promise<void> {
    await query(`insert into cursors values ($1, $2, $3, $4) on conflict (model_id) ${onConflict}`, [
      this.#modelId,
      epoch,
      index,
      bytesOf(chain),
    ]);
  }
}

const bytesOf = (hex: string) => Buffer.from(hex.slice(2).padStart(64, "0"), "hex");
const hexOf = (bytes: Buffer) => `0x${bytes.toString("hex")}`;

const cursorOf = ({ chain, epoch, index }: CursorRow): PaymentCursor => ({
  epoch,
  index,
  chain: hexOf(chain),
});

function answerOf(row: AnswerRow): StoredAnswer {
  return {
    receipt: hexOf(row.receipt),
    payerId: row.payer_id,
    ask: hexOf(row.ask),
    label: row.label === null ? null : row.label.toString(),
    answer: row.answer.toString(),
    ...(row.prompt === null ? {} : { prompt: row.prompt.toString() }),
    answerHash: hexOf(row.answer_hash),
    queryBytes: row.query_bytes.toString("base64"),
    queryCommitment: hexOf(row.query_commitment),
    salt: hexOf(row.salt),
    priceWei: row.price_wei,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    ...(row.is_sealed ? { isSealed: true } : {}),
    ...(row.is_drawn ? { isDrawn: true } : {}),
    payment:
      row.paid_epoch === null
        ? null
        : { epoch: row.paid_epoch, index: row.paid_index!, amountWei: row.paid_wei! },
  };
}
