/** Everything that a running host consists of, wired up; main.ts gives it an environment and signals. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import type { Logger } from "@openledger/foundation/logger";
import type { FastifyInstance } from "fastify";
import { HostStore } from "../store/host-store.ts";
import { HostLedger } from "../store/ledger-view.ts";
import { NameTable } from "../store/name-table.ts";
import type { HostConfig } from "./config.ts";
import { createHostApi } from "./host-api.ts";
import { DatanetRegistry, type HostContext, Quotas } from "./host-context.ts";
import { createHostMetrics, type HostMetrics } from "./host-metrics.ts";
import { RequestGuard } from "./request-guard.ts";

export interface HostProcess {
  readonly app: FastifyInstance;
  readonly metrics: HostMetrics;
  readonly registry: DatanetRegistry;
  /** Starts to answer, and reads back the store. @returns the URL */
  listen(): Promise<string>;
  /** Resolves when everything is read back. */
  loaded(): Promise<void>;
  /** Answers what runs, refuses what comes, closes the store. */
  stop(): Promise<void>;
}

/**
 * @param modules tests pass a clock
 * @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED
 */
export async function createHostProcess(
  config: HostConfig,
  deployment: Pick<Deployment, "chainId" | "rollupAddress" | "domain">,
  modules: { logger: Logger; onFatal: (error: unknown) => void; nowMs?: () => number },
): Promise<HostProcess> {
  const { logger, onFatal, nowMs = Date.now } = modules;
  await initPoseidon();
  await mkdir(config.dataPath, { recursive: true });
  const metrics = createHostMetrics();
  let isHealthy = true;
  const store = await HostStore.open(config.dataPath, deployment, (error) => {
    isHealthy = false;
    onFatal(error);
  });
  try {
    const { chainId, domain, rollupAddress } = deployment;
    const session = randomBytes(16).toString("hex");
    const ledger = new HostLedger(
      { sequencerUrl: config.sequencerUrl, cacheMs: config.ledgerCacheMs },
      nowMs,
    );
    const registry = new DatanetRegistry(store, domain);
    await registry.open();
    const names = new NameTable(store);
    await names.open();
    const rowCount = () => registry.all().reduce((sum, { rows }) => sum + rows.size, 0);
    const stopping = new AbortController();
    const load = async () => {
      const startedAtMs = performance.now();
      await registry.load(stopping.signal);
      if (stopping.signal.aborted) return;
      const ms = Math.round(performance.now() - startedAtMs);
      logger.info({ datanets: registry.all().length, rows: rowCount(), ms }, "rows and records read");
    };
    let loaded: Promise<void> = Promise.resolve();
    let origin = config.publicUrl.replace(/\/+$/, "");
    const context: HostContext = {
      config,
      domain,
      chainId,
      rollupAddress,
      session,
      store,
      ledger,
      registry,
      names,
      metrics,
      logger,
      nowMs,
      guard: new RequestGuard({ domain, session, ledger, nowMs }),
      quotas: new Quotas(config, store, nowMs),
      origin: () => origin,
      isHealthy: () => isHealthy,
    };
    collectRegistry(context, rowCount);
    const app = await createHostApi(context);
    return {
      app,
      metrics,
      registry,
      async listen() {
        await app.listen({ host: config.host, port: config.port });
        const { address, family, port } = app.server.address() as AddressInfo;
        const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
        if (origin === "") origin = url;
        loaded = load();
        loaded.catch(onFatal);
        return url;
      },
      loaded: () => loaded,
      async stop() {
        isHealthy = false;
        stopping.abort();
        await app.close();
        await loaded.catch(() => {});
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Gauges that are counted at each scrape. */
function collectRegistry({ metrics, registry, store }: HostContext, rowCount: () => number): void {
  const { rows } = metrics;
  Object.assign(rows, {
    collect() {
      rows.set(rowCount());
      metrics.storedBytes.set(store.blobBytes);
      metrics.requestsUnanswered.set(
        registry
          .all()
          .reduce(
            (sum, { recordState }) =>
              sum + recordState.accessCases().filter(({ answer }) => answer === null).length,
            0,
          ),
      );
    },
  });
}
