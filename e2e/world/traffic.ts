/** Signed transfers, sent like clients send them: again and again until the sequencer acknowledges. */
import { setTimeout as sleep } from "node:timers/promises";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { leafReference, messageHash, operationMessage } from "@openledger/circuits/ledger/operation";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { signMessage } from "@openledger/circuits/testing/known-signers";
import { encodeOperation, type OperationBody } from "@openledger/circuits/wire/operation-body";
import type { Preconfirmation } from "@openledger/client/sequencer/sequencer-schemas";
import { hex32 } from "@openledger/foundation/hex";
import type { DrillUser } from "./accounts.ts";

export const FEE_PER_UNIT_WEI = 1_000n;
const MAX_FEE_PER_UNIT_WEI = 1_000_000n;
/** Amounts are this times a number that nothing else has: so an operation is known by its amount. */
const AMOUNT_STEP_WEI = 10n ** 9n;
const REQUEST_TIMEOUT_MS = 10_000;
const RETRY_MS = 250;

export interface Acknowledged {
  readonly hash: string;
  /** null in a place that the sequencer may have promised before (sequencer/store/unpromised-positions.ts). */
  readonly preconfirmation: Preconfirmation | null;
  readonly user: DrillUser;
  readonly to: DrillUser;
  readonly nonce: number;
  readonly amountCode: bigint;
  readonly amountWei: bigint;
  readonly atMs: number;
  /** Body as it was sent. */
  readonly body: OperationBody;
}

interface SubmissionAnswer {
  readonly hash?: string;
  readonly status?: string;
  readonly preconfirmation?: Preconfirmation | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Refusals that time mends. Anything else is a finding. */
const WAITS = [
  "SEQ_BACKLOG_FULL",
  "SEQ_L1_HEAD_UNKNOWN",
  // A directory that is older than L1: a drill puts the right one back.
  "SEQ_BEHIND_L1",
  "SEQ_L1_LACKS_FINAL",
  "SRV_STOPPING",
  "SRV_RATE_LIMITED",
  "SRV_STORE_FAILED",
  // A response that was cut off: the operation is known, or comes again.
  "SRV_INTERNAL",
];

interface TrafficOptions {
  readonly sequencerUrl: string;
  readonly domain: bigint;
  readonly users: readonly DrillUser[];
}

export class Traffic {
  readonly acknowledged: Acknowledged[] = [];
  /** Refusals that no fault explains, and answers that contradict each other. */
  readonly problems: string[] = [];
  /** Pause of a user between two operations, in ms. */
  paceMs = 300;
  readonly #options: TrafficOptions;
  readonly #nonces: number[];
  #amountCount = 0;
  #isStopped = true;
  #isAbandoned = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#nonces = options.users.map(() => 0);
  }

  /**
   * Asks a machine that must not promise anything for a promise of something new.
   * @param timeoutMs so long it may be paused with the question in its hand
   * @returns whether it gave one that a client believes
   */
  async probe(url: string, nonce: number, timeoutMs: number): Promise<boolean> {
    const [user, to] = [this.#options.users[0]!, this.#options.users[1]!];
    const { body } = this.#sign(user, to, nonce, BigInt(++this.#amountCount) * AMOUNT_STEP_WEI);
    try {
      const response = await fetch(`${url}/v1/operations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { preconfirmation } = (await response.json()) as SubmissionAnswer;
      return preconfirmation != null;
    } catch {
      return false;
    }
  }

  start(): void {
    this.#isStopped = false;
    this.#running = Promise.all(this.#options.users.map((_, i) => this.#send(i)));
  }

  /** Ends after the operations that are on their way have got their preconfirmations. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Ends at once, with whatever is on its way: nobody will answer any more. */
  abandon(): void {
    this.#isStopped = true;
    this.#isAbandoned = true;
  }

  /** Time of the first acknowledgement after a moment, or null. */
  firstAfter(atMs: number): number | null {
    return this.acknowledged.find((one) => one.atMs > atMs)?.atMs ?? null;
  }

  async #send(index: number): Promise<void> {
    const { users } = this.#options;
    const user = users[index]!;
    for (let turn = 1; !this.#isStopped; turn++) {
      const to = users[(index + 1 + (turn % (users.length - 1))) % users.length]!;
      await this.#sendOne(index, user, to);
      await sleep(this.paceMs);
    }
  }

  async #sendOne(index: number, user: DrillUser, to: DrillUser): Promise<void> {
    const nonce = this.#nonces[index]!;
    const amountWei = BigInt(++this.#amountCount) * AMOUNT_STEP_WEI;
    const { amountCode, body, hash } = this.#sign(user, to, nonce, amountWei);
    while (!this.#isAbandoned) {
      const answer = await this.#post(body);
      const code = answer?.error?.code;
      if (answer?.status !== undefined && answer.status !== "pending") {
        this.#nonces[index] = nonce + 1;
        this.acknowledged.push({
          hash,
          preconfirmation: answer.preconfirmation ?? null,
          user,
          to,
          nonce,
          amountCode,
          amountWei,
          atMs: performance.now(),
          body,
        });
        return;
      }
      if (code !== undefined && !WAITS.includes(code)) {
        this.problems.push(`leaf ${user.leafId} nonce ${nonce}: ${code} ${answer?.error?.message}`);
        return;
      }
      await sleep(RETRY_MS);
    }
  }

  #sign(user: DrillUser, to: DrillUser, nonce: number, amountWei: bigint) {
    const amountCode = encodeAmount(amountWei);
    const operation = {
      kind: KIND.transfer,
      a: user.leafId,
      b: to.leafId,
      amountCode,
      words: [],
      nonce: BigInt(nonce),
      maxFeePerUnitWei: MAX_FEE_PER_UNIT_WEI,
    };
    const bRef = leafReference({ l1Owner: BigInt(to.l1Owner), kind: LEAF_KIND.account });
    const context = { domain: this.#options.domain, bRef };
    const signature = signMessage(user.secret, operationMessage(operation, context));
    const body = encodeOperation({ ...operation, signature });
    return { amountCode, body, hash: hex32(messageHash(operation, context)) };
  }

  /** null if nobody answered, or not to the end. */
  async #post(body: OperationBody): Promise<SubmissionAnswer | null> {
    try {
      const response = await fetch(`${this.#options.sequencerUrl}/v1/operations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return (await response.json()) as SubmissionAnswer;
    } catch {
      return null;
    }
  }
}
