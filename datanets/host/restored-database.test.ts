/** Tests of a host whose database is put back to an earlier copy: what was withdrawn and refused since holds again. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { saltRow } from "@openledger/attribution/rows/salted-rows";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { askHost } from "@openledger/client/datanets/host-request";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { administer } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { sha256Hex } from "../rows/row-digest.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard({ access: "permissioned", labels: [], examples: [] });
const bytes = (text: string) => new TextEncoder().encode(text);
const SALT = new Uint8Array(32).fill(7);
const ROWS = ["Maria lives here", "another row", "comes later, and goes"].map((text) =>
  saltRow(bytes(text), SALT),
);
const [MARIA, OTHER, LATER] = ROWS.map(sha256Hex) as [string, string, string];
let world: HostWorld;
let host: TestHost;
let store: RowStore;
let alice: LedgerClient;
let reader: LedgerClient;
let databaseUrl: string;
let journal: string;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const answerSchema = z.looseObject({ excerpt: z.string(), withdrawnAtMs: z.number().nullable() });
const read = (row: string, as = reader): Promise<string> =>
  askHost(
    as,
    host.url,
    { path: `/v1/datanets/${world.datanetId}/rows/${row}`, isSigned: true },
    answerSchema,
  ).then(
    ({ excerpt, withdrawnAtMs }) => (withdrawnAtMs === null ? excerpt : "withdrawn"),
    ({ code }: { code: string }) => code,
  );
const withdraw = (row: string) =>
  sayRecords(alice, {
    ...location(),
    records: [{ kind: "withdrawal", row, note: "it names me\u2028and mine" }],
  });
const bring = async (rows: readonly Uint8Array[]) => {
  const { contribution } = await contributeRows(alice, { datanetId: world.datanetId, store, rows });
  await world.finalise();
  return contributionSource(store, contribution.rowsRoot);
};

/** Puts the database back to the copy, as `pg_restore` does while no host runs. */
async function restore(): Promise<void> {
  const { admin, name } = parts();
  await administer(admin, `drop database ${name} with (force)`);
  await administer(admin, `create database ${name} template ${name}_copy`);
}
const parts = () => {
  const name = /\/\/\/([^?]*)/.exec(databaseUrl)![1]!;
  return { name, admin: databaseUrl.replace(`/${name}?`, "/postgres?") };
};

beforeAll(async () => {
  world = await createHostWorld({ card });
  databaseUrl = (await world.environment("host")).DATANET_DATABASE_URL!;
  journal = (await world.environment("host")).DATANET_JOURNAL_PATH!;
  host = await world.host("host");
  [alice, reader] = await Promise.all([world.user(1), world.user(2)]);
  store = await openRowStore(join(world.folder, "rows"));
  await bringCard(world.owner, { ...location(), card });
  await uploadRows(alice, { ...location(), source: await bring(ROWS.slice(0, 2)) });
  const question = { kind: "accessRequest" as const, purpose: "a model" };
  const [input] = await sayRecords(reader, { ...location(), records: [question], atMs: Date.now() - 5_000 });
  const answer = { kind: "accessAnswer" as const, request: input!.id!, note: "" };
  const say = (how: "grant" | "refuse", untilMs: number, atMs?: number) =>
    sayRecords(world.owner, {
      ...location(),
      records: [{ ...answer, answer: how, untilMs }],
      ...(atMs === undefined ? {} : { atMs }),
    });
  await say("grant", Date.now() + 1e9, Date.now() - 4_000);
  expect(await read(MARIA)).toBe("Maria lives here");
  await host.stop();
  const { admin, name } = parts();
  await administer(admin, `create database ${name}_copy template ${name}`);

  host = await world.host("host");
  await uploadRows(alice, { ...location(), source: await bring(ROWS.slice(2)) });
  await withdraw(MARIA);
  await withdraw(LATER);
  await say("refuse", 0);
  await host.stop();
});
afterAll(async () => {
  const { admin, name } = parts();
  await administer(admin, `drop database ${name}_copy with (force)`);
  await world.close();
});

it("serves no row that was withdrawn since, by a grant that was taken back since", async () => {
  await restore();
  host = await world.host("host");
  expect(await read(OTHER)).toBe("DNT_ACCESS_NOT_GRANTED");
  expect(await read(OTHER, world.owner)).toBe("another row");
  expect(await read(MARIA, world.owner)).toBe("withdrawn");
  const listed = await fetch(`${host.url}/v1/datanets/${world.datanetId}/withdrawals`);
  expect(await listed.json()).toMatchObject({ total: 1 });
});

it("takes no row that was withdrawn since, when it comes again", async () => {
  const { rowsRoot } = (await (await fetch(`${host.url}/v1/datanets/${world.datanetId}/commits`)).json()).at(
    -1,
  );
  await uploadRows(alice, { ...location(), source: await contributionSource(store, BigInt(rowsRoot)) }).catch(
    () => {},
  );
  expect(await read(LATER, world.owner)).toBe("withdrawn");
  await host.stop();
});

it("writes down what only the database has, and never the same twice", async () => {
  const lines = () =>
    readdirSync(journal).flatMap((name) =>
      readFileSync(join(journal, name), "utf8").trimEnd().split("\n").slice(1),
    );
  const before = lines();
  host = await world.host("host");
  await host.stop();
  expect(lines()).toEqual(before);
  rmSync(journal, { recursive: true });
  host = await world.host("host");
  await host.stop();
  // Of the two answers the later one holds.
  expect(lines().map((line) => JSON.parse(line).record.body.kind)).toEqual([
    "accessAnswer",
    "withdrawal",
    "withdrawal",
  ]);
});

it("passes over a line that was not written whole, and starts with no journal that is another's or changed", async () => {
  const path = join(journal, readdirSync(journal)[0]!);
  const whole = readFileSync(path, "utf8");
  appendFileSync(path, '{"record":{"bo');
  host = await world.host("host");
  await host.stop();
  const refusals: [string, string][] = [
    ["SRV_STORE_CORRUPT", whole.replace("it names me", "it names you")],
    ["SRV_STORE_CORRUPT", `${whole}not JSON\n`],
    ["SRV_STORE_FORMAT", whole.replace("journal-1", "journal-9")],
    ["SRV_WRONG_DIRECTORY", whole.replace(/"chainId":\d+/, '"chainId":1')],
  ];
  for (const [code, text] of refusals) {
    writeFileSync(path, text);
    await expect(world.host("host"), text.slice(0, 80)).rejects.toMatchObject({ code });
  }
  writeFileSync(path, whole);
});

it("acknowledges no withdrawal that the journal does not have", async () => {
  const LAST = saltRow(bytes("a row of the last test"), SALT);
  host = await world.host("host");
  const source = await bring([LAST]);
  await uploadRows(alice, { ...location(), source });
  const row = sha256Hex(LAST);
  // A folder that is gone, and a file in its place.
  rmSync(journal, { recursive: true });
  writeFileSync(journal, "");
  await expect(withdraw(row)).rejects.toMatchObject({ code: "SRV_STORE_FAILED" });
  rmSync(journal);
  mkdirSync(journal);
  // The same record again: it is here, and is written now.
  expect(await withdraw(row)).toMatchObject([{ error: null }]);
  expect(readFileSync(join(journal, readdirSync(journal)[0]!), "utf8")).toContain(row);
});
