/**
 * Chooses whether a batch's operations are posted as calldata or in a blob, when the batch is closed. It follows the operator's
 * word for this batch, the setting, or L1's prices as the bridge reports them. docs/explanation/data-availability.md describes
 * the consequences.
 */
import type { DataMode, DataSource } from "@openledger/circuits/protocol";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { type DataTwins, dataTwins } from "@openledger/circuits/registry/circuit-sizes";
import {
  cheaperSource,
  crossover,
  type DataCounts,
  type DataPrices,
  dataCostsWei,
} from "@openledger/contracts/l1/data-cost";
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";
import { sequencerError } from "../sequencer-errors.ts";
import type { ClosingSource, SourceChooser } from "./close-batch.ts";

/** Milliseconds for which reported prices hold: as long as those that the fee follows. Guess. */
const PRICES_LAST_MS = 600_000;

/**
 * only: the deployment has one of both circuits. set: the setting names it. operator: the operator named it for this
 * batch. cheaper: by the prices. margin: the other place is cheaper, but by less than a tenth. no-prices: none was reported
 * yet. old-prices: none was reported for ten minutes. Without prices batches stay where the last one was, and the first is
 * in calldata.
 */
type DataReason = "only" | "set" | "operator" | "cheaper" | "margin" | "no-prices" | "old-prices";

interface DataVerdict {
  readonly place: DataSource;
  readonly reason: DataReason;
}

/** Data place in /v1/status. */
interface DataView {
  readonly mode: DataMode;
  /** Verdict on the last closed batch; null where none was closed since the start. */
  readonly last: DataVerdict | null;
  /** Prices as the bridge reported them last; null where it never has. */
  readonly prices: {
    readonly gasPriceWei: string;
    readonly blobGasPriceWei: string;
    readonly reportedAtMs: number;
    /** True while the prices still hold. */
    readonly isFresh: boolean;
    /** Number of transfers, or payments, in a batch from which a blob costs no more; null where it always costs more. */
    readonly crossover: Readonly<Record<"transfer" | "payment", number | null>>;
  } | null;
}

type Circuit = CircuitSizes & { readonly name: string; readonly circuitId: bigint };

export class DataChoice implements SourceChooser {
  readonly mode: DataMode;
  readonly #circuits: DataTwins<Circuit>;
  readonly #modules: DataChoiceModules;
  #prices: (DataPrices & { readonly reportedAtMs: number }) | null = null;
  /** Place of the last batch. */
  #current: DataSource | null = null;
  #last: DataVerdict | null = null;

  /**
   * @param circuits of the deployment
   * @throws SRV_CONFIG_INVALID where the setting names a place for which the first circuit has no twin
   */
  constructor(mode: DataMode, circuits: readonly Circuit[], modules: DataChoiceModules) {
    this.mode = mode;
    this.#circuits = dataTwins(circuits);
    this.#modules = modules;
    if (!this.#isPossible(mode))
      throw sequencerError(
        "SRV_CONFIG_INVALID",
        `SEQUENCER_DATA_PLACE is ${mode}, and no circuit is ${circuits[0]!.name} with its data there`,
      );
  }

  #isPossible(mode: DataMode): boolean {
    return mode === "auto" || this.#circuits[mode] !== null;
  }

  #setCurrent(source: DataSource): void {
    this.#current = source;
    this.#modules.metrics.data.inBlob.set(source === "blob" ? 1 : 0);
  }

  /** Takes over the place of the last batch before the start, by its circuit's name; batches of others are ignored. */
  recall(circuitName: string): void {
    for (const position of ["blob", "calldata"] as const)
      if (this.#circuits[position]?.name === circuitName) this.#setCurrent(position);
  }

  /**
   * Notes the prices of a block that the bridge has seen. null: L1 names no prices; the last ones hold for as long as
   * before.
   */
  notePrices(prices: DataPrices | null): void {
    if (prices !== null) this.#prices = { ...prices, reportedAtMs: this.#modules.clock() };
  }

  /**
   * Chooser for a batch whose place the operator names. The mode counts in place of the setting.
   * @throws SEQ_PLACE_IMPOSSIBLE where no circuit has the data there
   */
  byOperator(mode: DataMode): SourceChooser {
    if (!this.#isPossible(mode)) {
      const where = mode === "blob" ? "a blob" : mode;
      throw sequencerError(
        "SEQ_PLACE_IMPOSSIBLE",
        `the rollup has no circuit for the sequencer's batches with their data in ${where}`,
        { data: { place: mode } },
      );
    }
    return { choose: (counts) => this.#choose(counts, mode) };
  }

  choose(counts: DataCounts): ClosingSource {
    return this.#choose(counts, null);
  }

  /** @param operatorMode null: the setting counts */
  #choose(counts: DataCounts, operatorMode: DataMode | null): ClosingSource {
    const verdict = this.#verdict(counts, operatorMode);
    const { place, reason } = verdict;
    const { logger, metrics } = this.#modules;
    if (place !== this.#last?.place || reason !== this.#last.reason) {
      const isBlind = reason === "no-prices" || reason === "old-prices";
      logger[isBlind ? "warn" : "info"](
        { place, reason, ...counts, ...this.#costs(counts) },
        isBlind ? "data of batches stays where it was: L1's prices are unknown" : "data of batches is placed",
      );
    }
    this.#last = verdict;
    this.#setCurrent(place);
    metrics.data.choices.inc({ place, reason });
    return { place, circuitId: this.#circuits[place]!.circuitId };
  }

  #verdict(counts: DataCounts, operatorMode: DataMode | null): DataVerdict {
    const { blob, calldata } = this.#circuits;
    if (blob === null) return { place: "calldata", reason: "only" };
    if (calldata === null) return { place: "blob", reason: "only" };
    const mode = operatorMode ?? this.mode;
    if (mode !== "auto") return { place: mode, reason: operatorMode === null ? "set" : "operator" };
    const prices = this.#prices;
    if (prices === null || !this.#isFresh)
      return { place: this.#current ?? "calldata", reason: prices === null ? "no-prices" : "old-prices" };
    const place = cheaperSource(counts, prices, this.#current);
    return { place, reason: place === cheaperSource(counts, prices, null) ? "cheaper" : "margin" };
  }

  get #isFresh(): boolean {
    return this.#prices !== null && this.#modules.clock() - this.#prices.reportedAtMs <= PRICES_LAST_MS;
  }

  #costs(counts: DataCounts): object {
    if (this.#prices === null) return {};
    const { blob, calldata } = dataCostsWei(counts, this.#prices);
    return { blobWei: blob.toString(), calldataWei: calldata.toString() };
  }

  get view(): DataView {
    const prices = this.#prices;
    const { mode } = this;
    if (prices === null) return { mode, last: this.#last, prices: null };
    const { gasPriceWei, blobGasPriceWei, reportedAtMs } = prices;
    const from = (kind: "transfer" | "payment") => {
      const count = crossover(kind, prices);
      return Number.isFinite(count) ? count : null;
    };
    return {
      mode,
      last: this.#last,
      prices: {
        gasPriceWei: gasPriceWei.toString(),
        blobGasPriceWei: blobGasPriceWei.toString(),
        reportedAtMs,
        isFresh: this.#isFresh,
        crossover: { transfer: from("transfer"), payment: from("payment") },
      },
    };
  }
}

interface DataChoiceModules {
  readonly logger: Pick<Logger, "info" | "warn">;
  readonly metrics: Pick<Metrics, "data">;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}
