/**
 * PostgreSQL of a world and all that works with it: two Datanet hosts, two model servers and a worker of the queue of proofs, each a
 * process, and people who bring rows and labels, ask, and pay. world.ts starts it where a declaration asks for it.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { keyFromSecret } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { clientWithoutL1 } from "@openledger/client/testing/client-without-l1";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { HOST_PART } from "@openledger/datanets/store/host-schema";
import { HostLoad } from "@openledger/datanets/testing/host-load";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { Database } from "@openledger/foundation/database/database";
import { openDatabase } from "@openledger/foundation/database/open-database";
import { createLogger } from "@openledger/foundation/logger";
import { type DatabaseProxy, startDatabaseProxy } from "@openledger/foundation/testing/database-proxy";
import { leftOutServer, type OwnServer, startOwnServer } from "@openledger/foundation/testing/own-server";
import { mountSmallDisk, type SmallDisk } from "@openledger/foundation/testing/small-disk";
import { startOf } from "@openledger/foundation/testing/start-of";
import { databaseAt } from "@openledger/foundation/testing/test-database";
import { ANSWERS_PART } from "@openledger/models/serving/answers/answer-store";
import { AnswerLoad } from "@openledger/models/testing/answer-load";
import {
  type AnsweredModel,
  modelLeaf,
  publishDirectModel,
  ROLLUP,
} from "@openledger/models/testing/answered-world";
import { getAddress, pad, parseEther, toHex } from "viem";
import { type DrillUser, drillAccount } from "./accounts.ts";
import { localUrl } from "./machine.ts";
import { healthOf, type ManagedProcess } from "./process.ts";
import { portOf, type ServiceSpec, serviceSpec } from "./services.ts";

/** First secret of the people's keys. */
const FIRST_SECRET = 9_000n;
const ROW_COUNT = 30_000;
const MODEL_ID = 9;
const CUSTOMERS = 3;
const PACE_MS = 250;
const DISK_MEGABYTES = 320;
/** Lease of a proof: a killed worker's job is another's, or its own again, after so long. */
const LEASE_MS = 5_000;
/** A client that waits longer than the database may be silent. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Parts of a world that its database's processes and people use. */
export interface HostingWorld {
  readonly l1: { readonly deployment: Deployment };
  readonly deploymentPath: string;
  readonly sequencerUrl: string;
  serve(spec: ServiceSpec): Promise<ManagedProcess>;
  openAccount(owner: Pick<DrillUser, "keyX" | "l1Owner">): Promise<number>;
  sign<T>(send: () => Promise<T>): Promise<T>;
  finalise(): Promise<void>;
}

export interface DatabaseAudit {
  readonly counts: Readonly<
    Record<
      "rows" | "labels" | "answers" | "payments",
      { acknowledged: number; lost: number; doubled: number }
    >
  >;
  readonly problems: readonly string[];
}

export class WorldDatabase {
  /** Why there is no disk to fill; null where there is one. */
  readonly diskLeftOut: string | null;
  readonly server: OwnServer;
  readonly proxy: DatabaseProxy;
  readonly disk: SmallDisk | null;
  readonly #folder: string;
  readonly #ends: (() => unknown)[] = [];
  #parts: { readonly hosts: Database; readonly answers: Database } | null = null;
  #processes: Readonly<Record<"hosts" | "modelServers" | "workers", readonly ManagedProcess[]>> | null = null;
  #loads: { readonly rows: HostLoad; readonly answers: AnswerLoad } | null = null;

  private constructor(
    folder: string,
    { disk, proxy, server }: { server: OwnServer; proxy: DatabaseProxy; disk: SmallDisk | string },
  ) {
    this.#folder = folder;
    this.server = server;
    this.proxy = proxy;
    this.disk = typeof disk === "string" ? null : disk;
    this.diskLeftOut = typeof disk === "string" ? disk : null;
  }

  /** Starts a server: the system's own where one is installed, else the one that npm packs. */
  static async start(tell: (text: string) => void): Promise<WorldDatabase> {
    const leftOut = leftOutServer("installed");
    if (leftOut !== null) tell(`${leftOut}: plays with the packaged server`);
    const folder = mkdtempSync(join(tmpdir(), "drill-database-"));
    // The server's user is another one where this process is root.
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "disk"));
    const disk = mountSmallDisk(join(folder, "disk"), DISK_MEGABYTES);
    try {
      const server = await startOwnServer(
        leftOut === null ? "installed" : "packaged",
        join(folder, "disk/server"),
      );
      return new WorldDatabase(folder, { server, disk, proxy: await startDatabaseProxy(server.url) });
    } catch (error) {
      if (typeof disk !== "string") disk.unmount();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get processes() {
    return this.#processes!;
  }

  get rows(): HostLoad {
    return this.#loads!.rows;
  }

  get answers(): AnswerLoad {
    return this.#loads!.answers;
  }

  /** Starts the workers, without which no batch is proven. */
  async startWorkers(world: HostingWorld, backend: string): Promise<void> {
    const url = await localUrl();
    const worker = await world.serve(
      serviceSpec("prover", url, {
        PROVER_DEPLOYMENT_PATH: world.deploymentPath,
        PROVER_DATABASE_URL: this.proxy.url,
        PROVER_BACKEND: backend,
        PROVER_NAME: "drill",
        PROVER_LEASE_MS: LEASE_MS,
        PROVER_HEALTH_PORT: portOf(url),
      }),
    );
    this.#processes = { hosts: [], modelServers: [], workers: [worker] };
  }

  /** Starts everything else, and the people, on a world whose sequencer and bridge run. */
  async populate(world: HostingWorld): Promise<void> {
    const { chainId, rollupAddress } = world.l1.deployment;
    const logger = createLogger("drill", "silent");
    const hosts = await this.#startHosts(world);
    const rows = await this.#rowLoad(world, hosts);
    const { answers, servers } = await this.#answerLoad(world);
    this.#processes = { ...this.processes, hosts, modelServers: servers };
    this.#loads = { rows, answers };
    const config = databaseAt(this.server.url);
    this.#parts = {
      hosts: await openDatabase(config, { part: HOST_PART, rollup: { chainId, rollupAddress }, logger }),
      answers: await openDatabase(config, { part: ANSWERS_PART, rollup: ROLLUP, logger }),
    };
    await rows.start();
    answers.start();
  }

  async #startHosts(world: HostingWorld): Promise<ManagedProcess[]> {
    const hosts: ManagedProcess[] = [];
    for (const name of ["datanet-host-1", "datanet-host-2"]) {
      const url = await localUrl();
      const spec = serviceSpec("datanet-host", url, {
        DATANET_DEPLOYMENT_PATH: world.deploymentPath,
        DATANET_SEQUENCER_URL: world.sequencerUrl,
        DATANET_DATABASE_URL: this.proxy.url,
        DATANET_JOURNAL_PATH: join(dirname(world.deploymentPath), "datanet-journal"),
        DATANET_PORT: portOf(url),
        DATANET_LEDGER_CACHE_MS: 0,
        DATANET_RATE_LIMIT_PER_MINUTE: 1_000_000,
      });
      hosts.push(await world.serve({ ...spec, name }));
      this.#urls.set(hosts.at(-1)!, url);
    }
    return hosts;
  }

  readonly #urls = new Map<ManagedProcess, string>();

  urlOf(process: ManagedProcess): string {
    return this.#urls.get(process)!;
  }

  /** A Datanet of the world's ledger, with a commit of many rows, and people who bring and label them. */
  async #rowLoad(world: HostingWorld, hosts: readonly ManagedProcess[]): Promise<HostLoad> {
    const people: LedgerClient[] = [];
    for (let i = 0; i < 3; i++) {
      const l2Key = await keyFromSecret(pad(toHex(FIRST_SECRET + BigInt(i))));
      const l1Owner = drillAccount("builder").address;
      people.push(clientOf(world, l2Key, await world.openAccount({ keyX: l2Key.keyX, l1Owner })));
    }
    const [contributor, ...labellers] = people;
    const ownKey = await keyFromSecret(pad(toHex(FIRST_SECRET + 99n)));
    const { hash } = await world.sign(() =>
      createDatanet(contributor!, {
        l1Owner: drillAccount("builder").address,
        keyX: ownKey.keyX,
        amountWei: parseEther("10"),
      }),
    );
    const datanetId = (await getOperation(contributor!, hash))!.createdId!;
    const card = sampleCard({
      labelling: { annotatorsPerRow: 2, accept: "all", labellers: "anyone", reviewers: [] },
    });
    await world.sign(() => publishCard(clientOf(world, ownKey, datanetId), { datanetId, card }));
    const rows = sampleRows(ROW_COUNT);
    const rowsRoot = contributionRoot(rows.map(hashRow));
    await world.sign(() => commitData(contributor!, { datanetId, rowsRoot, rowCount: ROW_COUNT }));
    await world.finalise();
    const hostUrls = hosts.map((host) => this.urlOf(host));
    await bringCard(contributor!, { hostUrl: hostUrls[0]!, datanetId, card });
    const load = new HostLoad({
      ...{ datanetId, hostUrls, labellers, rows, rowsRoot, label: "good" },
      contributor: { ...contributor!, requestTimeoutMs: REQUEST_TIMEOUT_MS },
    });
    load.paceMs = PACE_MS;
    return load;
  }

  /** A direct model whose ledger is a small one of its own, since a registered one takes proofs of a settlement's circuit. */
  async #answerLoad(world: HostingWorld): Promise<{ answers: AnswerLoad; servers: ManagedProcess[] }> {
    const model = await publishDirectModel();
    this.#ends.push(() => model.remove());
    const fixture = await createLedgerFixture({ hasFeed: false });
    this.#ends.push(() => fixture.close());
    for (const route of ["leaves", "models"])
      fixture.sequencer.answers.set(`GET /v1/${route}/${MODEL_ID}`, modelLeaf(model.model, MODEL_ID));
    const servers: ManagedProcess[] = [];
    for (const name of ["model-server-1", "model-server-2"]) {
      const url = await localUrl();
      servers.push(await world.serve(this.#modelServerSpec(name, url, { model, fixture })));
      this.#urls.set(servers.at(-1)!, url);
    }
    const answers = new AnswerLoad({
      ...{ fixture, modelId: MODEL_ID, prompts: model.prompts, customerCount: CUSTOMERS },
      serverUrls: servers.map((server) => this.urlOf(server)),
    });
    answers.paceMs = 2 * PACE_MS;
    return { answers, servers };
  }

  #modelServerSpec(
    name: string,
    url: string,
    { fixture, model }: { fixture: LedgerFixture; model: AnsweredModel },
  ) {
    const published = {
      locations: [{ modelId: MODEL_ID, folder: model.publishedFolder }],
      sequencerUrl: fixture.sequencer.url,
      rollup: ROLLUP,
      domain: fixture.client.domain.toString(),
      pollIntervalMs: PACE_MS,
    };
    return {
      name,
      args: [...startOf("models/testing/model-server.ts"), JSON.stringify(published)],
      env: {
        SERVING_PORT: portOf(url),
        SERVING_KERNELS: "wasm",
        SERVING_DATA_PATH: join(this.#folder, name),
        SERVING_DATABASE_URL: this.proxy.url,
        SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
      },
      isReady: healthOf(url),
    };
  }

  /** Compares what people have been told with what is there, on a straight way to the server. */
  async audit(): Promise<DatabaseAudit> {
    const rows = await this.rows.audit(this.#parts!.hosts);
    const answers = await this.answers.audit(this.#parts!.answers);
    const counts = {
      rows: rows.rows,
      labels: rows.labels,
      answers: answers.answers,
      payments: answers.payments,
    };
    const wrong = Object.entries(counts).flatMap(([what, { doubled, lost }]) =>
      lost + doubled === 0 ? [] : [`${what}: ${lost} lost, ${doubled} doubled`],
    );
    return { counts, problems: [...wrong, ...rows.problems, ...answers.problems] };
  }

  /** Ends the people once each has what was begun. */
  async settle(): Promise<void> {
    await Promise.all([this.#loads?.rows.stop(), this.#loads?.answers.stop()]);
  }

  /** Ends everything but the world's processes. */
  async stop(): Promise<void> {
    await Promise.all([this.#loads?.rows.stop(), this.#loads?.answers.abandon()]);
    for (const part of Object.values(this.#parts ?? {})) await part.close().catch(() => {});
    for (const end of this.#ends.splice(0).reverse()) await end();
    await this.proxy.close();
    await this.server.stop();
    this.disk?.unmount();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function clientOf(
  world: HostingWorld,
  l2Key: NonNullable<LedgerClient["l2Key"]>,
  leafId: number,
): LedgerClient {
  const { deployment } = world.l1;
  return clientWithoutL1({
    sequencerUrl: world.sequencerUrl,
    rollupAddress: getAddress(deployment.rollupAddress),
    tokenAddress: getAddress(deployment.tokenAddress),
    sequencerAddress: drillAccount("operator").address,
    domain: deployment.domain,
    l2Key,
    leafId,
  });
}
