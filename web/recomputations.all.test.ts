/**
 * Recomputations of a model as its page, its Datanet's page and Ask show them: names, a red notice, and an approval's
 * preview.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { signFigure } from "@openledger/client/actions/answers/model-figure";
import { signAndSend } from "@openledger/client/actions/ledger/send-operation";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { getLeaf, getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { figureId, type SignedFigure } from "@openledger/datanets/records/signed-figure";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 200_000 };
let world: DatanetWorld;
let browser: Browser;
let datanetId: number;
let modelId: number;
/** A Datanet whose rows the joint model has beside the first one's. */
let furtherId: number;
let jointId: number;
/** Lists models as an answer server does, and shows figures; their files are not asked for before a question. */
let server: Server;
/** Figures that the server shows, by model: one of the leaf, and one that somebody has altered. */
const figures = new Map<number, SignedFigure>();
let figureOfModel: string;

/** carol or dave signs what they found, for one Datanet of a model. */
async function sign(
  person: "carol" | "dave",
  difference: { file: string; row: number | null } | null,
  { datanetId, figure, modelId }: { datanetId: number; modelId: number; figure?: string },
): Promise<void> {
  const client = world.client(person);
  const [{ datanet }, model] = await Promise.all([getLeaf(client, datanetId), getModel(client, modelId)]);
  const record: UnsignedRecord = {
    kind: "verified",
    modelId,
    modelRoot: hex32(staticsOf(model).hash),
    version: 1,
    versionRoot: hex32(datanet!.rowsRoot),
    epoch: null,
    difference,
    ...(figure === undefined ? {} : { figure }),
  };
  const location = { hostUrl: world.hostUrl, datanetId };
  const [result] = await sayRecords(client, { ...location, from: leafOf(person), records: [record] });
  expect(result!.error).toBe(null);
}

/** A model of alice's, without files. @returns its leaf's id */
async function registerModel(furtherDatanets: readonly number[]): Promise<number> {
  const alice = world.client("alice");
  const binding = packBinding({
    datanetId: BigInt(datanetId),
    version: 1n,
    rowCount: 9n,
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [...furtherDatanets],
  });
  const split = packSplit({ ownerParts: 6_554n, validatorParts: 16_384n });
  const words = [1n, alice.l2Key!.keyX, 1n, 2n, 3n, binding, 5n | (split << 96n)];
  const amountCode = encodeAmount(OPEN);
  const { hash } = await signAndSend(alice, { kind: "createModel", amountCode, words }, {});
  return (await getOperation(alice, hash))!.createdId!;
}

/** alice signs the figure of a model of hers. */
async function signedFigure(id: number): Promise<SignedFigure> {
  const alice = world.client("alice");
  const labels = [
    { label: "spam", rowCount: 4, rightCount: 3 },
    { label: "ham", rowCount: 5, rightCount: 4 },
  ];
  const figure = { foldCount: 5, isByContributor: true, labels, majorityCount: 5, logisticCount: 6 };
  return signFigure(alice, { leaf: await getModel(alice, id), figure, versionRoot: hex32(7n) });
}

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    const models = [modelId, jointId].map((id) => ({ modelId: id }));
    response.setHeader("access-control-allow-origin", "*");
    const figured = /^\/ledger\/(\d+)\/v1\/figure$/.exec(url ?? "");
    if (url === "/ledger") response.end(JSON.stringify({ models }));
    else if (figured !== null)
      response.end(JSON.stringify({ figure: figures.get(Number(figured[1])) ?? null }));
    else response.writeHead(404).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  [world, browser] = await Promise.all([
    startDatanetWorld({ SEQUENCER_PAGES_ANSWER_SERVERS: `http://127.0.0.1:${port}` }),
    openBrowser(),
  ]);
  ({ datanetId } = await world.makeDatanet(sampleCard()));
  ({ datanetId: furtherId } = await world.makeDatanet(sampleCard()));
  modelId = await registerModel([]);
  jointId = await registerModel([furtherId]);
  const signed = await signedFigure(modelId);
  figureOfModel = figureId(world.client("alice").domain, signed.body);
  figures.set(modelId, signed);
  const { body, ...rest } = await signedFigure(jointId);
  figures.set(jointId, { ...rest, body: { ...body, figure: { ...body.figure, logisticCount: 2 } } });
  await setDisplayName(world.client("carol"), {
    hostUrl: world.hostUrl,
    name: "Carol Checks",
    leafId: leafOf("carol"),
  });
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  server?.close();
});

test("a model's page names who has recomputed it, and warns in red of a difference", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `leaf/${modelId}`);
  await page.getByText("No one has signed a recomputation of this model yet.").waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
  const figure = page.getByRole("region", { name: "Figure of unseen rows" });
  const words =
    "right on 7 of 9 unseen rows (45 to 94 %); counting labels 56 %, plain logistic regression 67 %";
  await figure.getByText(`${words}; signed by the model's leaf; recomputed by nobody yet.`).waitFor();
  await figure.getByRole("table", { name: "Right by label" }).getByText("spam").waitFor();
  await sign("carol", null, { datanetId, modelId, figure: figureOfModel });
  await page.reload();
  await figure.getByText("recomputed by 1 other.").waitFor();
  const table = page.getByRole("table", { name: "Recomputed by" });
  await table.getByText("Carol Checks").waitFor();
  await table.getByText("the same bytes").waitFor();
  await sign("dave", { file: "features.bin", row: 17 }, { datanetId, modelId });
  await page.reload();
  const notice = page.getByRole("alert");
  await notice.getByText("A recomputation of this model gave a different result.").waitFor();
  expect(await notice.textContent()).toContain("differs in features.bin, row 18");
  expect(await table.getByRole("row").count()).toBe(3);
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "model-differs");
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("a Datanet's models show the same", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/models`);
  await page.getByRole("alert").getByText("differs in features.bin, row 18").waitFor();
  await page.getByRole("table", { name: "Recomputed by" }).getByText("Carol Checks").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "datanet-model-differs");
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("Ask names who has recomputed the chosen model, and warns in red of a difference", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `ask/${modelId}`);
  const notice = page.getByRole("alert");
  await notice.getByText("A recomputation of this model gave a different result.").waitFor();
  expect(await notice.textContent()).toContain("differs in features.bin, row 18");
  const figure = page.getByRole("region", { name: "Figure of unseen rows" });
  await figure.getByText("right on 7 of 9 unseen rows").waitFor();
  expect(await figure.textContent()).toContain("signed by the model's leaf; recomputed by 1 other.");
  await page.getByText("Who has recomputed it").click();
  await page.getByRole("table", { name: "Recomputed by" }).getByText("Carol Checks").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "ask-differs");
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("Ask looks at all Datanets of a model for recomputations", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, `ask/${jointId}`);
  await page.getByText("Nobody has signed a recomputation of it").waitFor();
  // Its server has altered a number of the figure that alice has signed.
  await page.getByText("This model's figure of unseen rows counts for nothing.").waitFor();
  await page
    .getByText("It is not shown: its server shows a figure whose numbers the model's leaf has not signed.")
    .waitFor();
  expect(await page.getByText("unseen rows (").count()).toBe(0);
  expect(await page.getByRole("alert").count()).toBe(0);
  // The host has it of the further Datanet alone.
  await sign("dave", { file: "payees.json", row: null }, { datanetId: furtherId, modelId: jointId });
  await page.reload();
  const notice = page.getByRole("alert");
  await notice.getByText("differs in payees.json").waitFor();
  const owners = notice.getByRole("link");
  for (const id of [datanetId, furtherId])
    expect(
      await owners.evaluateAll((links) => links.map((link) => link.getAttribute("href")!)),
    ).toContainEqual(expect.stringMatching(new RegExp(`/${id}$`)));
  expect(await seriousFindings(page)).toEqual([]);
  expect(misdeeds).toEqual([]);
  await context.close();
});
