/** Factories over the Datanets' test world: a real sequencer, a host, and a base small enough to tune in a second. */
import { join } from "node:path";
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { nameCard } from "@openledger/datanets/card/card";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { createLogger } from "@openledger/foundation/logger";
import { type OwnProcess, startOwnProcess } from "@openledger/foundation/testing/own-process";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import type { DatasetRequest, FormView, WriteForm } from "../factory/factory-api.ts";
import { FactoryClient } from "../factory/factory-client.ts";
import { readFactoryConfig } from "../factory/factory-config.ts";
import { createFactoryProcess, type FactoryProcess } from "../factory/factory-process.ts";
import type { CircuitSize } from "../factory/store/factory-records.ts";
import { FACTORY_WORKER_RIGHTS } from "../factory/store/factory-schema.ts";
import { makeModel, writeMadeModel } from "./made-models.ts";
import { byteConfig } from "./text-rows.ts";

/** Sizes of the settlement circuits that models are made for: those that write, and those that sort. */
const FACTORY_CIRCUITS: readonly CircuitSize[] = [
  { rows: 64, payees: 16, features: 36, draws: 4 },
  { rows: 64, payees: 16, features: 512, draws: 4, isDirect: true },
];

/** Leaf that validates published texts: the second user's. */
const VALIDATOR_ID = 3;

export interface TestFactory extends FactoryProcess {
  readonly url: string;
  /** Ids of the processes that train, in the order of their starts. */
  readonly trainerIds: number[];
  /** Returns a client that acts as user i of the world. */
  as(index: number): Promise<FactoryClient>;
}

export interface FactoryWorld extends HostWorld {
  readonly datanetHost: TestHost;
  /** Folder of a base whose tokens are bytes. */
  readonly basePath: string;
  /** Servers of one name have one database: they are one factory. */
  factory(name: string, environment?: Record<string, string>): Promise<TestFactory>;
  /** Publishes texts as a public Datanet of their own. @returns the request for its rows */
  publish(rows: readonly TextRow[]): Promise<DatasetRequest>;
  /** The database of the factory of a name. */
  database(name: string): Promise<TestDatabase>;
  /**
   * Starts a worker of a factory as a process of its own, in the role that `operator worker-role` makes.
   * @param onJob called with each job that it begins, and whether it goes on from a state
   */
  worker(
    name: string,
    environment?: Record<string, string>,
    onJob?: (jobId: string, hasState: boolean) => void,
  ): Promise<OwnProcess>;
}

/** @param circuits default: those that hold small models; none: no model can be registered */
export async function createFactoryWorld({
  circuits = FACTORY_CIRCUITS,
  ...options
}: Parameters<typeof createHostWorld>[0] & {
  readonly circuits?: readonly CircuitSize[];
}): Promise<FactoryWorld> {
  const world = await createHostWorld(options);
  const datanetHost = await world.host("host");
  const basePath = join(world.folder, "bases", "small");
  await writeMadeModel(basePath, makeModel(byteConfig, "text"));
  const factories: FactoryProcess[] = [];
  const workers: OwnProcess[] = [];
  const databases = new Map<string, Promise<TestDatabase>>();
  const environment = (dataPath: string, databaseUrl: string) => ({
    FACTORY_DEPLOYMENT_PATH: join(world.folder, "deployment.json"),
    FACTORY_SEQUENCER_URL: world.sequencerUrl,
    FACTORY_DATA_PATH: dataPath,
    FACTORY_DATABASE_URL: databaseUrl,
    FACTORY_PORT: "0",
    FACTORY_DATANET_HOSTS: datanetHost.url,
    FACTORY_BASES: basePath,
    FACTORY_KERNELS: "wasm",
    FACTORY_THREAD_COUNT: "1",
    FACTORY_RATE_LIMIT_PER_MINUTE: "1000000",
    FACTORY_LOG_LEVEL: "silent",
  });
  const databaseOf = (name: string) => {
    const database = databases.get(name) ?? createTestDatabase();
    databases.set(name, database);
    return database;
  };
  return {
    ...world,
    datanetHost,
    basePath,
    database: databaseOf,
    async publish(rows) {
      const card = sampleCard({
        row: { kind: "passage", fields: [], maxBytes: 2_000 },
        labels: [],
        examples: [],
      });
      const { client, id: datanetId } = await world.datanet(world.owner, card);
      const location = { hostUrl: datanetHost.url, datanetId };
      await bringCard(client, { ...location, card });
      const store = await openRowStore(join(world.folder, `texts-${datanetId}`));
      const contributor = await world.user(0);
      const { contribution } = await contributeRows(contributor, {
        datanetId,
        store,
        rows: rows.map(encodeTextRow),
      });
      await world.finalise();
      const source = await contributionSource(store, contribution.rowsRoot);
      await uploadRows(contributor, { ...location, source });
      const version = await collectVersion(client, { datanetId, store, validatorId: VALIDATOR_ID });
      await storeVersion(store, version);
      await publishVersion(client, { datanetId, version, policy: nameCard(card).policy });
      await world.finalise();
      await bringVersion(client, { ...location, store, rowsRoot: version.rowsRoot });
      return { kind: "datanet", ...location, version: null };
    },
    async factory(name, more = {}) {
      const { url: databaseUrl } = await databaseOf(name);
      const dataPath = join(world.folder, `${name}-${factories.length}`);
      const config = readFactoryConfig({ ...environment(dataPath, databaseUrl), ...more });
      const reader = { ...(await world.user(0)), l2Key: null, leafId: null };
      const trainerIds: number[] = [];
      const destination = {
        write(line: string) {
          const { processId } = JSON.parse(line) as { processId?: number };
          if (processId !== undefined) trainerIds.push(processId);
        },
      };
      const made = await createFactoryProcess(config, {
        client: reader,
        circuitSizes: async () => circuits,
        logger: createLogger("test", "info", destination),
      });
      factories.push(made);
      const url = await made.listen();
      return {
        ...made,
        url,
        trainerIds,
        as: async (index) => new FactoryClient(await world.user(index), url),
      };
    },
    async worker(name, more = {}, onJob = () => {}) {
      const database = await databaseOf(name);
      const databaseUrl = await database.workerUrl(FACTORY_WORKER_RIGHTS);
      const dataPath = join(world.folder, `${name}-worker-${workers.length}`);
      const started = await startOwnProcess(
        "models/factory/worker/main.ts",
        { ...environment(dataPath, databaseUrl), FACTORY_LOG_LEVEL: "info", ...more },
        ({ hasState, job, msg }) => {
          if (msg === "job runs") onJob(job as string, hasState === true);
          return msg === "factory worker runs" ? "" : null;
        },
      );
      workers.push(started);
      return started;
    },
    async close() {
      for (const { process: child } of workers) child.kill("SIGKILL");
      for (const one of factories) await one.stop().catch(() => {});
      for (const database of databases.values()) await (await database).drop();
      await world.close();
    },
  };
}

/** A language model's form. */
export function writeFormOf({ form }: FormView): WriteForm {
  if (form.use === "write") return form;
  throw new TypeError(`a form to ${form.use}`);
}
