/**
 * Builds a running Datanet host from its settings: database, reader of the ledger, HTTP routes, background work. main.ts starts
 * and stops it.
 */
import type { AddressInfo } from "node:net";
import { BASE8, verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { initPoseidon, useNativeField } from "@openledger/circuits/field/poseidon";
import { contributionRoot } from "@openledger/circuits/ledger/version-rows";
import { loadNativeField } from "@openledger/circuits/native/native-field";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { openDatabase } from "@openledger/foundation/database/open-database";
import type { Logger } from "@openledger/foundation/logger";
import { refuseEarlierStore } from "@openledger/foundation/store/earlier-store";
import type { FastifyInstance } from "fastify";
import { deleteOldEvents } from "../notices/event-store.ts";
import { EventWatch } from "../notices/event-watch.ts";
import { deliverDue } from "../notices/webhooks.ts";
import { HOST_PART } from "../store/host-schema.ts";
import { HostStore } from "../store/host-store.ts";
import { KeyNotices } from "../store/key-notices.ts";
import { HostLedger } from "../store/ledger-view.ts";
import { deleteOldUsage, Quotas } from "../store/quotas.ts";
import { RecordJournal } from "../store/record-journal.ts";
import { redescribePart } from "../store/redescribe-rows.ts";
import { eraseFromCopies } from "../store/withdrawn-rows.ts";
import type { HostConfig } from "./config.ts";
import { createHostApi } from "./host-api.ts";
import type { HostContext } from "./host-context.ts";
import { createHostMetrics, type HostMetrics } from "./host-metrics.ts";
import { RequestGuard } from "./request-guard.ts";
import { DatabaseSessions } from "./request-sessions.ts";

export interface HostProcess {
  readonly app: FastifyInstance;
  readonly metrics: HostMetrics;
  readonly store: HostStore;
  /** @returns the URL at which it answers */
  listen(): Promise<string>;
  /** Answers what runs, refuses what comes, closes the database. */
  stop(): Promise<void>;
}

/** Folder in which hosts had everything before it was in the database. */
const EARLIER_FOLDER = ".openledger/datanets";
/** Time between two looks for rows that a newer card describes otherwise, and for usage of earlier days. */
const REDESCRIBE_EVERY_MS = 2_000;
/** Time between two looks for rows that have come: so long, at most, they wait before they are described, many at a time. */
const DESCRIBE_EVERY_MS = 1_000;
const DELETE_USAGE_EVERY_MS = 3_600_000;
/** Time between two looks whether what the journal is about has come. */
const PUT_WAITING_EVERY_MS = 5_000;

/**
 * @param modules tests pass a clock
 * @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_ENCODING, SRV_DATABASE_SCHEMA, SRV_WRONG_DATABASE, SRV_STORE_FORMAT, DNT_CARD_EARLIER, and what
 *   `RecordJournal.open` throws
 */
export async function createHostProcess(
  config: HostConfig,
  deployment: Pick<Deployment, "chainId" | "deployedIn" | "rollupAddress" | "domain">,
  modules: { logger: Logger; nowMs?: () => number },
): Promise<HostProcess> {
  const { logger, nowMs = Date.now } = modules;
  const { chainId, deployedIn, domain, rollupAddress } = deployment;
  refuseEarlierStore("datanet-host", EARLIER_FOLDER);
  await prepareHashes();
  const database = await openDatabase(config, {
    part: HOST_PART,
    rollup: { chainId, rollupAddress, deployedIn },
    logger,
  });
  const metrics = createHostMetrics(database);
  let isRunning = true;
  try {
    const store = new HostStore(database, domain);
    await store.requirePresentCards();
    // Costs of answers are told by the sizes that were seen last.
    await store.all();
    const ledger = new HostLedger(
      {
        sequencerUrl: config.sequencerUrl,
        serverToken: config.serverToken,
        cacheMs: config.ledgerCacheMs,
      },
      nowMs,
    );
    const sessions = new DatabaseSessions(database);
    let origin = config.publicUrl.replace(/\/+$/, "");
    // Before anybody reads: a database that was put back has rows that were withdrawn since.
    const journal = await RecordJournal.open(store, {
      folder: config.journalPath,
      rollup: { chainId, rollupAddress, deployedIn },
      domain,
      nowMs,
      logger,
    });
    const context: HostContext = {
      config,
      journal,
      domain,
      chainId,
      rollupAddress,
      sessions,
      store,
      ledger,
      metrics,
      logger,
      nowMs,
      keyNotices: new KeyNotices(ledger, nowMs),
      guard: new RequestGuard({ domain, sessions, ledger, nowMs }),
      quotas: new Quotas(config, nowMs),
      origin: () => origin,
      isHealthy: async () => isRunning && (await database.isReachable()),
    };
    collectTotals(context);
    const app = await createHostApi(context);
    const upkeeps = [
      new Upkeep(() => store.describePart(), {
        everyMs: DESCRIBE_EVERY_MS,
        onError: (err) => logger.warn({ err }, "rows that have come are not described yet"),
      }),
      new Upkeep(() => redescribePart(store), {
        everyMs: REDESCRIBE_EVERY_MS,
        onError: (err) => logger.warn({ err }, "rows are not described by the newer card yet"),
      }),
      new Upkeep(() => deleteOldUsage(database, nowMs()), {
        everyMs: DELETE_USAGE_EVERY_MS,
        onError: (err) => logger.warn({ err }, "usage of earlier days is not deleted yet"),
      }),
    ];
    upkeeps.push(
      new Upkeep(() => eraseFromCopies(database), {
        everyMs: DELETE_USAGE_EVERY_MS,
        onError: (err) =>
          logger.warn({ err }, "withdrawn rows are not erased yet from copies before a migration"),
      }),
    );
    upkeeps.push(
      new Upkeep(() => journal.putAllWaiting(), {
        everyMs: PUT_WAITING_EVERY_MS,
        onError: (err) => logger.warn({ err }, "withdrawals of the journal are not in the database yet"),
      }),
    );
    upkeeps.push(...noticeUpkeeps(context));
    return {
      app,
      metrics,
      store,
      async listen() {
        await app.listen({ host: config.host, port: config.port });
        const { address, family, port } = app.server.address() as AddressInfo;
        const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
        if (origin === "") origin = url;
        for (const upkeep of upkeeps) upkeep.start();
        return url;
      },
      async stop() {
        isRunning = false;
        await app.close();
        await Promise.all(upkeeps.map((upkeep) => upkeep.stop()));
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Makes the tables of hashes and signatures, so that no request waits for them. */
async function prepareHashes(): Promise<void> {
  await initPoseidon();
  useNativeField(loadNativeField());
  contributionRoot([0n]);
  // Nobody's signature, and wrong.
  const signature = { r8x: BASE8.x, r8y: BASE8.y, s: 1n };
  verifySignature({ keyX: BASE8.x, message: 0n, signature });
}

/**
 * Pause between the looks at two groups of a hundred Datanets. Each look makes two requests to the sequencer, so a host makes eight a
 * second, however many Datanets it has.
 */
const LOOK_PAUSE_MS = 250;
/** Time between two looks for calls of webhooks that are due. */
const DELIVER_EVERY_MS = 1_000;
const DELETE_EVENTS_EVERY_MS = 3_600_000;

/** Work of a host that tells people what happens. */
function noticeUpkeeps({ config, keyNotices, ledger, logger, nowMs, store }: HostContext): Upkeep[] {
  const { database } = store;
  const watch = new EventWatch({ store, ledger, keyNotices, nowMs });
  const deliver = { database, nowMs, allowedHosts: config.webhookHosts };
  return [
    new Upkeep(() => watch.poll(), {
      everyMs: config.noticesEveryMs,
      pauseMs: LOOK_PAUSE_MS,
      onError: (err) => logger.warn({ err }, "events of Datanets are not found yet"),
    }),
    new Upkeep(() => deliverDue(deliver), {
      everyMs: DELIVER_EVERY_MS,
      onError: (err) => logger.warn({ err }, "webhooks are not called yet"),
    }),
    new Upkeep(() => deleteOldEvents(database, nowMs()), {
      everyMs: DELETE_EVENTS_EVERY_MS,
      onError: (err) => logger.warn({ err }, "old events are not deleted yet"),
    }),
  ];
}

interface UpkeepOptions {
  readonly everyMs: number;
  /** Pause before a part that follows at once. Default: none. */
  readonly pauseMs?: number;
  readonly onError: (error: unknown) => void;
}

/** Work that is done again and again, a part at a time, so that the database is everybody's in between. */
class Upkeep {
  /** Returns true where another part follows. */
  readonly #doPart: () => Promise<boolean>;
  readonly #options: UpkeepOptions;
  #timer: NodeJS.Timeout | undefined;
  #part: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(doPart: () => Promise<boolean>, options: UpkeepOptions) {
    this.#doPart = doPart;
    this.#options = options;
  }

  start(): void {
    this.#part = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#part;
  }

  async #run(): Promise<void> {
    let isMore = false;
    try {
      isMore = await this.#doPart();
    } catch (error) {
      this.#options.onError(error);
    }
    const { everyMs, pauseMs = 0 } = this.#options;
    if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), isMore ? pauseMs : everyMs);
  }
}

/** Gauges that are counted at each scrape; without a database they stay as they were. */
function collectTotals({ logger, metrics, store }: HostContext): void {
  let counting: Promise<void> | null = null;
  const count = async () => {
    try {
      const { rowCount, storedBytes, unansweredCount, undescribedCount } = await store.totals();
      metrics.rows.set(rowCount);
      metrics.rowsUndescribed.set(undescribedCount);
      metrics.storedBytes.set(storedBytes);
      metrics.requestsUnanswered.set(unansweredCount);
    } catch (error) {
      logger.warn({ err: error }, "the database's totals cannot be read");
    } finally {
      counting = null;
    }
  };
  const collect = () => {
    counting ??= count();
    return counting;
  };
  for (const gauge of [
    metrics.rows,
    metrics.rowsUndescribed,
    metrics.storedBytes,
    metrics.requestsUnanswered,
  ])
    Object.assign(gauge, { collect });
}
