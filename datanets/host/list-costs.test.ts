/** Tests of what a Datanet host charges its clients' rate limit for lists and searches. */
import { join } from "node:path";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";

const ROW_COUNT = 2_500;
/** Fewer than the plain requests of a minute. */
const ASKED = 20;
const LIMITED = { DATANET_RATE_LIMIT_PER_MINUTE: "24" };

let world: HostWorld;
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard() });
  const alice = await world.user(1);
  const store = await openRowStore(join(world.folder, "alice"));
  const { datanetId } = world;
  const { contribution } = await contributeRows(alice, { datanetId, store, rows: sampleRows(ROW_COUNT) });
  await world.finalise();
  const host = await world.host("host");
  await bringCard(world.owner, { hostUrl: host.url, datanetId, card: sampleCard() });
  const source = await contributionSource(store, contribution.rowsRoot);
  await uploadRows(alice, { hostUrl: host.url, datanetId, source });
  await host.stop();
});
afterAll(() => world?.close());

const ROOT = `0x${"7".repeat(64)}`;

it.each([
  ["records", "?limit=1000"],
  ["findings", "?limit=1000"],
  ["difference", `?before=${ROOT}&after=${ROOT}&limit=1000`],
  ["left-out", ""],
  ["statistics", ""],
])("GET /v1/datanets/ID/%s%s counts for what it goes through, whatever it finds", async (name, query) => {
  const host = await world.host("host", LIMITED);
  try {
    await expectRefusals(`${host.url}/v1/datanets/${world.datanetId}/${name}${query}`);
  } finally {
    await host.stop();
  }
});

it("GET /v1/notices counts for the rows of all Datanets", async () => {
  const host = await world.host("host", LIMITED);
  try {
    await expectRefusals(`${host.url}/v1/notices?contributor=3`);
  } finally {
    await host.stop();
  }
});

/** Requests lists at once, again where the machine was so slow that the budget grew back meanwhile. */
async function expectRefusals(url: string): Promise<void> {
  const refusedCount = async () => {
    const answers = await Promise.all(
      Array.from({ length: ASKED }, async () => (await fetch(url)).json() as Promise<object>),
    );
    return answers.filter((answer) => JSON.stringify(answer).includes("too many long answers")).length;
  };
  await expect.poll(refusedCount, { timeout: 60_000, interval: 0 }).toBeGreaterThan(ASKED / 5);
}
