/** The way of a Datanet's rows over hosts: committed, uploaded, published, downloaded again. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { findRows, getHostedRow } from "@openledger/client/datanets/browse-rows";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard, findDatanets, getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { nameCard } from "../card/card.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard();
let world: HostWorld;
let host: TestHost;
/** Root of the commit that travels. */
let rowsRoot: bigint;
beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
});
afterAll(() => world.close());

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const storeOf = (name: string) => openRowStore(join(world.folder, name));

describe("a Datanet", () => {
  it("has the card of the ledger's policy, and no other", async () => {
    const { owner, datanetId } = world;
    expect((await getLeaf(owner, datanetId)).datanet!.policy).toBe(nameCard(card).policy);
    const other = sampleCard({ name: "Another name" });
    await expect(bringCard(owner, { ...location(), card: other })).rejects.toMatchObject({
      code: "DNT_NOT_ON_LEDGER",
      data: { reason: "card-not-on-ledger" },
    });
    await bringCard(owner, { ...location(), card });
    expect((await getHostedDatanet(owner, location())).card).toEqual(card);
    const search = async (filter: object) =>
      (await findDatanets(owner, { hostUrl: host.url, ...filter })).datanets.map(({ id }) => id);
    expect(await search({ text: "weath good", tag: "SHORT" })).toEqual([datanetId]);
    expect(await search({ field: "medicine" })).toEqual([]);
  });

  it("travels: committed, final, uploaded, published, downloaded into another folder, byte for byte", async () => {
    const { owner, datanetId } = world;
    const alice = await world.user(1);
    const store = await storeOf("alice");
    const rows = sampleRows(40);
    const labels = rows.map((_, i) => (i < 10 ? "good" : null));
    const { contribution } = await contributeRows(alice, { datanetId, store, rows, labels });
    rowsRoot = contribution.rowsRoot;
    const source = await contributionSource(store, contribution.rowsRoot);
    // Not before it is final: a copyist could commit first.
    await expect(uploadRows(alice, { ...location(), source })).rejects.toMatchObject({
      code: "DNT_NOT_ON_LEDGER",
      data: { reason: "commit-not-final" },
    });
    await world.finalise();
    const uploaded = { rowCount: 40, withdrawnCount: 0, labelCount: 10, refusedLabels: [] };
    expect(await uploadRows(alice, { ...location(), source })).toEqual({ ...uploaded, sentCount: 40 });
    expect(await uploadRows(alice, { ...location(), source })).toEqual({ ...uploaded, sentCount: 0 });
    // Nobody else signs them, and a repeated upload signs the same records.
    const bob = await world.user(2);
    expect(await uploadRows(bob, { ...location(), source })).toMatchObject({ sentCount: 0, labelCount: 0 });
    expect((await getHostedDatanet(bob, location())).here.recordCount).toBe(10);
    // They are beside the rows, and nobody sees them before the rows have labels of others.
    expect((await findRows(bob, { ...location(), label: "good" })).total).toBe(0);
    const seenBy = async (client: LedgerClient) =>
      (await getHostedRow(client, { ...location(), digest: contribution.digests[0]!, isSigned: true })).label;
    expect([await seenBy(alice), await seenBy(bob)]).toEqual(["good", null]);

    // Read by cursor, as a list that is scrolled reads it.
    const seen: number[] = [];
    for (let after: number | null | undefined; after !== null; ) {
      const commit = hex32(contribution.rowsRoot);
      const page = await findRows(alice, {
        ...location(),
        commit,
        limit: 7,
        ...(after === undefined ? {} : { after }),
      });
      expect([page.total, page.from]).toEqual([40, seen.length]);
      seen.push(...page.rows.map(({ index }) => index));
      after = page.next;
    }
    expect(seen).toEqual(rows.map((_, index) => index));
    expect((await findRows(alice, { ...location(), commit: hex32(1n) })).total).toBe(0);

    const version = await collectVersion(owner, { datanetId, store, validatorId: 4 });
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId, version });
    await world.finalise();
    await bringVersion(alice, { ...location(), store, rowsRoot: version.rowsRoot });
    // The policy stays where a version does not change it.
    expect((await getLeaf(owner, datanetId)).datanet!.policy).toBe(nameCard(card).policy);

    const copy = await storeOf("bob");
    const { rowCount, receivedCount } = await downloadVersion(bob, { ...location(), store: copy });
    expect({ rowCount, receivedCount }).toEqual({ rowCount: 40, receivedCount: 40 });
    await downloadCommits(bob, { ...location(), store: copy });
    expect(await verifyVersion(bob, { datanetId, store: copy })).toMatchObject({
      keptCount: 40,
      firstDifference: null,
    });
  });

  it("is read back whole by a host that starts again", async () => {
    await host.stop();
    host = await world.host("host");
    const bob = await world.user(2);
    const { receivedCount } = await downloadVersion(bob, { ...location(), store: await storeOf("again") });
    expect(receivedCount).toBe(40);
  });

  it("is noticed where a host alters a byte of a row or of a list", async () => {
    const bob = await world.user(2);
    for (const [path, what] of [
      ["/rows/fetch", "row"],
      ["/versions/", "list"],
    ]) {
      const liar = await startLiar(host.url, path!);
      // Without a key nothing is signed, so nothing but the bytes can give the liar away.
      const lying = { ...bob, l2Key: null };
      await expect(
        downloadVersion(lying, { hostUrl: liar, datanetId: world.datanetId, store: await storeOf(what!) }),
      ).rejects.toMatchObject({ code: "CLI_DATANET_HOST_FALSE", data: { what } });
    }
  });

  it("is not followed to another address", async () => {
    const question: string[] = [];
    const server = createServer((request, response) => {
      question.push(request.url!);
      response.writeHead(307, { location: `${host.url}${request.url}` }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const hostUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(findDatanets(world.owner, { hostUrl })).rejects.toMatchObject({
      code: "CLI_UNREACHABLE",
      data: { server: "datanet host" },
    });
    expect(question).toHaveLength(1);
  });

  it("is uploaded in pieces, two on their way at once, and goes on where one broke off", async () => {
    const small = await world.host("pieces", { DATANET_MAX_CHUNK_BYTES: "1024" });
    const there = { hostUrl: small.url, datanetId: world.datanetId };
    await bringCard(world.owner, { ...there, card });
    const alice = await world.user(1);
    const source = await contributionSource(await storeOf("alice"), rowsRoot);
    const row = (index: number) => {
      if (index === 35) throw new Error("the disk is gone");
      return source.row(index);
    };
    const broken = uploadRows(alice, { ...there, source: { ...source, row } });
    await expect(broken).rejects.toThrow("the disk is gone");
    // The pieces before it have arrived, though they were on their way.
    const progress: number[] = [];
    const onProgress = (receivedCount: number) => progress.push(receivedCount);
    const { sentCount } = await uploadRows(alice, { ...there, source, onProgress });
    expect(sentCount).toBeGreaterThanOrEqual(5);
    expect(sentCount).toBeLessThan(40);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBe(40);
    expect(await uploadRows(alice, { ...there, source })).toMatchObject({ rowCount: 40, sentCount: 0 });
  });

  it("has another card after its owner has published one, and is served by the last one until it comes", async () => {
    const { owner, datanetId } = world;
    const before = await getLeaf(owner, datanetId);
    const next = sampleCard({ instructions: "Say whether one would go out without a hat." });
    await publishCard(owner, { datanetId, card: next });
    const after = await getLeaf(owner, datanetId);
    expect(after.datanet).toMatchObject({
      rowsRoot: before.datanet!.rowsRoot,
      version: before.datanet!.version + 1,
    });
    expect(await getHostedDatanet(owner, location())).toMatchObject({ isCardCurrent: false, card });
    await bringCard(owner, { ...location(), card: next });
    expect(await getHostedDatanet(owner, location())).toMatchObject({ isCardCurrent: true, card: next });
  });
});

/** Proxy that turns one bit of each answer below a path, and claims to be the host. */
async function startLiar(hostUrl: string, path: string): Promise<string> {
  let url = "";
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", async () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => /^(content-type|x-openledger)/.test(name)),
      ) as Record<string, string>;
      const answer = await fetch(`${hostUrl}${request.url}`, {
        method: request.method!,
        headers,
        ...(parts.length === 0 ? {} : { body: Buffer.concat(parts) }),
      });
      let bytes = Buffer.from(await answer.arrayBuffer());
      if (request.url!.includes(path)) bytes[bytes.length - 1]! ^= 1;
      if (request.url === "/v1/info") bytes = Buffer.from(bytes.toString().replace(hostUrl, url));
      response.statusCode = answer.status;
      response.end(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => void server.close());
  return url;
}
