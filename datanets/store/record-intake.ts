/**
 * Stores the signed records of many requests to a host in one transaction: while some are stored, others wait, and go together.
 * So many labellers share the cost of a transaction (record-routes.ts).
 */
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import type { HostedDatanet } from "./hosted-datanet.ts";
import type { Quotas } from "./quotas.ts";
import type { RecordOffer } from "./record-offer.ts";
import { takeRecords } from "./take-records.ts";

/** Maximum records of a transaction of several requests. */
const MAX_TOGETHER = 1_000;

type Results = (RollupError | null)[];

interface WaitingRequest {
  readonly datanet: HostedDatanet;
  readonly offers: readonly RecordOffer[];
  readonly resolve: (results: Results) => void;
  readonly reject: (error: unknown) => void;
}

export class RecordIntake {
  readonly #quotas: Quotas;
  /** Requests that wait, by Datanet: those of which a transaction runs. */
  readonly #waiting = new Map<number, WaitingRequest[]>();

  constructor(quotas: Quotas) {
    this.#quotas = quotas;
  }

  /**
   * Takes records whose signatures are checked; they hold from when it resolves.
   * @returns for each why it is not taken, or null
   */
  take(datanet: HostedDatanet, offers: readonly RecordOffer[]): Promise<Results> {
    return new Promise((resolve, reject) => {
      const request = { datanet, offers, resolve, reject };
      const waiting = this.#waiting.get(datanet.id);
      if (waiting !== undefined) {
        waiting.push(request);
        return;
      }
      this.#waiting.set(datanet.id, [request]);
      void this.#takeAll(datanet.id);
    });
  }

  async #takeAll(datanetId: number): Promise<void> {
    const waiting = this.#waiting.get(datanetId)!;
    while (waiting.length > 0) {
      let [end, count] = [1, waiting[0]!.offers.length];
      while (end < waiting.length && count + waiting[end]!.offers.length <= MAX_TOGETHER)
        count += waiting[end++]!.offers.length;
      await this.#takeTogether(waiting.splice(0, end));
    }
    this.#waiting.delete(datanetId);
  }

  async #takeTogether(requests: readonly WaitingRequest[]): Promise<void> {
    const offers = requests.flatMap((request) => request.offers);
    try {
      const results = await takeRecords(requests[0]!.datanet, offers, this.#quotas);
      let next = 0;
      for (const request of requests) {
        const first = next;
        next += request.offers.length;
        request.resolve(results.slice(first, next));
      }
    } catch (error) {
      // What is wrong with one request fails that one alone; a database that does not answer fails them all.
      const isEverybodys =
        requests.length === 1 || (isRollupError(error) && error.code !== "SRV_DATABASE_FAILED");
      for (const request of requests) {
        if (isEverybodys) request.reject(error);
        else await this.#takeTogether([request]);
      }
    }
  }
}
