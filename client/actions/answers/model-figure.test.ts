/** A model's figure from its server, judged against the ledger; a fake sequencer and a server that shows what a case wants. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ModelFigure } from "@openledger/attribution/model/model-figure";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { figureId, signFigureBody } from "@openledger/datanets/records/signed-figure";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Verification } from "../../datanets/verified-records.ts";
import { keyFromSecret } from "../../l2-key.ts";
import { getModel, staticsOf } from "../../sequencer/model-reads.ts";
import { createLedgerFixture, type LedgerFixture } from "../../testing/ledger-fixture.ts";
import { figureChecks, figureLine, readFigure, signFigure } from "./model-figure.ts";

const MODEL_ID = 15;
const VERSION_ROOT = hex32(9n);
const figure: ModelFigure = {
  foldCount: 5,
  isByContributor: true,
  labels: [
    { label: "a", rowCount: 52, rightCount: 40 },
    { label: "b", rowCount: 68, rightCount: 42 },
  ],
  majorityCount: 52,
  logisticCount: 85,
};
const WORDS =
  "right on 82 of 120 unseen rows (60 to 76 %); counting labels 43 %, plain logistic regression 71 %; signed by the model's leaf";

let fixture: LedgerFixture;
let server: Server;
let serverUrl: string;
/** Status and body of the server's answer. */
let shown: { status?: number; body: unknown };

beforeAll(async () => {
  await initPoseidon();
  fixture = await createLedgerFixture({ hasFeed: false });
  const binding = packBinding({
    ...{ datanetId: 4n, version: 2n, rowCount: 120n, predecessorId: 0n, drawBits: 2n, featureCount: 16n },
    furtherDatanets: [],
  });
  fixture.sequencer.answers.set(`GET /v1/models/${MODEL_ID}`, {
    ...{ id: MODEL_ID, kind: "model", nonce: 0, nextNonce: 0, balanceWei: "0", chain: hex32(0n) },
    l1Owner: "0x000000000000000000000000000000000000000b",
    keyX: hex32(fixture.key.keyX),
    openAmountWei: "0",
    counters: {
      ...{ isReady: true, isApproved: true, approvals: 0, cap: 64, paymentCount: 0, epoch: 1 },
      priceWei: "1",
    },
    model: {
      ...{ featuresCommitment: hex32(1n), ownersCommitment: hex32(2n), payeeRoot: hex32(3n) },
      ...{ binding: hex32(binding), datanetId: 4, version: 2, furtherDatanets: [], drawCount: 4 },
      ...{ featureCount: 16, ownerParts: 5, validatorParts: 6, epochStart: 1 },
    },
    closedEpoch: null,
    payees: [],
  });
  server = createServer(({ url }, response) => {
    const isFigure = url === "/v1/figure";
    response.writeHead(isFigure ? (shown.status ?? 200) : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isFigure ? shown.body : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await fixture.close();
});

const read = () => readFigure(fixture.client, { serverUrl, modelId: MODEL_ID });

describe("a model's figure", () => {
  it("is signed by the model's key, read back, and said with who has recomputed it", async () => {
    const leaf = await getModel(fixture.client, MODEL_ID);
    const signed = signFigure(fixture.client, { leaf, figure, versionRoot: VERSION_ROOT });
    const modelRoot = hex32(staticsOf(leaf).hash);
    expect(signed.body).toEqual({
      ...{ modelId: MODEL_ID, modelRoot, version: 2, versionRoot: VERSION_ROOT, figure },
    });
    shown = { body: { figure: signed } };
    const found = await read();
    const id = figureId(fixture.client.domain, signed.body);
    expect(found).toEqual({ state: "signed", signed, id });
    expect(figureLine(found, null)).toBe(WORDS);

    const by = (leafId: number, change: Partial<Verification> = {}): Verification => ({
      ...{ leafId, atMs: 1, version: 2, epoch: null, difference: null, figure: id },
      ...change,
    });
    const wrong = { file: "figure.json", row: null };
    const cases: [string, Verification[], number | null][] = [
      ["recomputed by nobody yet", [], 4],
      ["recomputed by you", [by(4)], 4],
      ["recomputed by 1 other", [by(4)], null],
      ["recomputed by you and 2 others", [by(4), by(5), by(6), by(6)], 4],
      // The model alone, another figure of it, and a settlement.
      [
        "recomputed by nobody yet",
        [by(5, { figure: null }), by(6, { figure: hex32(1n) }), by(7, { epoch: 3 })],
        4,
      ],
      ["recomputed by 1 other; 1 got other numbers", [by(5), by(6, { difference: wrong })], 4],
      // Other parameters: the figure was not computed.
      ["recomputed by nobody yet", [by(5, { difference: { file: "parameters.bin", row: 3 } })], 4],
    ];
    for (const [words, verifications, you] of cases)
      expect(figureLine(found, figureChecks(verifications, id, you))).toBe(`${WORDS}; ${words}`);
  });

  it("is not signed by another key than the model's", async () => {
    const leaf = await getModel(fixture.client, MODEL_ID);
    const other = { ...fixture.client, l2Key: await keyFromSecret(hex32(3n)) };
    expect(() => signFigure(other, { leaf, figure, versionRoot: VERSION_ROOT })).toThrow(
      expect.objectContaining({ code: "OP_BAD_SIGNATURE" }),
    );
    const keyless = { ...fixture.client, l2Key: null };
    expect(() => signFigure(keyless, { leaf, figure, versionRoot: VERSION_ROOT })).toThrow(
      expect.objectContaining({ code: "CLI_NOT_CONFIGURED" }),
    );
  });

  it("is none of a server that has none, or knows no figures", async () => {
    shown = { body: { figure: null } };
    expect(await read()).toEqual({ state: "none" });
    shown = { status: 404, body: { error: { code: "SRV_UNKNOWN_ROUTE", message: "no such route" } } };
    expect(await read()).toEqual({ state: "none" });
    expect(figureLine({ state: "none" }, null)).toBeNull();
    shown = { status: 500, body: { error: { code: "SRV_INTERNAL", message: "it failed" } } };
    await expect(read()).rejects.toMatchObject({ code: "SRV_INTERNAL" });
  });

  it("is refused with the reason where its server shows another", async () => {
    const { client, key } = fixture;
    const leaf = await getModel(client, MODEL_ID);
    const { body } = signFigure(client, { leaf, figure, versionRoot: VERSION_ROOT });
    const sign = (change: object, by: typeof key = key) =>
      signFigureBody(client.domain, { ...body, ...change }, by);
    const cases = [
      ["unsigned", { ...body }],
      ["other-model", sign({ modelId: 16 })],
      ["other-version", sign({ version: 1 })],
      ["other-version", sign({ modelRoot: hex32(5n) })],
      ["altered", { ...sign({}), body: { ...body, figure: { ...figure, majorityCount: 1 } } }],
      ["other-key", sign({}, await keyFromSecret(hex32(3n)))],
    ] as const;
    for (const [fault, record] of cases) {
      shown = { body: { figure: record } };
      const found = await read();
      expect(found).toEqual({ state: "refused", fault });
      expect(figureLine(found, null)).toMatch(/^not shown: its server shows (a|the) figure /);
    }
  });
});
