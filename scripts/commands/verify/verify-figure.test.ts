/** `openledger verify model` and the figure that a model's server shows: computed again, refused, or told where it counts for nothing. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeModel } from "@openledger/attribution/model/model-files";
import { signFigure } from "@openledger/client/actions/answers/model-figure";
import { getModel } from "@openledger/client/sequencer/model-reads";
import {
  createLedgerFixture,
  type LedgerFixture,
  leafAnswer,
  owners,
} from "@openledger/client/testing/ledger-fixture";
import { figureId, type SignedFigure } from "@openledger/datanets/records/signed-figure";
import { hex32 } from "@openledger/foundation/hex";
import { type AnsweredModel, modelLeaf, publishDirectModel } from "@openledger/models/testing/answered-world";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Output } from "../../cli/output.ts";
import { recompute } from "./verify-model.ts";

const MODEL_ID = 10;
let world: AnsweredModel;
let fixture: LedgerFixture;
let server: Server;
let url: string;
let signed: SignedFigure;
let shown: unknown;

beforeAll(async () => {
  [world, fixture] = await Promise.all([publishDirectModel(), createLedgerFixture({ hasFeed: false })]);
  const { answers } = fixture.sequencer;
  const { client, key } = fixture;
  const leaf = { ...modelLeaf(world.model, MODEL_ID), keyX: hex32(key.keyX) };
  for (const route of ["leaves", "models"]) answers.set(`GET /v1/${route}/${MODEL_ID}`, leaf);
  const { id, rowsRoot, version } = world.model.recipe.datanet;
  answers.set(`GET /v1/leaves/${leaf.model.datanetId}`, {
    ...leafAnswer({ id, l1Owner: owners.payer, keyX: key.keyX, nextNonce: 0 }),
    kind: "datanet",
    datanet: {
      ...{ version, rowsRoot, policy: hex32(0n), rowCount: 24, commitCount: 1, publishedAt: 1 },
      ...{ ownersCommitment: hex32(0n), payeeRoot: hex32(0n) },
    },
  });
  const files = encodeModel(world.model);
  server = createServer((request, response) => {
    const [, name] = /^\/v1\/model\/(.+)$/.exec(request.url!) ?? [];
    const bytes = name === undefined ? undefined : files.get(name);
    if (request.url === "/v1/figure") response.end(JSON.stringify({ figure: shown }));
    else if (bytes !== undefined) response.end(bytes);
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  signed = signFigure(client, {
    leaf: await getModel(client, MODEL_ID),
    figure: world.model.figure!,
    versionRoot: rowsRoot,
  });
});
afterAll(async () => {
  server?.close();
  await fixture?.close();
  await world?.remove();
});

const output = { progress: () => {}, note: () => {} } as unknown as Output;
const verify = async (quick = false) => {
  const told: string[] = [];
  const onFigure = (id: string) => void told.push(id);
  const what = { what: String(MODEL_ID), onFigure };
  const found = await recompute(fixture.client, what, { server: url, quick }, output);
  return { ...found, told };
};

it("computes the figure again, and says whose it is", async () => {
  shown = signed;
  const { facts, lines, told } = await verify();
  const id = figureId(fixture.client.domain, signed.body);
  expect(told).toEqual([id]);
  expect(facts).toMatchObject({ figure: world.model.figure, figureId: id, figureFault: null });
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^its figure is what its recipe makes of the rows, signed by the model's leaf: right on \d+ of 24/,
    ),
  );
  // Without a training nothing is said about it.
  expect((await verify(true)).facts).toMatchObject({ figure: null, figureId: null });
});

it("names the number that differs, of a figure that the leaf has signed", async () => {
  const { client } = fixture;
  const leaf = await getModel(client, MODEL_ID);
  const figure = { ...world.model.figure!, logisticCount: 1 };
  const { versionRoot } = signed.body;
  shown = signFigure(client, { leaf, figure, versionRoot });
  await expect(verify()).rejects.toMatchObject({
    code: "ATT_MODEL_MISMATCH",
    data: { what: "figure", field: "logisticCount", published: "1" },
  });
  shown = signFigure(client, { leaf, figure: world.model.figure!, versionRoot: hex32(7n) });
  await expect(verify()).rejects.toMatchObject({
    code: "ATT_MODEL_MISMATCH",
    data: { what: "figure", field: "versionRoot" },
  });
});

it("says that a figure counts for nothing, and verifies the model all the same", async () => {
  shown = { ...signed, body: { ...signed.body, figure: { ...signed.body.figure, majorityCount: 0 } } };
  const { facts, lines } = await verify();
  expect(facts).toMatchObject({ figure: null, figureId: null, figureFault: "altered", rowCount: 24 });
  expect(lines).toContainEqual(
    expect.stringMatching(/^ITS FIGURE COUNTS FOR NOTHING: its server shows a figure whose/),
  );
  shown = null;
  const without = await verify();
  expect(without.facts).toMatchObject({ figure: null, figureId: null, figureFault: null });
  expect(without.lines.join("\n")).not.toMatch(/figure/i);
});
