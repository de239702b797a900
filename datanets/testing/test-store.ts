/** Store of a host in a database of its own, for tests that need no HTTP. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { Database } from "@openledger/foundation/database/database";
import type { DatabasePart } from "@openledger/foundation/database/migrate";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { nameCard } from "../card/card.ts";
import { HOST_PART } from "../store/host-schema.ts";
import { HostStore } from "../store/host-store.ts";
import { sampleCard } from "./sample-card.ts";

export interface TestStore {
  /** Address of its database. */
  readonly url: string;
  readonly database: Database;
  readonly store: HostStore;
  close(): Promise<void>;
}

/** Opens the store, with Datanets that have the sample card. */
export async function openTestStore(
  domain: bigint,
  datanetIds: readonly number[],
  { part = HOST_PART }: { readonly part?: DatabasePart } = {},
): Promise<TestStore> {
  await initPoseidon();
  const home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  const database = await Database.open({ url: home.url, part, rollup: null, logger });
  const store = new HostStore(database, domain);
  for (const id of datanetIds) await (await store.openOrMake(id)).addCard(nameCard(sampleCard()));
  return {
    url: home.url,
    database,
    store,
    close: async () => {
      await database.close();
      await home.drop();
    },
  };
}
