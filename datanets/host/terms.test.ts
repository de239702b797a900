/** Tests of terms that bind: contributors sign them, hosts demand them, and the rule names the rows that stand in the way. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { contributionRoot, hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { storeSignedTerms } from "@openledger/client/actions/data/stored-terms";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { bringRecords } from "@openledger/client/datanets/signed-records";
import { listSignedTerms, readRowTerms, signTerms } from "@openledger/client/datanets/signed-terms";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Card } from "../card/card.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { versionRowsOf } from "../rows/row-wire.ts";
import { modelTerms } from "../terms/terms-rule.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const terms = { contributors: "sign" } as const;
/** The first card is an earlier one; the second is not for pay; the third lets anyone do anything who names the source. */
const earlier = sampleCard({ licence: "see the readme" });
const unpaid = sampleCard({ licence: "CC-BY-NC-4.0", terms });
const open = sampleCard({ licence: "CC-BY-4.0", terms });

let world: HostWorld;
let host: TestHost;
let alice: LedgerClient;
let bob: LedgerClient;
const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
/** Root of a version that the ledger does not have: the first to commit a row counts. */
const unpublished = { rowsRoot: 1n };

/** Rows of alice, hers again under other terms, and of bob. */
const [first, second, third] = [sampleRows(3), sampleRows(3, 3), sampleRows(3, 6)];
const sourceOf = (rows: readonly Uint8Array[]) => ({
  rowsRoot: contributionRoot(rows.map(hashRow)),
  digests: rows.map(sha256Hex),
  row: (index: number) => rows[index]!,
});
async function commit(client: LedgerClient, rows: readonly Uint8Array[]) {
  const { rowsRoot } = sourceOf(rows);
  await commitData(client, { datanetId: world.datanetId, rowsRoot, rowCount: rows.length });
  await world.finalise();
}
async function setCard(card: Card) {
  await publishCard(world.owner, { datanetId: world.datanetId, card });
  await world.finalise();
  await bringCard(world.owner, { ...location(), card });
}
const sign = (client: LedgerClient, rows: readonly Uint8Array[], card: Card) =>
  signTerms(client, { datanetId: world.datanetId, rowsRoot: sourceOf(rows).rowsRoot, card });
const upload = (client: LedgerClient, rows: readonly Uint8Array[], more = {}) =>
  uploadRows(client, { ...location(), source: { ...sourceOf(rows), ...more } });
const listed = () => [
  ...[...first, ...second].map((row) => ({ digest: sha256Hex(row), contributorId: alice.leafId! })),
  ...third.map((row) => ({ digest: sha256Hex(row), contributorId: bob.leafId! })),
];

beforeAll(async () => {
  world = await createHostWorld({ card: earlier });
  host = await world.host("one");
  [alice, bob] = [await world.user(1), await world.user(2)];
  await bringCard(world.owner, { ...location(), card: earlier });
});
afterAll(() => world?.close());

describe("terms that bind", () => {
  it("are not demanded by an earlier card, and its rows have the card's", async () => {
    await commit(alice, first);
    expect((await upload(alice, first)).sentCount).toBe(first.length);
    const rows = listed().slice(0, first.length);
    expect(await readRowTerms(alice, { ...location(), ...unpublished, rows })).toMatchObject([
      { licence: "see the readme", isSigned: false, rowCount: 3 },
    ]);
  });

  it("are demanded of each commit where the card says so, and signed by its contributor alone", async () => {
    await setCard(unpaid);
    await commit(alice, second);
    await expect(upload(alice, second)).rejects.toMatchObject({ code: "DNT_TERMS_UNSIGNED" });
    const codeOf = async (...signed: Parameters<typeof sign>) =>
      (await bringRecords(alice, { ...location(), records: [await sign(...signed)] }))[0]!.error?.code;
    expect(await codeOf(bob, second, unpaid)).toBe("DNT_RECORD_NOT_ALLOWED");
    expect(await codeOf(alice, second, open)).toBe("DNT_RECORD_INVALID");
    expect(await codeOf(alice, second, earlier)).toBe("DNT_RECORD_INVALID");
    expect(await codeOf(alice, third, unpaid)).toBe("DNT_NOT_HOSTED");
    const signed = await sign(alice, second, unpaid);
    const forged = { ...signed, body: { ...signed.body, licence: "CC0-1.0" } };
    const [refused] = await bringRecords(alice, { ...location(), records: [forged as typeof signed] });
    expect(refused!.error?.code).toBe("DNT_RECORD_INVALID");
    await expect(upload(alice, second)).rejects.toMatchObject({ code: "DNT_TERMS_UNSIGNED" });
    expect((await upload(alice, second, { terms: signed })).sentCount).toBe(second.length);
  });

  it("lie beside a contribution, and go before its rows", async () => {
    await setCard(open);
    const store = await openRowStore(join(world.folder, "bob"));
    const { contribution } = await contributeRows(bob, { datanetId: world.datanetId, store, rows: third });
    const { rowsRoot } = contribution;
    await storeSignedTerms(store, rowsRoot, await sign(bob, third, open));
    await world.finalise();
    const source = await contributionSource(store, rowsRoot);
    expect((await uploadRows(bob, { ...location(), source })).sentCount).toBe(third.length);
    await expect(listSignedTerms(bob, location())).resolves.toMatchObject([
      { body: { licence: "CC-BY-NC-4.0", leafId: alice.leafId }, isSignedByLeaf: true },
      { body: { licence: "CC-BY-4.0", leafId: bob.leafId }, isSignedByLeaf: true },
    ]);
  });

  it("forbid a model that answers for pay, by the names of the rows that stand in the way", async () => {
    const rows = await readRowTerms(alice, { ...location(), ...unpublished, rows: listed() });
    // Alice has signed nothing for her first rows: they have the terms of the present card.
    expect(rows.map(({ isSigned, licence, rowCount }) => [licence, isSigned, rowCount])).toEqual([
      ["CC-BY-4.0", false, 3],
      ["CC-BY-NC-4.0", true, 3],
      ["CC-BY-4.0", true, 3],
    ]);
    const question = { use: "paid", readsRows: false } as const;
    expect(() => modelTerms(rows, question)).toThrow(
      expect.objectContaining({
        code: "DNT_TERMS_FORBID",
        message: expect.stringContaining(second.map(sha256Hex).join(", ")),
        data: expect.objectContaining({
          forbidding: [expect.objectContaining({ reasons: ["no-pay"], firstRows: second.map(sha256Hex) })],
        }),
      }),
    );
    expect(modelTerms(rows, { ...question, use: "shared" }).licence).toBe("CC-BY-NC-4.0");
    const without = rows.filter(({ licence }) => licence === "CC-BY-4.0");
    expect(modelTerms(without, question).licence).toBe("CC-BY-4.0");
  });

  it("are not taken back by those of an earlier card, and may be given anew", async () => {
    const bring = async (card: Card) =>
      (await bringRecords(bob, { ...location(), records: [await sign(bob, third, card)] }))[0]!.error?.code;
    expect(await bring(unpaid)).toBe("DNT_RECORD_NOT_ALLOWED");
    expect(await bring(open)).toBeUndefined();
  });

  it("are those of the card in force at the commit, or of a later one", async () => {
    const [fourth, fifth] = [sampleRows(2, 9), sampleRows(2, 11)];
    // Attack: the terms of an earlier card, which are there to sign, give less than the card asks for.
    await commit(alice, fourth);
    await expect(upload(alice, fourth, { terms: await sign(alice, fourth, unpaid) })).rejects.toMatchObject({
      code: "DNT_TERMS_UNSIGNED",
      data: { licence: "CC-BY-4.0", signed: "CC-BY-NC-4.0" },
    });
    const signed = await sign(alice, fourth, open);
    expect((await upload(alice, fourth, { terms: signed })).sentCount).toBe(2);
    // A card that says the same about terms asks nobody to sign again.
    const renamed = { ...open, name: "Sentences about the sky" };
    const early = await sign(alice, fifth, open);
    await setCard(renamed);
    await commit(alice, fifth);
    expect((await upload(alice, fifth, { terms: early })).sentCount).toBe(2);
    // What was signed under the card of its time holds under a later one, and so does what a later one asks for.
    const [sixth, seventh] = [sampleRows(2, 13), sampleRows(2, 15)];
    await commit(alice, sixth);
    await commit(alice, seventh);
    const ofTime = await sign(alice, sixth, renamed);
    await setCard({ ...unpaid, name: "Sentences of nobody" });
    expect((await upload(alice, sixth, { terms: ofTime })).sentCount).toBe(2);
    const later = await sign(alice, seventh, { ...unpaid, name: "Sentences of nobody" });
    expect((await upload(alice, seventh, { terms: later })).sentCount).toBe(2);
    await setCard(open);
  });

  it("come to a mirror before the rows, and count there by themselves, whatever its card says", async () => {
    const { datanetId } = world;
    const question = { use: "paid", readsRows: false } as const;
    const rows = listed();
    const here = await readRowTerms(bob, { ...location(), ...unpublished, rows });
    // Attack: the owner's newest card gives everything; the mirror has no earlier one.
    await setCard({ ...open, licence: "CC0-1.0" });
    const mirror = await world.host("mirror");
    const store = await openRowStore(join(world.folder, "mirror"));
    // Alice's first rows, too: the card of their time asked nobody to sign.
    const copied = await mirrorDatanet(bob, { datanetId, fromUrl: host.url, toUrl: mirror.url, store });
    expect([copied.commitCount, copied.incompleteCount]).toEqual([7, 0]);
    const there = { hostUrl: mirror.url, datanetId };
    const signed = await listSignedTerms(bob, there);
    expect(signed.map(({ body }) => body)).toEqual(
      (await listSignedTerms(bob, location())).map(({ body }) => body),
    );
    expect(signed).toHaveLength(6);
    const signedHere = here.filter(({ isSigned }) => isSigned);
    expect(signedHere.map(({ licence, rowCount }) => [licence, rowCount])).toEqual([
      ["CC-BY-NC-4.0", 3],
      ["CC-BY-4.0", 3],
    ]);
    for (const at of [location(), there]) {
      const found = await readRowTerms(bob, { ...at, ...unpublished, rows });
      expect(found.filter(({ isSigned }) => isSigned)).toEqual(signedHere);
      expect(() => modelTerms(found, question)).toThrow(
        expect.objectContaining({ code: "DNT_TERMS_FORBID" }),
      );
    }
    // Nobody has signed for her first rows, and the mirror does not have the card of their time: no licence follows there.
    const [ofFirst] = await readRowTerms(bob, { ...there, ...unpublished, rows: rows.slice(0, 3) });
    expect(ofFirst).toMatchObject({ licence: "LicenseRef-not-signed AND CC0-1.0", isSigned: false });
    expect(modelTerms([ofFirst!], question).licence).toBeNull();
  });

  it("are not known where a host leaves out a signature that the card of the commit's time asked for", async () => {
    const proxy = await withoutTerms(host.url);
    try {
      const rows = listed();
      const found = await readRowTerms(bob, {
        hostUrl: proxy.url,
        datanetId: world.datanetId,
        ...unpublished,
        rows,
      });
      expect(found.map(({ isSigned, licence, rowCount }) => [licence, isSigned, rowCount])).toEqual([
        ["CC0-1.0", false, 3],
        ["LicenseRef-not-signed AND CC0-1.0", false, 6],
      ]);
    } finally {
      await proxy.close();
    }
  });

  it("are those of whoever committed a row first, and not known under another name", async () => {
    const rows = listed().slice(3, 6);
    // Attack: the owner lists alice's rows, which are not for pay, under bob, whose rows are.
    const asBobs = rows.map(({ digest }) => ({ digest, contributorId: bob.leafId! }));
    const unknown = {
      licence: "LicenseRef-not-committed AND CC-BY-NC-4.0",
      isSigned: false,
      rowCount: 3,
    };
    expect(await readRowTerms(alice, { ...location(), ...unpublished, rows: asBobs })).toMatchObject([
      unknown,
    ]);
    // Bob commits the same rows later, and signs: they are alice's all the same.
    const copied = second;
    const again = [...copied, new TextEncoder().encode("a row of bob's own")];
    await commit(bob, again);
    await upload(bob, again, { terms: await sign(bob, again, { ...open, licence: "CC0-1.0" }) });
    expect(await readRowTerms(alice, { ...location(), ...unpublished, rows: asBobs })).toMatchObject([
      unknown,
    ]);
    expect(await readRowTerms(alice, { ...location(), ...unpublished, rows })).toMatchObject([
      { licence: "CC-BY-NC-4.0", isSigned: true, rowCount: 3 },
    ]);
    // Rows that nobody has committed.
    const nobodys = [{ digest: "ab".repeat(32), contributorId: bob.leafId! }];
    expect(await readRowTerms(alice, { ...location(), ...unpublished, rows: nobodys })).toMatchObject([
      { licence: "LicenseRef-not-committed AND CC0-1.0", isSigned: false, rowCount: 1 },
    ]);
  });

  it("of a published row are those of the leaf that it names: no earlier commit blocks it, no other name launders it", async () => {
    const [mallory, carol] = [await world.user(3), await world.user(4)];
    const publish = async (named: readonly { digest: string; contributorId: number }[]) => {
      const rows = named.map((row) => ({ ...row, validatorId: 7 }));
      const rowsRoot = versionRowsRoot(versionRowsOf(rows));
      const version = { rowsRoot, ownersCommitment: 3n, payeeRoot: 4n, rowCount: rows.length };
      await publishVersion(world.owner, { datanetId: world.datanetId, version });
      await world.finalise();
      return { ...location(), rowsRoot, rows };
    };
    const paid = { use: "paid", readsRows: false } as const;
    // Attack: a stranger commits public texts, holds the list back, and brings it with other terms once they are another's.
    const texts = sampleRows(3, 30);
    await setCard(unpaid);
    await commit(mallory, texts.slice(0, 2));
    await setCard(open);
    await commit(alice, texts);
    await upload(alice, texts, { terms: await sign(alice, texts, open) });
    const version = await publish(
      texts.map((row) => ({ digest: sha256Hex(row), contributorId: alice.leafId! })),
    );
    const withheld = await readRowTerms(alice, version);
    expect(withheld).toMatchObject([{ licence: "CC-BY-4.0", isSigned: true, rowCount: 3 }]);
    const late = texts.slice(0, 2);
    await upload(mallory, late, { terms: await sign(mallory, late, unpaid) });
    expect(await readRowTerms(alice, version)).toEqual(withheld);
    expect(modelTerms(await readRowTerms(alice, version), paid).licence).toBe("CC-BY-4.0");
    // Of what the ledger has not published, the ledger's order alone tells.
    expect(await readRowTerms(alice, { ...version, ...unpublished })).toMatchObject([
      { licence: "LicenseRef-not-committed AND CC-BY-NC-4.0", rowCount: 2 },
      { licence: "CC-BY-4.0", rowCount: 1 },
    ]);
    // Attack: the owner publishes alice's rows, which are not for pay, under a leaf that has signed other terms for rows of its own.
    const own = sampleRows(2, 40);
    await commit(carol, own);
    await upload(carol, own, { terms: await sign(carol, own, open) });
    const laundered = await publish(
      second.map((row) => ({ digest: sha256Hex(row), contributorId: carol.leafId! })),
    );
    const unknown = { licence: "LicenseRef-not-committed AND CC-BY-NC-4.0", isSigned: false, rowCount: 3 };
    expect(await readRowTerms(alice, laundered)).toMatchObject([unknown]);
    // A copy that the leaf commits after the version changes nothing.
    await commit(carol, [...second, ...own]);
    const copied = [...second, ...own];
    await upload(carol, copied, { terms: await sign(carol, copied, open) });
    expect(await readRowTerms(alice, laundered)).toMatchObject([unknown]);
    const terms = await readRowTerms(alice, laundered);
    expect(() => modelTerms(terms, paid)).toThrow(expect.objectContaining({ code: "DNT_TERMS_FORBID" }));
  });
});

/** A host that answers as another one does, and shows no signed terms. */
async function withoutTerms(hostUrl: string) {
  const server = createServer(async (request, reply) => {
    const url = request.url ?? "/";
    const answer = await fetch(`${hostUrl}${url}`);
    reply.writeHead(answer.status, {
      "content-type": answer.headers.get("content-type") ?? "application/json",
    });
    if (/\/terms\?/.test(url)) reply.end(JSON.stringify({ records: [], total: 0, nextFrom: null }));
    else reply.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
