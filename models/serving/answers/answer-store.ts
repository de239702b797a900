/**
 * The answers of a server's registered models on disk, by receipt: unpaid ones for a time, paid ones so that their
 * receipts can be opened. The service, the routes and the watcher of payments read and write it.
 */
import { hex32 } from "@openledger/foundation/hex";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel, type LevelDb, type LevelWrite } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";

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

const BEGINNING: PaymentCursor = { epoch: 1, index: 0, chain: hex32(0n) };

const digits = (value: number) => value.toString().padStart(10, "0");
const keysOf = (prefix: string) => ({
  answer: (receipt: string) => `${prefix}answer/${receipt}`,
  answersEnd: `${prefix}answer0`,
  unpaid: (payerId: number) => `${prefix}unpaid/${digits(payerId)}`,
  paid: (epoch: number, index: number) => `${prefix}paid/${digits(epoch)}/${digits(index)}`,
  paidEnd: `${prefix}paid0`,
  cursor: `${prefix}cursor`,
  read: (epoch: number) => `${prefix}read/${digits(epoch)}`,
  readEnd: `${prefix}read0`,
});

const put = (key: string, value: unknown): LevelWrite => ({ type: "put", key, value });

const REMEDIES = {
  locked: "Stop that one first.",
  corrupt:
    "Keep the folder, and put a copy in its place that was made while the server was stopped; without one start with an empty folder: answers that only the damaged one held cannot be opened, and their draws are void.",
  failed: "Mend that and start again.",
};

/**
 * The answers of a process's models, in LevelDB. An answer server that loses one cannot open its receipt: each write is synced,
 * and a store that lacks one does not open. Every call throws SRV_STORE_CORRUPT or SRV_STORE_FAILED where files or disk fail.
 */
export class AnswerFolder {
  readonly #level: CheckedLevel;

  private constructor(level: CheckedLevel) {
    this.#level = level;
  }

  /**
   * @param rollup whose payments open the answers
   * @param onFailure called once, when a read or a write failed: nothing more is taken then
   * @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED
   */
  static async open(
    folder: string,
    { chainId, rollupAddress }: StoreRollup,
    onFailure?: (error: RollupError) => void,
  ): Promise<AnswerFolder> {
    const level = await CheckedLevel.open(folder, {
      identity: { kind: "answers", rollup: { chainId, rollupAddress } },
      valueEncoding: checkedJson,
      remedies: REMEDIES,
      ...(onFailure === undefined ? {} : { onFailure }),
    });
    return new AnswerFolder(level);
  }

  /** Answers, payments and cursor of one model: a successor that is served from the same folder has its own. */
  ofModel(modelId: number): AnswerStore {
    return new AnswerStore(this.#level, modelId);
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

/** The answers of one model, by receipt. */
export class AnswerStore {
  readonly #level: CheckedLevel;
  readonly #db: LevelDb;
  readonly #keys: ReturnType<typeof keysOf>;

  constructor(level: CheckedLevel, modelId: number) {
    this.#level = level;
    this.#db = level.db;
    this.#keys = keysOf(`model/${digits(modelId)}/`);
  }

  async answer(receipt: string): Promise<StoredAnswer | undefined> {
    return (await this.#level.read(this.#db.get(this.#keys.answer(receipt)))) as StoredAnswer | undefined;
  }

  /** The account's answer that waits for its payment, expired or not. */
  async unpaid(payerId: number): Promise<StoredAnswer | undefined> {
    const receipt = (await this.#level.read(this.#db.get(this.#keys.unpaid(payerId)))) as string | undefined;
    return receipt === undefined ? undefined : this.answer(receipt);
  }

  /**
   * Adds an answer in place of the account's unpaid one. The old one stays stored, so that it can be opened if its
   * payment comes late.
   */
  async add(record: StoredAnswer): Promise<void> {
    await this.#level.write([
      put(this.#keys.answer(record.receipt), record),
      put(this.#keys.unpaid(record.payerId), record.receipt),
    ]);
  }

  async cursor(): Promise<PaymentCursor> {
    const cursor = await this.#level.read(this.#db.get(this.#keys.cursor));
    return (cursor as PaymentCursor | undefined) ?? BEGINNING;
  }

  /** Cursor at which a closed epoch was read to its end; undefined if it was not. */
  async epochRead(epoch: number): Promise<PaymentCursor | undefined> {
    return (await this.#level.read(this.#db.get(this.#keys.read(epoch)))) as PaymentCursor | undefined;
  }

  /**
   * Marks answers as paid and moves the cursor, all or nothing.
   * @param closed how the epoch before was read to its end
   * @returns the cursor
   */
  async advance(
    cursor: PaymentCursor,
    paid: readonly StoredAnswer[],
    closed?: PaymentCursor,
  ): Promise<PaymentCursor> {
    const writes: LevelWrite[] = [put(this.#keys.cursor, cursor)];
    const marked = new Set<string>();
    if (closed !== undefined) writes.push(put(this.#keys.read(closed.epoch), closed));
    for (const record of paid) {
      const { epoch, index } = record.payment!;
      writes.push(put(this.#keys.paid(epoch, index), record.receipt));
      // A receipt may be paid twice; the first payment is its answer's.
      const known = await this.answer(record.receipt);
      if (known?.payment === null && !marked.has(record.receipt))
        writes.push(put(this.#keys.answer(record.receipt), record));
      marked.add(record.receipt);
      if ((await this.unpaid(record.payerId))?.receipt === record.receipt)
        writes.push({ type: "del", key: this.#keys.unpaid(record.payerId) });
    }
    await this.#level.write(writes);
    return cursor;
  }

  /**
   * Forgets what was read of an epoch and of those after it, all or nothing: the ledger has other payments in their place.
   * @returns the cursor, at the beginning of the epoch
   */
  async rewind(epoch: number): Promise<PaymentCursor> {
    const cursor: PaymentCursor = { ...BEGINNING, epoch };
    const writes: LevelWrite[] = [put(this.#keys.cursor, cursor)];
    for (const [from, end] of [
      [this.#keys.read(epoch), this.#keys.readEnd],
      [this.#keys.paid(epoch, 0), this.#keys.paidEnd],
    ] as const)
      for await (const [key, value] of this.#level.readEach(this.#db.iterator({ gte: from, lt: end }))) {
        writes.push({ type: "del", key });
        const record = typeof value === "string" ? await this.answer(value) : undefined;
        if (record === undefined || record.payment === null || record.payment.epoch < epoch) continue;
        const { isDrawn: _drawn, ...left } = record;
        writes.push(put(this.#keys.answer(record.receipt), { ...left, payment: null }));
        if ((await this.unpaid(record.payerId)) === undefined)
          writes.push(put(this.#keys.unpaid(record.payerId), record.receipt));
      }
    await this.#level.write(writes);
    return cursor;
  }

  /** Answers paid in an epoch in the order of its payments, `limit` of them from payment `from` on. */
  async paidIn(
    epoch: number,
    from: number,
    limit: number,
  ): Promise<{ index: number; record: StoredAnswer }[]> {
    const found: { index: number; record: StoredAnswer }[] = [];
    const range = { gte: this.#keys.paid(epoch, from), lt: this.#keys.paid(epoch + 1, 0), limit };
    for await (const [key, receipt] of this.#level.readEach(this.#db.iterator(range))) {
      const record = await this.answer(receipt as string);
      if (record !== undefined) found.push({ index: Number(key.split("/").at(-1)), record });
    }
    return found;
  }

  /** Marks the answers of an epoch's drawn payments. Payments for answers that nobody gave here are passed over. */
  async markDrawn(epoch: number, indices: Iterable<number>): Promise<void> {
    const writes: LevelWrite[] = [];
    for (const index of new Set(indices)) {
      const receipt = (await this.#level.read(this.#db.get(this.#keys.paid(epoch, index)))) as
        | string
        | undefined;
      const record = receipt === undefined ? undefined : await this.answer(receipt);
      if (record !== undefined && record.isDrawn !== true)
        writes.push(put(this.#keys.answer(record.receipt), { ...record, isDrawn: true }));
    }
    if (writes.length > 0) await this.#level.write(writes);
  }

  /** Forgets unpaid answers that expired before `beforeMs`. @returns how many */
  async forgetUnpaid(beforeMs: number): Promise<number> {
    let count = 0;
    const answers = this.#db.iterator({ gte: this.#keys.answer(""), lt: this.#keys.answersEnd });
    for await (const [key, value] of this.#level.readEach(answers)) {
      const record = value as StoredAnswer;
      if (record.payment !== null || record.expiresAtMs >= beforeMs) continue;
      const writes: LevelWrite[] = [{ type: "del", key }];
      const unpaid = await this.unpaid(record.payerId);
      if (unpaid?.receipt === record.receipt)
        writes.push({ type: "del", key: this.#keys.unpaid(record.payerId) });
      await this.#level.write(writes);
      count += 1;
    }
    return count;
  }
}
