/**
 * Customers who ask the servers of one model, pay, and wait until their payments are opened, each request again until it has an
 * answer; and what of it the database has afterwards. For tests and drills of what may fail.
 */
import { setTimeout as delay } from "node:timers/promises";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { type LedgerFixture, leafAnswer, owners } from "@openledger/client/testing/ledger-fixture";
import type { Queries } from "@openledger/foundation/database/queries";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelUrl } from "../serving/serve-models.ts";
import { type Payment, setPayments } from "./answered-world.ts";

export interface AnswerLoadOptions {
  readonly fixture: LedgerFixture;
  readonly modelId: number;
  readonly prompts: readonly string[];
  /** Servers on one database. What one refuses is asked of the next. */
  readonly serverUrls: readonly string[];
  readonly customerCount: number;
}

interface AnswerThere {
  readonly receipt: string;
  readonly ask: string;
  readonly isPaid: boolean;
  readonly index: number | null;
  readonly isUnpaid: boolean;
}

interface Counted {
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
}

export interface AnswerLoadAudit {
  readonly answers: Counted;
  readonly payments: Counted;
  readonly problems: readonly string[];
}

const FIRST_CUSTOMER = 1_000;
const RETRY_MS = 100;
/** The ledger of the fixture shows payments of one epoch, each page of them. */
const MAX_PAYMENTS = 200;
/** Refusals that time mends; others are problems. */
const PASSING = [
  "CLI_UNREACHABLE",
  "SRV_DATABASE_UNREACHABLE",
  "SRV_DISK_FULL",
  "SRV_OVERLOADED",
  "SRV_STOPPING",
];

export class AnswerLoad {
  /** Receipts of answers that a server has given. */
  readonly receipts = new Set<string>();
  /** Payments as the ledger has them, in its order. */
  readonly payments: Payment[] = [];
  /** Receipts whose payment a server has acknowledged by an opening. */
  readonly opened = new Set<string>();
  readonly refusals = new Map<string, number>();
  readonly problems: string[] = [];
  /** Pause of a customer between two purchases, in ms. */
  paceMs = 0;
  readonly #options: AnswerLoadOptions;
  #turn = 0;
  #isEnding = false;
  #isAbandoned = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: AnswerLoadOptions) {
    this.#options = options;
    const { customerCount, fixture } = options;
    for (let i = 0; i < customerCount; i++) {
      const leaf = { id: FIRST_CUSTOMER + i, l1Owner: owners.payer, keyX: fixture.key.keyX, nextNonce: 0 };
      fixture.sequencer.answers.set(`GET /v1/leaves/${leaf.id}`, leafAnswer(leaf));
    }
    this.#showPayments();
  }

  get serverUrls(): readonly string[] {
    return this.#options.serverUrls;
  }

  /** All that was acknowledged. */
  get count(): number {
    return this.receipts.size + this.opened.size;
  }

  start(): void {
    const { customerCount } = this.#options;
    this.#running = Promise.all(
      Array.from({ length: customerCount }, (_, i) => this.#buy(FIRST_CUSTOMER + i)),
    );
  }

  /** Ends once every payment that was made is opened. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  /** Ends with whatever is on its way: nobody will answer any more. */
  async abandon(): Promise<void> {
    this.#isEnding = true;
    this.#isAbandoned = true;
    await this.#running;
  }

  async #buy(payerId: number): Promise<void> {
    const { prompts } = this.#options;
    for (let n = 0; !this.#isEnding && this.payments.length < MAX_PAYMENTS; n++) {
      const prompt = `${prompts[n % prompts.length]} ${payerId} ${n}`;
      const receipt = await this.#ask(prompt, payerId);
      if (receipt === null) return;
      // Asked again, of any server, the same question has the same answer as long as it is unpaid.
      const again = await this.#ask(prompt, payerId);
      if (again !== null && again !== receipt)
        this.problems.push(`question ${n} of ${payerId} was answered twice`);
      this.payments.push({ receipt, payerId });
      this.#showPayments();
      await this.#waitUntilOpened(hex32(receipt));
      await delay(this.paceMs);
    }
  }

  async #ask(prompt: string, from: number): Promise<bigint | null> {
    const { fixture, modelId } = this.#options;
    const answer = await this.#bring((url) =>
      askModel(fixture.client, { serverUrl: modelUrl(url, modelId), modelId, prompt, from }),
    );
    if (answer !== null) this.receipts.add(hex32(answer.receipt));
    return answer?.receipt ?? null;
  }

  async #waitUntilOpened(receipt: string): Promise<void> {
    const { modelId } = this.#options;
    while (!this.opened.has(receipt) && !this.#isAbandoned) {
      const openings = await this.#bring(async (url) => {
        const response = await fetch(`${modelUrl(url, modelId)}/v1/openings?epoch=1`).catch(() => null);
        const body = (await response?.json().catch(() => null)) as {
          openings?: { receipt: string }[];
          error?: { code: string };
        } | null;
        if (body?.openings !== undefined) return body.openings;
        throw Object.assign(new Error("no openings"), { code: body?.error?.code ?? "CLI_UNREACHABLE" });
      });
      for (const one of openings ?? []) this.opened.add(one.receipt);
      if (!this.opened.has(receipt)) await delay(RETRY_MS);
    }
  }

  #showPayments(): void {
    const { fixture, modelId } = this.#options;
    setPayments(fixture, modelId, this.payments);
  }

  async #bring<T>(ask: (url: string) => Promise<T>): Promise<T | null> {
    const { serverUrls } = this.#options;
    for (;;) {
      try {
        return await ask(serverUrls[this.#turn++ % serverUrls.length]!);
      } catch (error) {
        const { code = "OTHER" } = error as { code?: string };
        this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
        if (!PASSING.includes(code)) {
          this.problems.push(`${code}: ${isRollupError(error) ? error.message : String(error)}`);
          return null;
        }
        if (this.#isAbandoned) return null;
        await delay(RETRY_MS);
      }
    }
  }

  /**
   * Compares what was acknowledged with what is there.
   * @param queries of the answers' part of the database
   */
  async audit({ query }: Queries): Promise<AnswerLoadAudit> {
    const { modelId } = this.#options;
    const answers = await query<AnswerThere>(
      `select '0x' || encode(receipt, 'hex') as receipt, encode(ask, 'hex') as ask, paid_epoch is not null as "isPaid", paid_index as index,
              exists (select 1 from unpaid where unpaid.model_id = $1 and unpaid.receipt = answers.receipt) as "isUnpaid"
         from answers where model_id = $1`,
      [modelId],
    );
    const payments = await query<{ receipt: string; index: number }>(
      `select '0x' || encode(receipt, 'hex') as receipt, index from payments where model_id = $1 order by index`,
      [modelId],
    );
    const there = new Map(answers.map((one) => [one.receipt, one]));
    const readOf = (receipt: string) => payments.filter((one) => one.receipt === receipt);
    const problems = [...this.problems];
    for (const { index, isPaid, isUnpaid, receipt } of answers) {
      if (isPaid === isUnpaid) problems.push(`answer ${receipt} is paid and unpaid, or neither`);
      if (isPaid && readOf(receipt)[0]?.index !== index)
        problems.push(`answer ${receipt} has another payment's place`);
    }
    const isRead = (receipt: string) => readOf(receipt).length > 0 && there.get(receipt)?.isPaid === true;
    return {
      answers: {
        acknowledged: this.receipts.size,
        lost: [...this.receipts].filter((receipt) => !there.has(receipt)).length,
        doubled: answers.length - new Set(answers.map(({ ask }) => ask)).size,
      },
      payments: {
        acknowledged: this.opened.size,
        lost: [...this.opened].filter((receipt) => !isRead(receipt)).length,
        doubled: payments.length - new Set(payments.map(({ receipt }) => receipt)).size,
      },
      problems,
    };
  }
}
