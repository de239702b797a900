/** Tests of recomputations (signed results of training or settling again) at a Datanet host. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import {
  bringRecords,
  readRecords,
  sayRecords,
  type UnsignedRecord,
} from "@openledger/client/datanets/signed-records";
import { listVerified, readVerified } from "@openledger/client/datanets/verified-records";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { Database } from "@openledger/foundation/database/database";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RecordBody, signRecord, type VerifiedBody } from "../records/record.ts";
import {
  listRecomputations,
  MAX_VERIFIED_EPOCHS,
  MAX_VERIFIED_LEAVES,
  storeRecomputations,
} from "../store/verified-records.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

type Verified = Extract<UnsignedRecord, { kind: "verified" }>;

const card = sampleCard();
let world: HostWorld;
let host: TestHost;
/** Clients of two strangers: leaves 3 and 4. */
let ann: LedgerClient;
let ben: LedgerClient;
let modelId: number;
let same: Verified;
let atMs = Date.now() - 100_000;

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const sign = async (client: LedgerClient, record: Verified, at?: number) => {
  atMs += 1;
  const [result] = await sayRecords(client, { ...location(), records: [record], atMs: at ?? atMs });
  return result!.error?.code ?? "taken";
};
const listed = async () => (await listVerified(ann, { ...location(), modelId })).verifications;

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("host");
  [ann, ben] = [await world.user(1), await world.user(2)];
  await bringCard(world.owner, { ...location(), card });
  const binding = packBinding({
    datanetId: BigInt(world.datanetId),
    version: 1n,
    rowCount: 9n,
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [],
  });
  const { keyX } = await createRandomKey();
  const split = packSplit({ ownerParts: 6_554n, validatorParts: 16_384n });
  const words = [1n, keyX, 1n, 2n, 3n, binding, 5n | (split << 96n)];
  const maker = await world.user(0);
  const { hash } = await signAndSend(
    maker,
    { kind: "createModel", amountCode: encodeAmount(10n ** 18n), words },
    {},
  );
  modelId = (await getOperation(maker, hash))!.createdId!;
  const [{ datanet }, model] = await Promise.all([getLeaf(maker, world.datanetId), getModel(maker, modelId)]);
  same = {
    kind: "verified",
    modelId,
    modelRoot: hex32(staticsOf(model).hash),
    version: 1,
    versionRoot: hex32(datanet!.rowsRoot),
    epoch: null,
    difference: null,
  };
});
afterAll(() => world?.close());

describe("recomputations", () => {
  it("are taken from any leaf, the later in the place of the earlier, and outlast a restart and a mirror", async () => {
    expect(await sign(ann, same)).toBe("taken");
    expect(await sign(ben, { ...same, difference: { file: "features.bin", row: 17 } })).toBe("taken");
    expect(await sign(ann, { ...same, difference: { file: "columns.bin", row: null } })).toBe("taken");
    const figure = hex32(5n);
    expect(await sign(ann, { ...same, figure })).toBe("taken");
    const expected = [
      expect.objectContaining({
        leafId: 4,
        version: 1,
        difference: { file: "features.bin", row: 17 },
        figure: null,
      }),
      expect.objectContaining({ leafId: 3, version: 1, epoch: null, difference: null, figure }),
    ];
    expect(await listed()).toEqual(expected);
    // They stand beside the other records, not among them.
    expect((await readRecords(ann, location())).records).toEqual([]);
    await host.stop();
    host = await world.host("host");
    expect(await listed()).toEqual(expected);
    const mirror = await world.host("mirror");
    await bringCard(world.owner, { ...location(), hostUrl: mirror.url, card });
    const { records } = await readVerified(ann, location());
    const results = await bringRecords(ann, { ...location(), hostUrl: mirror.url, records });
    expect(results.map(({ error }) => error)).toEqual([null, null]);
    const mirrored = await listVerified(ann, { ...location(), hostUrl: mirror.url, modelId });
    expect(mirrored).toEqual({ verifications: expected, dropped: [] });
  });

  it("are refused where another key has signed, for another rollup or Datanet, and where they come again", async () => {
    const body = { ...same, datanetId: world.datanetId, leafId: ann.leafId!, atMs: atMs + 10 } as RecordBody;
    const bring = async (record: RecordBody, { by = ann, domain = ann.domain } = {}) => {
      const records = [signRecord(domain, record, by.l2Key!)];
      const [result] = await bringRecords(ann, { ...location(), records });
      return result!.error?.code ?? "taken";
    };
    expect(await bring(body, { by: ben })).toBe("DNT_RECORD_INVALID");
    expect(await bring(body, { domain: ann.domain + 1n })).toBe("DNT_RECORD_INVALID");
    expect(await bring({ ...body, datanetId: world.datanetId + 1 })).toBe("DNT_RECORD_INVALID");
    const withUnknownField = { ...body, more: 1 };
    expect(await bring(withUnknownField)).toBe("DNT_RECORD_INVALID");
    expect(await bring({ ...body, difference: { file: "<b>", row: 1 } } as RecordBody)).toBe(
      "DNT_RECORD_INVALID",
    );
    expect(await bring(body)).toBe("taken");
    // The very same again changes nothing; an older one does not come back.
    expect(await bring(body)).toBe("taken");
    expect(await bring({ ...body, atMs: body.atMs - 5 })).toBe("DNT_RECORD_OUTDATED");
    expect(await listed()).toHaveLength(2);
    atMs += 100;
  });

  it("are refused where they are about what the ledger does not have", async () => {
    const other = `0x${"7".padStart(64, "0")}`;
    expect(await sign(ann, { ...same, modelRoot: other })).toBe("DNT_RECORD_INVALID");
    expect(await sign(ann, { ...same, versionRoot: other })).toBe("DNT_RECORD_INVALID");
    expect(await sign(ann, { ...same, version: 2 })).toBe("DNT_RECORD_INVALID");
    expect(await sign(ann, { ...same, epoch: 1 }), "an open epoch").toBe("DNT_RECORD_INVALID");
    expect(await sign(ann, { ...same, modelId: world.datanetId })).toBe("DNT_RECORD_INVALID");
    expect(await sign(ann, { ...same, modelId: 999 })).toBe("DNT_RECORD_INVALID");
  });

  it("count against a key's day", async () => {
    const tight = await world.host("tight", { DATANET_QUOTA_RECORDS_PER_DAY: "2" });
    const hostUrl = tight.url;
    await bringCard(world.owner, { ...location(), hostUrl, card });
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) {
      atMs += 1;
      const [result] = await sayRecords(ann, { ...location(), hostUrl, records: [same], atMs });
      codes.push(result!.error?.code ?? "taken");
    }
    expect(codes).toEqual(["taken", "taken", "SRV_QUOTA_USED"]);
  });

  it("are not shown once their leaf has another key, and none is believed that the host has made", async () => {
    const { records } = await readVerified(ann, location());
    const changed = records.map((record, i) =>
      i === 0 ? { ...record, body: { ...record.body, atMs: record.body.atMs + 1 } } : record,
    );
    const liar = createServer((_request, response) => {
      response.end(JSON.stringify({ records: changed, total: changed.length, nextFrom: null }));
    });
    await new Promise<void>((resolve) => liar.listen(0, "127.0.0.1", resolve));
    const hostUrl = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    await expect(listVerified(ann, { ...location(), hostUrl, modelId })).rejects.toMatchObject({
      code: "CLI_DATANET_HOST_FALSE",
    });
    liar.close();
    await setKey(ben, { keyX: (await createRandomKey()).keyX });
    await expect.poll(async () => (await listed()).map(({ leafId }) => leafId)).toEqual([3]);
    const { dropped } = await listVerified(ann, { ...location(), modelId });
    expect(dropped.map(({ record, why }) => [record.body.leafId, why])).toEqual([[ben.leafId, "former"]]);
  });
});

describe("a model's table", () => {
  const offer = (leafId: number, epoch: number | null, atMs = 1, model = modelId) => {
    const body = { ...same, modelId: model, epoch, datanetId: world.datanetId, leafId, atMs } as RecordBody;
    return { id: `${leafId}/${epoch}`, record: { ...signed, body } };
  };
  let signed: ReturnType<typeof signRecord>;
  let database: Database;
  beforeAll(async () => {
    ({ database } = (await world.host("table")).store);
    signed = signRecord(5n, { ...same, datanetId: 1, leafId: 1, atMs: 1 } as RecordBody, ann.l2Key!);
  });

  it("refuses nobody: strangers go who signed longest ago, never the Datanet, its team or who has rows in it", async () => {
    const [datanetId, reviewer, contributor, rejected] = [1, 2, 3, 4];
    const named = [datanetId, reviewer, contributor, rejected];
    const { query } = database;
    const commit = (number: number, leafId: number, rejectedAtMs: number | null) =>
      query(
        `insert into commits (datanet_id, number, rows_root, row_count, contributor_id, commit_index, op_index, list, own_count, rejected_at_ms)
           values ($1, $2::int, $2::text, 1, $3, $2::int, $2::int, '', 1, $4)`,
        [datanetId, number, leafId, rejectedAtMs],
      );
    await commit(0, contributor, null);
    await commit(1, rejected, 5);
    const store = (offers: ReturnType<typeof offer>[]) =>
      storeRecomputations(database, datanetId, offers, [reviewer]);
    const leaves = async (model = modelId) => {
      const { records } = await listRecomputations(database, datanetId, { model, from: 0, limit: 2_000 });
      return records.map(({ body }) => body.leafId);
    };
    // Attack: strangers fill the table, each for nothing.
    const strangers = Array.from({ length: MAX_VERIFIED_LEAVES }, (_, i) => 100 + i);
    await store(named.map((leafId) => offer(leafId, null, 1)));
    await store([offer(100, 1, 2)]);
    await store(strangers.map((leafId) => offer(leafId, null, leafId)));
    // Who was rejected is a stranger, the one who signed first.
    const before = [...new Set(await leaves())];
    expect(before.sort((a, b) => a - b)).toEqual([1, 2, 3, ...strangers]);
    // One more has room, under whatever time: the one goes who signed longest ago, with all that it signed.
    await store([offer(5_000, null, 1)]);
    const kept = await leaves();
    expect(kept).toHaveLength(3 + MAX_VERIFIED_LEAVES);
    expect([5_000, 100, 101, 1, 2, 3].map((leafId) => kept.includes(leafId))).toEqual([
      ...[true, false, true],
      ...[true, true, true],
    ]);
    // Another model's table is its own.
    await store([offer(100, null, 1, modelId + 1)]);
    expect(await leaves(modelId + 1)).toEqual([100]);
  });

  it("drops a leaf's oldest epochs, and never its record of the model itself", async () => {
    await storeRecomputations(database, 2, [offer(1, null)], []);
    const list = async () =>
      (await listRecomputations(database, 2, { model: modelId, from: 0, limit: 1_000 })).records.map(
        ({ body }) => (body as VerifiedBody).epoch,
      );
    for (let epoch = 1; epoch <= MAX_VERIFIED_EPOCHS; epoch++)
      await storeRecomputations(database, 2, [offer(1, epoch)], []);
    expect(await list()).toHaveLength(1 + MAX_VERIFIED_EPOCHS);
    await storeRecomputations(database, 2, [offer(1, MAX_VERIFIED_EPOCHS + 1)], []);
    const epochs = await list();
    expect(epochs).toHaveLength(1 + MAX_VERIFIED_EPOCHS);
    expect([epochs.includes(null), epochs.includes(1), epochs.includes(2)]).toEqual([true, false, true]);
  });
});
