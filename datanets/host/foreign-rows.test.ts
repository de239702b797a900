/** Tests of what a check of a Datanet's rows tells of rows of other Datanets on the host. */
import { join } from "node:path";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { checkFindings, listFindings } from "@openledger/client/datanets/cleaning";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const SECRET = "Patient Silva has diabetes and lives in Porto near the harbour";
const OPEN = "The lighthouse keeper of the northern cape counts his seven grey geese each evening";
const DRAFT = "A sentence about a heron that its owner has not published anywhere in the world";
const NOTES = "Forty recipes for a soup of nettles, written down by a cook who never met a nettle";
const unlabelled = { labels: [], examples: [] };

let world: HostWorld;
let host: TestHost;
let store: RowStore;
let [alice, bob, carol, open, hospital] = [] as unknown as LedgerClient[];
const encoded = (texts: readonly string[]) => texts.map((text) => new TextEncoder().encode(text));

/** Cards by the Datanets, as they were brought last. */
const cards = new Map<number, Card>();
async function bring(client: LedgerClient, card: Card): Promise<void> {
  cards.set(client.leafId!, card);
  await bringCard(client, { hostUrl: host.url, datanetId: client.leafId!, card });
}

async function makeDatanet(key: LedgerClient, changes: Partial<Card>): Promise<LedgerClient> {
  const card = sampleCard({ ...unlabelled, ...changes });
  const { client } = await world.datanet(key, card);
  await bring(client, card);
  return client;
}

async function contribute(datanet: LedgerClient, texts: readonly string[]): Promise<string[]> {
  const datanetId = datanet.leafId!;
  const rows = await saltByCard({
    ...{ card: cards.get(datanetId)!, datanetId, domain: carol!.domain, store },
    rows: encoded(texts),
  });
  const { contribution } = await contributeRows(carol!, { datanetId, store, rows });
  await world.finalise();
  const source = await contributionSource(store, contribution.rowsRoot);
  await uploadRows(carol!, { hostUrl: host.url, datanetId, source });
  return [...contribution.digests];
}

const locationOf = ({ leafId }: LedgerClient) => ({ hostUrl: host.url, datanetId: leafId! });

/** Contributes texts to a Datanet and has it check them. @returns those of them that are said to be like rows of another Datanet */
async function likeRowsOf(
  other: LedgerClient,
  datanet: LedgerClient,
  texts: readonly string[],
  reader: LedgerClient = datanet,
): Promise<string[]> {
  const digests = await contribute(datanet, texts);
  await checkFindings(datanet, locationOf(datanet));
  const { counts, findings, total } = await listFindings(reader, locationOf(datanet));
  expect([findings.length, counts.reduce((sum, one) => sum + one.total, 0)]).toEqual([total, total]);
  const like = findings.filter(({ evidence }) => evidence.earlier?.datanetId === other.leafId);
  expect(like.every(({ evidence }) => evidence.similarityPermille === null)).toBe(true);
  return texts.filter((_, i) => like.some(({ row }) => row === digests[i]));
}

beforeAll(async () => {
  world = await createHostWorld({
    card: sampleCard({ ...unlabelled, name: "Drafts", access: "permissioned" }),
  });
  host = await world.host("host");
  store = await openRowStore(join(world.folder, "rows"));
  [alice, bob, carol] = (await Promise.all([1, 2, 3].map(world.user))) as [
    LedgerClient,
    LedgerClient,
    LedgerClient,
  ];
  await bring(world.owner, sampleCard({ ...unlabelled, name: "Drafts", access: "permissioned" }));
  await contribute(world.owner, [DRAFT, NOTES]);
  hospital = await makeDatanet(alice!, { name: "Hospital", access: "permissioned" });
  await contribute(hospital, [SECRET]);
  open = await makeDatanet(alice!, { name: "Open" });
  await contribute(open, [OPEN]);
});
afterAll(() => world.close());

describe("rows of a permissioned Datanet", () => {
  it("are compared with nobody else's, whatever the asker's card says", async () => {
    const rewards = { ...sampleCard().rewards, textSimilarityPermille: 1, nearDuplicates: "keep" as const };
    const words = await makeDatanet(bob!, { name: "Words", rewards });
    const texts = [...SECRET.split(" "), `${SECRET} today`, SECRET];
    expect(await likeRowsOf(hospital!, words, texts)).toEqual([]);
  });

  it("are compared with those of the same key, and named to that key alone", async () => {
    const reader = { ...bob!, l2Key: null };
    const own = await makeDatanet(world.owner, { name: "Published" });
    expect(await likeRowsOf(world.owner, own, [`${DRAFT} at all`], reader)).toEqual([]);
    expect((await listFindings(own, locationOf(own))).findings).toMatchObject([
      { kind: "near-duplicate", evidence: { earlier: { datanetId: world.datanetId } } },
    ]);
    expect((await listFindings(bob!, locationOf(own))).total).toBe(0);
  });

  it("are compared by that key's signature alone: a reviewer of another key finds nothing", async () => {
    const labelling = { ...sampleCard().labelling, reviewers: [bob!.leafId!] };
    const own = await makeDatanet(world.owner, { name: "Reviewed", labelling });
    await contribute(own, [`${NOTES} indeed`]);
    await checkFindings(bob!, locationOf(own));
    expect((await listFindings(own, locationOf(own))).total).toBe(0);
  });

  it("are not named any more where they were public at the check", async () => {
    const [text, card] = [
      "Seventeen brass kettles stand in a row on the long shelf above the stove",
      { name: "Closing" },
    ];
    const closing = await makeDatanet(bob!, card);
    await contribute(closing, [text]);
    const asker = await makeDatanet(carol!, { name: "Asker" });
    expect(await likeRowsOf(closing, asker, [`${text} now`])).toEqual([`${text} now`]);
    const closed = sampleCard({ ...unlabelled, ...card, access: "permissioned" });
    await publishCard(closing, { datanetId: closing.leafId!, card: closed });
    await bring(closing, closed);
    expect(await listFindings(asker, locationOf(asker))).toMatchObject({ total: 0, findings: [] });
  });
});

describe("rows of a public Datanet", () => {
  it("are like others from the host's threshold on, or from a card's higher one", async () => {
    const near = `${OPEN} too`;
    const [half] = [OPEN.split(" ").slice(0, 8).join(" ")];
    const of = (textSimilarityPermille: number) => ({ ...sampleCard().rewards, textSimilarityPermille });
    const low = await makeDatanet(bob!, { name: "Low", rewards: of(1) });
    expect(await likeRowsOf(open!, low, [near, "geese", half!])).toEqual([near]);
    const high = await makeDatanet(bob!, { name: "High", rewards: of(990) });
    expect(await likeRowsOf(open!, high, [near])).toEqual([]);
  });
});

describe("a check without room", () => {
  it("leaves out rows of others and counts them, and refuses too many rows of its own", async () => {
    const maxBytes = 2 ** 27;
    await host.stop();
    host = await world.host("host", { DATANET_MAX_CHECK_BYTES: String(maxBytes) });
    const long = await makeDatanet(bob!, { name: "Long" });
    const many = Array.from({ length: 1_100 }, (_, i) => `${i} ${"river ".repeat(150)}`);
    await contribute(long, many);
    await expect(checkFindings(long, locationOf(long))).rejects.toMatchObject({
      code: "DNT_CHECK_FAILED",
      data: { reason: "too-large", maxBytes },
    });
    const short = await makeDatanet(bob!, { name: "Short" });
    await contribute(short, ["a short row"]);
    const { last } = await checkFindings(short, locationOf(short));
    expect(last!.uncomparedCount).toBeGreaterThan(20);
    expect(last!.uncomparedCount).toBeLessThan(1_100);
  });
});
