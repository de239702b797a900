/** Modules of a running factory, as its routes take them, and the check of a request's signature. factory-process.ts makes it. */

import type { LedgerClient } from "@openledger/client/ledger-client";
import type { RequestGuard } from "@openledger/datanets/host/request-guard";
import type { RequestSessions } from "@openledger/datanets/host/request-sessions";
import { REQUEST_HEADER } from "@openledger/datanets/records/signed-request";
import { rawBodyOf } from "@openledger/foundation/http/bodies";
import type { Logger } from "@openledger/foundation/logger";
import type { FastifyReply, FastifyRequest } from "fastify";
import { factoryError } from "../model-errors.ts";
import type { FactoryConfig } from "./factory-config.ts";
import type { FactoryMetrics } from "./factory-metrics.ts";
import type { ServedModels } from "./served-models.ts";
import type { BaseRegistry } from "./store/base-registry.ts";
import type { DatasetStore } from "./store/dataset-store.ts";
import type { CircuitSize, StoredJob } from "./store/factory-records.ts";
import type { JobControl } from "./store/job-control.ts";
import type { JobFiles } from "./store/job-files.ts";
import type { JobStore } from "./store/job-store.ts";
import type { TicketQueues } from "./store/job-tickets.ts";
import type { SideTasks } from "./tasks/side-tasks.ts";
import type { MachineTask } from "./tasks/task-messages.ts";

export interface FactoryContext {
  readonly config: FactoryConfig;
  /** Session that signed requests name, the same for all servers. */
  readonly sessions: RequestSessions;
  readonly client: LedgerClient;
  readonly guard: RequestGuard;
  readonly bases: BaseRegistry;
  readonly datasets: DatasetStore;
  readonly jobs: JobStore;
  readonly control: JobControl;
  readonly files: JobFiles;
  readonly queues: TicketQueues;
  readonly side: SideTasks;
  readonly served: ServedModels;
  /** Sizes of the rollup's settlement circuits; null while Ethereum does not answer. */
  readonly circuitSizes: () => Promise<readonly CircuitSize[] | null>;
  /** Runs `work` with the task of a data set's computations, whose folders go with its end. */
  readonly withTask: <T>(
    job: Pick<StoredJob["view"], "baseId" | "datasetId">,
    work: (task: MachineTask & { readonly jobFolder: string }) => Promise<T>,
  ) => Promise<T>;
  readonly metrics: FactoryMetrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** The address that clients sign requests for. */
  origin(): string;
  /** Jobs that this server's own worker has. */
  readonly runningCount: () => number;
  readonly isHealthy: () => Promise<boolean>;
  /** @throws SRV_DISK_FULL */
  requireRoom(): Promise<void>;
}

/**
 * The leaf that has signed the request, one that the factory works for.
 * @throws MOD_FACTORY_REFUSED, DNT_REQUEST_UNSIGNED and what else `RequestGuard.signer` throws
 */
export async function signerOf(context: FactoryContext, request: FastifyRequest): Promise<number> {
  const { guard, origin } = context;
  const { id } = await guard.signer(
    { origin: origin(), method: request.method, path: request.url, body: rawBodyOf(request) },
    headerOf(request),
  );
  requireAccount(context, id);
  return id;
}

/**
 * Checks the signature's header before a byte of the body is read: for routes that take large bodies.
 * @throws MOD_FACTORY_REFUSED, and what `RequestGuard.read` throws
 */
export async function requireSignedRequest(context: FactoryContext, request: FastifyRequest): Promise<void> {
  requireAccount(context, (await context.guard.read(headerOf(request))).leafId);
}

function requireAccount({ config: { accounts } }: FactoryContext, leafId: number): void {
  if (accounts === "any" || accounts.includes(leafId)) return;
  throw factoryError("MOD_FACTORY_REFUSED", `this factory does not work for leaf ${leafId}`, {
    data: { reason: "account-refused", leafId },
  });
}

function headerOf({ headers }: FastifyRequest): string | undefined {
  const header = headers[REQUEST_HEADER];
  return typeof header === "string" ? header : undefined;
}

/** Aborted when the client goes before its answer. */
export function whileWaitedFor(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
