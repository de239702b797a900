/** Tests of two Datanet hosts on one database. */
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REQUEST_HEADER, signRequest } from "../records/signed-request.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

/** Address of both behind one proxy. */
const PUBLIC_URL = "http://datanets.example";
const ROW_COUNT = 60;
const LABELS_A_ROW = 2;

let world: HostWorld;
let hosts: readonly [TestHost, TestHost];
let people: LedgerClient[];
const rows = sampleRows(ROW_COUNT);
const digests = rows.map(sha256Hex);
const card = sampleCard({
  labelling: { annotatorsPerRow: LABELS_A_ROW, accept: "all", labellers: "anyone", reviewers: [] },
});

beforeAll(async () => {
  world = await createHostWorld({ card });
  hosts = [await world.host("one"), await world.host("one")];
  people = await Promise.all([1, 2, 3, 4].map(world.user));
  const rowsRoot = contributionRoot(rows.map(hashRow));
  const [alice] = people;
  await commitData(alice!, { datanetId: world.datanetId, rowsRoot, rowCount: ROW_COUNT });
  await world.finalise();
  await bringCard(alice!, { hostUrl: hosts[0].url, datanetId: world.datanetId, card });
  const source = { rowsRoot, digests, row: (index: number) => rows[index]! };
  await uploadRows(alice!, { hostUrl: hosts[0].url, datanetId: world.datanetId, source });
  await hosts[1].store.describeAll();
});
afterAll(() => world?.close());

async function sessionOf(url: string): Promise<string> {
  return ((await (await fetch(`${url}/v1/info`)).json()) as { session: string }).session;
}

/** Signs a request for an origin, and sends it to a host. */
async function ask(client: LedgerClient, url: string, path: string, { header = "", origin = url } = {}) {
  const signed =
    header ||
    signRequest(
      client.domain,
      { origin, method: "GET", path, body: null },
      {
        leafId: client.leafId!,
        session: await sessionOf(url),
        nowMs: Date.now(),
        lifeMs: 60_000,
        sign: (message) => client.l2Key!.sign(message),
      },
    );
  const response = await fetch(`${url}${path}`, { headers: { [REQUEST_HEADER]: signed } });
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
  return { header: signed, body: (await response.json()) as any };
}

describe("two hosts on one database", () => {
  it("have the same rows at once, whichever of them got them", async () => {
    const found = (hostUrl: string, text: string) =>
      findRows(people[0]!, { hostUrl, datanetId: world.datanetId, text, limit: 50 });
    for (const { url } of hosts) expect((await found(url, "village")).total).toBe(ROW_COUNT);
    const [a, b] = await Promise.all(hosts.map(({ url }) => found(url, "sun village")));
    expect(a!.rows.map(({ digest }) => digest)).toEqual(b!.rows.map(({ digest }) => digest));
  });

  it("take a request that was signed for their common address, once", async () => {
    const both = [
      await world.host("one", { DATANET_PUBLIC_URL: PUBLIC_URL }),
      await world.host("one", { DATANET_PUBLIC_URL: PUBLIC_URL }),
    ] as const;
    expect(await sessionOf(both[0].url)).toBe(await sessionOf(both[1].url));
    const path = `/v1/datanets/${world.datanetId}/session`;
    const { body, header } = await ask(people[1]!, both[1].url, path, { origin: PUBLIC_URL });
    expect(body).toMatchObject({ leafId: people[1]!.leafId });
    for (const { url } of both)
      expect((await ask(people[1]!, url, path, { header })).body.error.code).toBe("DNT_REQUEST_REPLAYED");
    for (const host of both) await host.stop();
    // It is the database's: no start of a host makes requests old.
    const session = await sessionOf(hosts[0].url);
    const again = await world.host("one");
    expect(await sessionOf(again.url)).toBe(session);
    await again.stop();
  });

  it("give no row to more labellers than it needs, and keep what each has reserved", async () => {
    const path = `/v1/datanets/${world.datanetId}/queue?limit=20`;
    // All at once, and from both.
    const question = await Promise.all(
      people.slice(1).map((person, i) => ask(person, hosts[i % 2]!.url, path)),
    );
    const input = new Map<string, number>();
    for (const { body } of question) {
      const own = body.rows.map(({ digest }: { digest: string }) => digest);
      expect(own).toHaveLength(20);
      expect(new Set(own).size).toBe(20);
      for (const digest of own) input.set(digest, (input.get(digest) ?? 0) + 1);
    }
    expect(Math.max(...input.values())).toBeLessThanOrEqual(LABELS_A_ROW);
    for (let turn = 0; turn < 6; turn++) {
      const again = await Promise.all(
        people.slice(1).map((person, i) => ask(person, hosts[(i + turn) % 2]!.url, path)),
      );
      const counts = new Map<string, number>();
      for (const { body } of again)
        for (const { digest } of body.rows) counts.set(digest, (counts.get(digest) ?? 0) + 1);
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(LABELS_A_ROW);
    }
  });

  it("take each label once, and no more of a row than it needs", async () => {
    const [, bob, carol, dave] = people as [LedgerClient, LedgerClient, LedgerClient, LedgerClient];
    const say = (client: LedgerClient, host: TestHost) =>
      sayRecords(client, {
        hostUrl: host.url,
        datanetId: world.datanetId,
        records: digests.map((row) => ({ kind: "label", row, label: "good", flags: [], note: "" })),
        atMs: Date.now(),
      });
    const results = await Promise.all([
      say(bob, hosts[0]),
      say(carol, hosts[1]),
      say(dave, hosts[0]),
      say(bob, hosts[1]),
    ]);
    const takenOf = (i: number) => results[i]!.filter(({ error }) => error === null).length;
    expect(takenOf(1) + takenOf(2) + Math.max(takenOf(0), takenOf(3))).toBeGreaterThanOrEqual(
      ROW_COUNT * LABELS_A_ROW,
    );
    for (const { url } of hosts) {
      const accepted = await findRows(bob, {
        hostUrl: url,
        datanetId: world.datanetId,
        state: "accepted",
        limit: 1,
      });
      expect(accepted.total).toBe(ROW_COUNT);
      expect(accepted.rows[0]!.labelCount).toBe(LABELS_A_ROW);
    }
    const answer = await fetch(`${hosts[0].url}/v1/datanets/${world.datanetId}/statistics`);
    const { labelling, states } = (await answer.json()) as {
      labelling: { labellers: { labelCount: number }[] };
      states: object;
    };
    expect(states).toEqual({ waiting: 0, disputed: 0, accepted: ROW_COUNT, leftOut: 0 });
    expect(labelling.labellers.reduce((sum, { labelCount }) => sum + labelCount, 0)).toBe(
      ROW_COUNT * LABELS_A_ROW,
    );
  });
});
