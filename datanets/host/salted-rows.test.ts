/** Tests of Datanets whose rows have salts: what strangers get tells nothing, and all works from contribution to verification. */
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { decodeModel, encodeModel } from "@openledger/attribution/model/model-files";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { contentOfRow, isSalted, saltRow } from "@openledger/attribution/rows/salted-rows";
import { readVersionRows, storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { findKnownRows } from "@openledger/client/datanets/browse-rows";
import { checkFindings, listFindings } from "@openledger/client/datanets/cleaning";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import { exportVersion } from "@openledger/client/datanets/export-version";
import { askAsReader, askHost, askHostForBytes } from "@openledger/client/datanets/host-request";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { collectReviewed } from "@openledger/client/datanets/reviewed-version";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { hex32 } from "@openledger/foundation/hex";
import { ONE_OPEN_WEI } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { nameCard } from "../card/card.ts";
import { aliasesOf, sha256Hex } from "../rows/row-digest.ts";
import { encodeVersion } from "../rows/row-wire.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { trainOnVersion } from "../testing/registered-model.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard({
  access: "permissioned",
  labelling: { annotatorsPerRow: 1, accept: "all", labellers: [5], reviewers: [6] },
});
const CONTENTS = sampleRows(7);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Every 64 hexadecimal digits, and 32 bytes, of an answer. */
async function digestsIn(url: string): Promise<Set<string>> {
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  const found = new Set(bytes.toString("latin1").match(/[0-9a-f]{64}/g));
  for (let i = 0; i + 32 <= bytes.length; i += 1) found.add(bytes.toString("hex", i, i + 32));
  return found;
}

describe("a permissioned Datanet with salted digests", () => {
  let world: HostWorld;
  let host: TestHost;
  let store: RowStore;
  let alice: LedgerClient;
  let bob: LedgerClient;
  let rows: readonly Uint8Array[];
  let rowsRoot: bigint;
  const at = () => ({ hostUrl: host.url, datanetId: world.datanetId });
  const salted = (to: RowStore, contents: readonly Uint8Array[]) =>
    saltByCard({ card, datanetId: world.datanetId, domain: world.owner.domain, store: to, rows: contents });

  beforeAll(async () => {
    world = await createHostWorld({ card });
    host = await world.host("host");
    [alice, bob] = await Promise.all([world.user(1), world.user(2)]);
    await bringCard(world.owner, { ...at(), card });
    store = await openRowStore(join(world.folder, "rows"));
    rows = await salted(store, CONTENTS);
    ({ rowsRoot } = (await contributeRows(alice, { datanetId: world.datanetId, store, rows })).contribution);
    await world.finalise();
    await uploadRows(alice, { ...at(), source: await contributionSource(store, rowsRoot) });
  });
  afterAll(() => world?.close());

  it("gives nobody a digest that a guess of a row's content matches", async () => {
    const guesses = CONTENTS.map(sha256Hex);
    const plainFound = async (path: string) => {
      const found = await digestsIn(`${host.url}/v1/datanets/${world.datanetId}${path}`);
      return guesses.filter((digest) => found.has(digest)).length;
    };
    expect(await plainFound(`/commits/${hex32(rowsRoot)}/list`)).toBe(0);
    expect(await findKnownRows(bob, { ...at(), digests: guesses })).toEqual([]);
    // Not by the digests themselves either: they are those of a permissioned Datanet.
    expect(await findKnownRows(bob, { ...at(), digests: rows.map(sha256Hex) })).toEqual([]);
  });

  it("has the same rows again where a contribution is begun again, and others in another store", async () => {
    expect(await salted(store, CONTENTS)).toEqual(rows);
    const other = await salted(await openRowStore(join(world.folder, "other")), CONTENTS);
    for (const [i, row] of other.entries()) {
      expect(isSalted(row)).toBe(true);
      expect(textOf(contentOfRow(row))).toBe(textOf(CONTENTS[i]!));
      expect(sha256Hex(row)).not.toBe(sha256Hex(rows[i]!));
    }
    await expect(salted(store, [rows[0]!])).rejects.toMatchObject({ data: { reason: "row-salted" } });
    const plain = { datanetId: world.datanetId, store, rows: CONTENTS, givenUnder: card };
    await expect(contributeRows(alice, plain)).rejects.toMatchObject({
      data: { reason: "row-salt", index: 0 },
    });
  });

  it("takes no row without a salt", async () => {
    const bare = [new TextEncoder().encode("a row without a salt")];
    const { contribution } = await contributeRows(bob, { datanetId: world.datanetId, store, rows: bare });
    await world.finalise();
    const source = await contributionSource(store, contribution.rowsRoot);
    await expect(uploadRows(bob, { ...at(), source })).rejects.toMatchObject({
      code: "DNT_ROW_SALT",
      data: { index: 0, digests: "salted" },
    });
  });

  it("counts a content that comes behind another salt for its first contributor, and finds the copy", async () => {
    const copied = await salted(await openRowStore(join(world.folder, "bob")), [CONTENTS[3]!]);
    const { contribution } = await contributeRows(bob, { datanetId: world.datanetId, store, rows: copied });
    await world.finalise();
    await uploadRows(bob, { ...at(), source: await contributionSource(store, contribution.rowsRoot) });
    const location = { ...at(), isSigned: true };
    await checkFindings(world.owner, location);
    await expect
      .poll(async () =>
        (await listFindings(world.owner, location)).findings.flatMap(({ evidence, kind, row }) =>
          kind === "copy" ? [[row, evidence.earlier?.row]] : [],
        ),
      )
      .toEqual([[sha256Hex(copied[0]!), sha256Hex(rows[3]!)]]);
  });

  it("is published, mirrored, downloaded, exported, trained on and verified with its salts", async () => {
    const [labeller, reviewer] = await Promise.all([world.user(3), world.user(4)]);
    const commits = (await (await fetch(`${host.url}/v1/datanets/${world.datanetId}/commits`)).json()) as {
      rowsRoot: string;
      isComplete: boolean;
    }[];
    const say = async (client: LedgerClient, records: Parameters<typeof sayRecords>[1]["records"]) =>
      expect((await sayRecords(client, { ...at(), records })).flatMap(({ error }) => error ?? [])).toEqual(
        [],
      );
    for (const commit of commits.filter(({ isComplete }) => isComplete))
      await say(reviewer, [
        { kind: "verdict", commit: commit.rowsRoot as `0x${string}`, verdict: "approve", note: "" },
      ]);
    const copied = (await salted(await openRowStore(join(world.folder, "bob")), [CONTENTS[3]!]))[0]!;
    await say(
      labeller,
      [...rows, copied].map((row, i) => ({
        ...{ kind: "label" as const, row: sha256Hex(row), flags: [], note: "" },
        label: i % 2 === 0 ? "good" : "bad",
      })),
    );
    const { version } = await collectReviewed(world.owner, { ...at(), store });
    // The copy is not among them.
    expect(version.storedRows.map(({ digest }) => digest).sort()).toEqual(rows.map(sha256Hex).sort());
    await storeVersion(store, version);
    await publishVersion(world.owner, { datanetId: world.datanetId, version });
    await world.finalise();
    await bringVersion(world.owner, { ...at(), store, rowsRoot: version.rowsRoot });

    const mirror = await world.host("mirror");
    // A stranger was there first, with names that are no row's.
    await bringCard(bob, { hostUrl: mirror.url, datanetId: world.datanetId, card });
    const poisoned = version.storedRows.map((row) => {
      const digest = Buffer.from(row.digest, "hex");
      return {
        ...row,
        digest: aliasesOf(digest)
          .find((alias) => !alias.equals(digest))!
          .toString("hex"),
      };
    });
    const path = `/v1/datanets/${world.datanetId}/versions/${hex32(version.rowsRoot)}`;
    const call = { method: "PUT", path, body: encodeVersion(poisoned), isSigned: true } as const;
    await askHost(bob, mirror.url, call, z.looseObject({}));
    const between = await openRowStore(join(world.folder, "between"));
    const question = { datanetId: world.datanetId, store: between, fromUrl: host.url, toUrl: mirror.url };
    expect(await mirrorDatanet(world.owner, question)).toMatchObject({ versionCount: 1 });
    const mine = await openRowStore(join(world.folder, "mine"));
    const location = { datanetId: world.datanetId, hostUrl: mirror.url };
    expect(await downloadVersion(world.owner, { ...location, store: mine })).toMatchObject({ rowCount: 7 });
    const { exceptions } = await verifyVersion(world.owner, {
      datanetId: world.datanetId,
      store,
      version: 2,
    } as never);
    expect(exceptions.map(({ contributorId, fate }) => [contributorId, fate])).toEqual([
      // A row without a salt, which no host takes, and the copy.
      [4, "dropped"],
      [4, "repeated"],
    ]);
    const exported = await exportVersion(world.owner, { ...location, store: mine, version: 2 });
    expect(exported.rows.map(({ content }) => textOf(contentOfRow(content))).sort()).toEqual(
      CONTENTS.map(textOf).sort(),
    );

    const model = await trainOnVersion(world.owner, at(), {
      store: mine,
      version: 2,
      classes: ["good", "bad"],
    });
    const files = encodeModel(model as never);
    expect(Buffer.from(files.get("rows.jsonl")!).toString()).toContain('"base64"');
    const owned = await readVersionRows(mine, version.rowsRoot);
    expect(owned.every(({ content }) => isSalted(content))).toBe(true);
    const decoded = decodeModel(files, [directFamily]);
    const facts = { staticsHash: model.staticsHash, rowsRoot: version.rowsRoot };
    expect(await verifyModel({ model: decoded, facts, depth: "train" })).toMatchObject({ rowCount: 7 });
  });

  it("shows readers what a row says, and nothing of its salt", async () => {
    const path = `/v1/datanets/${world.datanetId}/rows/${sha256Hex(rows[0]!)}`;
    const shown = await askHost(
      world.owner,
      host.url,
      { path, isSigned: true },
      z.looseObject({ excerpt: z.string() }),
    );
    expect(shown).toMatchObject({ excerpt: textOf(CONTENTS[0]!), isWellFormed: true });
  });
});

it("is new only with salts, also where a Datanet becomes permissioned", async () => {
  const open = sampleCard({ labels: [], examples: [] });
  const world = await createHostWorld({ card: open });
  try {
    const host = await world.host("host");
    const at = { hostUrl: host.url, datanetId: world.datanetId };
    await bringCard(world.owner, { ...at, card: open });
    const store = await openRowStore(join(world.folder, "rows"));
    const bring = async (rows: readonly Uint8Array[]) => {
      const alice = await world.user(1);
      const { contribution } = await contributeRows(alice, { datanetId: world.datanetId, store, rows });
      await world.finalise();
      await uploadRows(alice, { ...at, source: await contributionSource(store, contribution.rowsRoot) });
      return contribution.rowsRoot;
    };
    const listStatus = async (root: bigint) =>
      (await fetch(`${host.url}/v1/datanets/${world.datanetId}/commits/${hex32(root)}/list`)).status;
    const first = await bring(sampleRows(2));
    await expect(bring([saltRow(sampleRows(1, 5)[0]!, new Uint8Array(32))])).rejects.toMatchObject({
      code: "DNT_ROW_SALT",
      data: { digests: null },
    });
    const become = async (digests?: "salted") => {
      const row = { ...open.row, ...(digests === undefined ? {} : { digests }) };
      const next = nameCard({ ...open, access: "permissioned", row }).card;
      await publishCard(world.owner, { datanetId: world.datanetId, card: next });
      await world.finalise();
      return bringCard(world.owner, { ...at, card: next });
    };
    await expect(become()).rejects.toMatchObject({ code: "DNT_CARD_DIGESTS" });
    await become("salted");
    // What was public stays public; what comes now has salts.
    expect(await listStatus(first)).toBe(200);
    const later = await bring([saltRow(sampleRows(1, 9)[0]!, new Uint8Array(32).fill(1))]);
    expect(await listStatus(later)).toBe(200);
  } finally {
    await world.close();
  }
});

it("shows lists of plain digests to readers alone, and keeps its form, where it is from before salts", async () => {
  const plain = nameCard({ ...card, row: { ...card.row, digests: undefined } }).card;
  const world = await createHostWorld({ card: plain });
  try {
    const store = await openRowStore(join(world.folder, "rows"));
    const alice = await world.user(1);
    const input = { datanetId: world.datanetId, store, rows: sampleRows(3) };
    const { rowsRoot } = (await contributeRows(alice, input)).contribution;
    await world.finalise();
    // The host hears of the Datanet when it has rows, as a mirror of an earlier one.
    const host = await world.host("host");
    const at = { hostUrl: host.url, datanetId: world.datanetId };
    await bringCard(world.owner, { ...at, card: plain });
    await uploadRows(alice, { ...at, source: await contributionSource(store, rowsRoot) });
    const path = `/v1/datanets/${world.datanetId}/commits/${hex32(rowsRoot)}/list`;
    const listed = async (client: LedgerClient, isSigned = true) =>
      askHostForBytes(client, host.url, { path, isSigned }).then(
        ({ length }) => length,
        ({ code }: { code: string }) => code,
      );
    expect(await listed(alice, false)).toBe("DNT_REQUEST_UNSIGNED");
    expect(await listed(alice)).toBe("DNT_ACCESS_NOT_GRANTED");
    expect(await listed(world.owner)).toBe(96);
    expect(await findKnownRows(alice, { ...at, digests: sampleRows(3).map(sha256Hex) })).toEqual([]);
    const { commits } = await downloadCommits(world.owner, {
      ...at,
      store: await openRowStore(join(world.folder, "own")),
    });
    expect(commits).toHaveLength(1);
    // An owner whose client names an account that may not read, as a page's does.
    const byAccount = { ...world.owner, leafId: alice.leafId };
    expect(await askAsReader(byAccount, at, { path }, "bytes")).toHaveLength(96);
  } finally {
    await world.close();
  }
});

it("shows no plain digest of before in the lists of a Datanet that asks for salts since, nor on a mirror", async () => {
  const plain = nameCard({ ...card, row: { ...card.row, digests: undefined } }).card;
  const world = await createHostWorld({ card: plain });
  try {
    const { datanetId, owner } = world;
    const store = await openRowStore(join(world.folder, "rows"));
    const alice = await world.user(1);
    const contribute = async (rows: readonly Uint8Array[]) => {
      const { contribution } = await contributeRows(alice, { datanetId, store, rows });
      await world.finalise();
      return contribution.rowsRoot;
    };
    const before = await contribute(sampleRows(3));
    await publishCard(owner, { datanetId, card });
    const since = await contribute([saltRow(sampleRows(1, 9)[0]!, new Uint8Array(32).fill(1))]);
    const version = await collectVersion(owner, { datanetId, store, validatorId: datanetId });
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId, version });
    await world.finalise();
    // A host that knows both cards, and one that the present card alone has come to.
    for (const cards of [[plain, card], [card]]) {
      const host = await world.host(`host-${cards.length}`);
      const at = { hostUrl: host.url, datanetId };
      for (const one of cards) {
        if (one === plain) await (await host.store.openOrMake(datanetId)).addCard(nameCard(plain));
        else await bringCard(owner, { ...at, card });
      }
      for (const root of [before, since])
        await uploadRows(alice, { ...at, source: await contributionSource(store, root) });
      await bringVersion(owner, { ...at, store, rowsRoot: version.rowsRoot });
      const statusOf = async (path: string) =>
        (await fetch(`${host.url}/v1/datanets/${datanetId}${path}`)).status;
      const roots = `before=${hex32(version.rowsRoot)}&after=${hex32(version.rowsRoot)}`;
      expect(await statusOf(`/commits/${hex32(before)}/list`)).toBe(401);
      expect(await statusOf(`/versions/${hex32(version.rowsRoot)}`)).toBe(401);
      expect(await statusOf(`/difference?${roots}`)).toBe(401);
      expect(await statusOf(`/commits/${hex32(since)}/list`)).toBe(200);
      const own = await openRowStore(join(world.folder, `own-${cards.length}`));
      expect(await downloadVersion(owner, { ...at, store: own })).toMatchObject({ rowCount: 4 });
    }
  } finally {
    await world.close();
  }
});

it("has rows of before the first card in that card's form, in lists that everybody may read", async () => {
  const world = await createHostWorld({ card });
  try {
    const alice = await world.user(1);
    const order = { l1Owner: "0x0000000000000000000000000000000000000001", keyX: alice.l2Key!.keyX } as const;
    const { hash } = await createDatanet(alice, { ...order, amountWei: 3n * ONE_OPEN_WEI });
    const datanetId = (await getOperation(alice, hash))!.createdId!;
    const owner = { ...alice, leafId: datanetId };
    const store = await openRowStore(join(world.folder, "rows"));
    const rows = [saltRow(sampleRows(1)[0]!, new Uint8Array(32).fill(1))];
    const { rowsRoot } = (await contributeRows(alice, { datanetId, store, rows })).contribution;
    const plain = (await contributeRows(alice, { datanetId, store, rows: sampleRows(1, 5) })).contribution;
    const version = await collectVersion(owner, { datanetId, store, validatorId: datanetId });
    await storeVersion(store, version);
    await publishVersion(owner, { datanetId, version, policy: nameCard(card).policy });
    await world.finalise();
    const host = await world.host("host");
    const at = { hostUrl: host.url, datanetId };
    await bringCard(owner, { ...at, card });
    await uploadRows(alice, { ...at, source: await contributionSource(store, rowsRoot) });
    const late = uploadRows(alice, { ...at, source: await contributionSource(store, plain.rowsRoot) });
    await expect(late).rejects.toMatchObject({ code: "DNT_ROW_SALT", data: { digests: "salted" } });
    await bringVersion(owner, { ...at, store, rowsRoot: version.rowsRoot });
    for (const path of [`commits/${hex32(rowsRoot)}/list`, `versions/${hex32(version.rowsRoot)}`])
      expect((await fetch(`${host.url}/v1/datanets/${datanetId}/${path}`)).status).toBe(200);
  } finally {
    await world.close();
  }
});
