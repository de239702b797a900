/** Store of a host in a database of its own, for tests that need no HTTP. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { nameCard } from "../card/card.ts";
import { HOST_PART } from "../store/host-schema.ts";
import { HostStore } from "../store/host-store.ts";
import { sampleCard } from "./sample-card.ts";

export interface TestStore {
  readonly database: Database;
  readonly store: HostStore;
  close(): Promise<void>;
}

/** Opens the store, with Datanets that have the sample card. */
export async function openTestStore(domain: bigint, datanetIds: readonly number[]): Promise<TestStore> {
  await initPoseidon();
  const home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  const database = await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger });
  const store = new HostStore(database, domain);
  for (const id of datanetIds) await (await store.openOrMake(id)).addCard(nameCard(sampleCard()));
  return {
    database,
    store,
    close: async () => {
      await database.close();
      await home.drop();
    },
  };
}
