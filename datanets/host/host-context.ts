/** Context that every route gets: config, store, ledger and the hosted Datanets. */
import type { Logger } from "@openledger/foundation/logger";
import { datanetError } from "../datanet-errors.ts";
import type { HostStore, Usage, UsageWrite } from "../store/host-store.ts";
import { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostLedger } from "../store/ledger-view.ts";
import type { NameTable } from "../store/name-table.ts";
import type { HostConfig } from "./config.ts";
import type { HostMetrics } from "./host-metrics.ts";
import type { RequestGuard } from "./request-guard.ts";

const DAY_MS = 86_400_000;

export interface HostContext {
  readonly config: HostConfig;
  readonly domain: bigint;
  readonly chainId: number;
  readonly rollupAddress: string;
  /** Random at each start: signed requests name it. */
  readonly session: string;
  readonly store: HostStore;
  readonly ledger: HostLedger;
  readonly guard: RequestGuard;
  readonly registry: DatanetRegistry;
  readonly names: NameTable;
  readonly quotas: Quotas;
  readonly metrics: HostMetrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** The address that clients sign requests for. */
  origin(): string;
  readonly isHealthy: () => boolean;
}

/** Registry of the Datanets of which the host has at least a card. */
export class DatanetRegistry {
  readonly #store: HostStore;
  readonly #domain: bigint;
  readonly #datanets = new Map<number, HostedDatanet>();

  constructor(store: HostStore, domain: bigint) {
    this.#store = store;
    this.#domain = domain;
  }

  /** Loads what is small of every Datanet: cards and lists. */
  async open(): Promise<void> {
    for (const id of await this.#store.datanetIds()) await this.openOrMake(id).open();
  }

  /** Loads the rest: the rows of all Datanets first, then their words. @throws SRV_STORE_CORRUPT */
  async load(signal: AbortSignal): Promise<void> {
    const stored = this.all().filter(({ loading }) => loading.stage !== null);
    for (const datanet of stored) await datanet.loadRows(signal);
    for (const datanet of stored) if (!signal.aborted) await datanet.loadWords(signal);
  }

  all(): HostedDatanet[] {
    return [...this.#datanets.values()].sort((a, b) => a.id - b.id);
  }

  /** Returns a Datanet whose rows and records are loaded. @throws DNT_NOT_HOSTED, DNT_LOADING */
  require(id: number): HostedDatanet {
    const datanet = this.known(id);
    datanet.loading.require("rows");
    return datanet;
  }

  /** Returns a Datanet whose cards and lists are loaded; its rows may not be. @throws DNT_NOT_HOSTED */
  known(id: number): HostedDatanet {
    const datanet = this.#datanets.get(id);
    if (datanet === undefined)
      throw datanetError("DNT_NOT_HOSTED", `this host has nothing of Datanet ${id}`, {
        data: { datanetId: id },
      });
    return datanet;
  }

  openOrMake(id: number): HostedDatanet {
    const known = this.#datanets.get(id);
    if (known !== undefined) return known;
    const made = new HostedDatanet(id, this.#store, this.#domain);
    this.#datanets.set(id, made);
    return made;
  }
}

/** Today's stored bytes and records of each leaf. The store has the same, and is read once. */
export class Quotas {
  readonly #config: Pick<HostConfig, "quotaBytesPerDay" | "quotaRecordsPerDay" | "maxStoreBytes">;
  readonly #store: HostStore;
  readonly #nowMs: () => number;
  readonly #used = new Map<number, { day: number; usage: Usage }>();

  constructor(config: HostConfig, store: HostStore, nowMs: () => number) {
    this.#config = config;
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Counts bytes that are about to be stored. @throws SRV_QUOTA_USED, SRV_DISK_FULL */
  async takeBytes(leafId: number, bytes: number): Promise<UsageWrite> {
    const { maxStoreBytes, quotaBytesPerDay } = this.#config;
    if (this.#store.blobBytes + bytes > maxStoreBytes)
      throw datanetError("SRV_DISK_FULL", `the host stores ${maxStoreBytes} bytes and no more`, {
        data: { maxStoreBytes },
      });
    return this.#take(leafId, { bytes, records: 0 }, { what: "bytes", max: quotaBytesPerDay });
  }

  /** @throws SRV_QUOTA_USED */
  takeRecords(leafId: number, records: number): Promise<UsageWrite> {
    return this.#take(
      leafId,
      { bytes: 0, records },
      { what: "records", max: this.#config.quotaRecordsPerDay },
    );
  }

  async #take(leafId: number, more: Usage, limit: { what: keyof Usage; max: number }): Promise<UsageWrite> {
    const day = Math.floor(this.#nowMs() / DAY_MS);
    if (this.#used.get(leafId)?.day !== day) {
      const stored = await this.#store.usage(leafId, day);
      if (this.#used.get(leafId)?.day !== day) this.#used.set(leafId, { day, usage: stored });
    }
    const { usage } = this.#used.get(leafId)!;
    const next = { bytes: usage.bytes + more.bytes, records: usage.records + more.records };
    if (next[limit.what] > limit.max)
      throw datanetError(
        "SRV_QUOTA_USED",
        `leaf ${leafId} has stored its ${limit.max} ${limit.what} of today`,
        {
          data: { reason: "quota-used", leafId, ...limit },
        },
      );
    this.#used.set(leafId, { day, usage: next });
    return { leafId, day, usage: next };
  }
}
