/**
 * L1's prices of gas and blob gas, in wei, read from an Ethereum node, and whether a blob or calldata is cheaper for a batch at
 * them. The bridge's loop of prices calls `note`; the queue loop reports `latest` to the sequencer.
 */
import { type BatchShape, type DataSource, isBlobShape } from "@openledger/circuits/protocol";
import {
  type CALLDATA_GAS,
  cheaperSource,
  crossover,
  type DataCounts,
  type DataPrices,
  dataCostsWei,
} from "@openledger/contracts/l1/data-cost";
import type { Logger } from "@openledger/foundation/logger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { BridgeMetrics } from "../metrics.ts";
import { type L1Client, l1Call } from "./l1-client.ts";

/** Shortest time between two readings of the prices: five blocks of Ethereum. */
const INTERVAL_MS = 60_000;

type Kind = keyof typeof CALLDATA_GAS;
const KINDS: readonly Kind[] = ["transfer", "payment"];
/** Counts of a batch that has operations of one kind alone. */
const OF_KIND = {
  transfer: (count: number) => ({ transfers: count, payments: 0 }),
  payment: (count: number) => ({ transfers: 0, payments: count }),
} satisfies Record<Kind, (count: number) => DataCounts>;

/** Comparison for one kind of operation, at the present prices. */
interface Verdict {
  readonly kind: Kind;
  /** Number of operations in a full batch. */
  readonly operations: number;
  /** Operations of a batch from which on a blob costs no more than calldata. */
  readonly crossover: number;
  readonly cheaper: DataSource;
}

/**
 * Compares blob and calldata for the narrow slots of a full batch, by L1's prices. The result is logged for people; the
 * prices go to the sequencer, which chooses by the same formula for each batch that it closes.
 */
export class DataPricesNotice {
  readonly #modules: DataPricesModules;
  /** Slots of the largest table. */
  readonly #capacity: ReadonlyMap<Kind, number>;
  readonly #isInBlobs: boolean;
  readonly #nowMs: () => number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #summary = "";
  /** Prices, at most a minute old where `note` is called; null where L1 names none. */
  latest: DataPrices | null = null;

  /** @param shapes of the rollup's batch circuits */
  constructor(shapes: readonly BatchShape[], modules: DataPricesModules) {
    this.#modules = modules;
    const max = (count: (shape: BatchShape) => number) => Math.max(0, ...shapes.map(count));
    const capacity: [Kind, number][] = [
      ["transfer", max(({ narrow, table }) => narrow - table.members)],
      ["payment", max(({ table }) => table.members)],
    ];
    this.#capacity = new Map(capacity.filter(([, count]) => count > 0));
    this.#isInBlobs = shapes.some(isBlobShape);
    this.#nowMs = modules.nowMs ?? Date.now;
  }

  /**
   * Reads the prices, at most once a minute, however often it is called. Where L1 names no price, no line is logged.
   */
  async note(): Promise<void> {
    if (this.#capacity.size === 0 || this.#nowMs() - this.#lookedAtMs < INTERVAL_MS) return;
    this.#lookedAtMs = this.#nowMs();
    let prices: DataPrices;
    try {
      prices = await this.#prices();
      this.latest = prices;
    } catch (error) {
      this.latest = null;
      if (!isRollupError(error)) throw error;
      this.#modules.logger.debug({ code: error.code }, "L1 names no prices of data");
      return;
    }
    const verdicts = KINDS.flatMap((kind) => this.#verdict(kind, prices) ?? []);
    const summary = verdicts.map(({ cheaper, kind }) => `${kind} ${cheaper}`).join(", ");
    if (summary === this.#summary) return;
    this.#summary = summary;
    const { blobGasPriceWei, gasPriceWei } = prices;
    this.#modules.logger.info(
      {
        verdicts,
        isInBlobs: this.#isInBlobs,
        gasPriceWei: gasPriceWei.toString(),
        blobGasPriceWei: blobGasPriceWei.toString(),
      },
      `cheaper for a full batch's data at L1's prices: ${summary}`,
    );
  }

  async #prices(): Promise<DataPrices> {
    const { client } = this.#modules;
    const [gasPriceWei, blobGasPriceWei] = await Promise.all([
      l1Call("read the price of gas", () => client.getGasPrice()),
      l1Call("read the price of blob gas", () => client.getBlobBaseFee()),
    ]);
    return { gasPriceWei, blobGasPriceWei };
  }

  #verdict(kind: Kind, prices: DataPrices): Verdict | null {
    const operations = this.#capacity.get(kind);
    if (operations === undefined) return null;
    const counts = OF_KIND[kind](operations);
    const costsWei = dataCostsWei(counts, prices);
    const from = crossover(kind, prices);
    const { blobCrossover, dataCost } = this.#modules.metrics;
    blobCrossover.set({ kind }, from);
    for (const place of ["blob", "calldata"] as const)
      dataCost.set({ kind, place }, Number(costsWei[place]) / operations);
    return { kind, operations, crossover: from, cheaper: cheaperSource(counts, prices, null) };
  }
}

interface DataPricesModules {
  readonly client: Pick<L1Client, "getGasPrice" | "getBlobBaseFee">;
  readonly logger: Pick<Logger, "info" | "debug">;
  readonly metrics: Pick<BridgeMetrics, "blobCrossover" | "dataCost">;
  readonly nowMs?: () => number;
}
