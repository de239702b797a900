import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { expect, it, onTestFinished } from "vitest";
import { nameCard } from "../card/card.ts";
import { sampleCard } from "../testing/sample-card.ts";
import { HOST_PART } from "./host-schema.ts";
import { HostStore } from "./host-store.ts";

it("a host refuses a database whose Datanets have cards of an earlier format", async () => {
  const home = await createTestDatabase();
  const logger = createLogger("test", "silent");
  const database = await Database.open({ url: home.url, part: HOST_PART, rollup: null, logger });
  onTestFinished(async () => {
    await database.close();
    await home.drop();
  });
  const store = new HostStore(database, 7n);
  for (const id of [10, 11]) await (await store.openOrMake(id)).addCard(nameCard(sampleCard()));
  // What is written in a card is no format.
  const quoting = sampleCard({ description: '"format":"openledger-datanet-card-1"' });
  await (await store.openOrMake(12)).addCard(nameCard(quoting));
  await store.requirePresentCards();
  await database.query("update cards set card = replace(card, 'card-2', 'card-1') where datanet_id = 11");
  await expect(store.requirePresentCards()).rejects.toMatchObject({
    code: "DNT_CARD_EARLIER",
    data: { datanetIds: [11] },
  });
});
