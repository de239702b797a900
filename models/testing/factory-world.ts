/** Factories over the Datanets' test world: a real sequencer, a host, and a base small enough to tune in a second. */
import { join } from "node:path";
import { encodeTextRow, type TextRow } from "@openledger/attribution/rows/text-rows";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { FactoryClient } from "../factory/factory-client.ts";
import { readFactoryConfig } from "../factory/factory-config.ts";
import { createFactoryProcess, type FactoryProcess } from "../factory/factory-process.ts";
import type { CircuitSize } from "../factory/store/factory-store.ts";
import { makeModel, writeMadeModel } from "./made-models.ts";
import { byteConfig } from "./text-rows.ts";

/** Size of the settlement circuit that models are made for. */
const FACTORY_CIRCUIT: CircuitSize = { rows: 64, payees: 16, features: 36, draws: 4 };

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
  factory(name: string, environment?: Record<string, string>): Promise<TestFactory>;
}

export async function createFactoryWorld(
  options: Parameters<typeof createHostWorld>[0],
): Promise<FactoryWorld> {
  const world = await createHostWorld(options);
  const datanetHost = await world.host("host");
  const basePath = join(world.folder, "bases", "small");
  await writeMadeModel(basePath, makeModel(byteConfig, "text"));
  const factories: FactoryProcess[] = [];
  const database = await createTestDatabase();
  const environment = (dataPath: string) => ({
    FACTORY_DEPLOYMENT_PATH: join(world.folder, "deployment.json"),
    FACTORY_SEQUENCER_URL: world.sequencerUrl,
    FACTORY_DATA_PATH: dataPath,
    FACTORY_DATABASE_URL: database.url,
    FACTORY_PORT: "0",
    FACTORY_DATANET_HOSTS: datanetHost.url,
    FACTORY_BASES: basePath,
    FACTORY_KERNELS: "wasm",
    FACTORY_THREAD_COUNT: "1",
    FACTORY_RATE_LIMIT_PER_MINUTE: "1000000",
    FACTORY_LOG_LEVEL: "silent",
  });
  return {
    ...world,
    datanetHost,
    basePath,
    async factory(name, more = {}) {
      const config = readFactoryConfig({ ...environment(join(world.folder, name)), ...more });
      const reader = { ...(await world.user(0)), l2Key: null, leafId: null };
      const fatal = (error: unknown) => {
        throw error;
      };
      const trainerIds: number[] = [];
      const destination = {
        write(line: string) {
          const { processId } = JSON.parse(line) as { processId?: number };
          if (processId !== undefined) trainerIds.push(processId);
        },
      };
      const made = await createFactoryProcess(config, {
        client: reader,
        circuitSizes: async () => [FACTORY_CIRCUIT],
        logger: createLogger("test", "info", destination),
        onFatal: fatal,
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
    async close() {
      for (const one of factories) await one.stop().catch(() => {});
      await database.drop();
      await world.close();
    },
  };
}

export const jsonlOf = (rows: readonly TextRow[]): string =>
  rows.map((row) => new TextDecoder().decode(encodeTextRow(row))).join("\n");
