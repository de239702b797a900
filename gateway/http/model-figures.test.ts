/** `GET /v1/models` of a gateway before a real answer server: the figure of a model as its leaf has signed it, and what is refused. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { ModelFigure } from "@openledger/attribution/model/model-figure";
import { signFigure } from "@openledger/client/actions/answers/model-figure";
import { getModel } from "@openledger/client/sequencer/model-reads";
import {
  SIGNED_FIGURE_FILE,
  type SignedFigure,
  signFigureBody,
} from "@openledger/datanets/records/signed-figure";
import { writeSignedFigure } from "@openledger/models/serving/answers/figure-file";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { MODEL_ID, type PaidLedger, startPaidLedger } from "../testing/paid-ledger.ts";
import { errorBody, statusOf } from "./openai-errors.ts";

let world: PaidLedger;
let signed: SignedFigure;
let figure: ModelFigure;

beforeAll(async () => {
  world = await startPaidLedger();
  figure = world.published.figure!;
  const leaf = await getModel(world.client, MODEL_ID);
  const versionRoot = world.published.recipe.datanet.rowsRoot;
  signed = signFigure(world.client, { leaf, figure, versionRoot });
});
afterAll(() => world?.stop());

/** Lists the models of a gateway that starts now. */
async function listed() {
  const { stop, token, url } = await world.openApp();
  onTestFinished(stop);
  const ask = async (path: string) => {
    const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return response.json() as Promise<never>;
  };
  const { data } = (await ask("/v1/models")) as { data: { openledger: { figure: object } }[] };
  const one = (await ask(`/v1/models/model-${MODEL_ID}`)) as { openledger: { figure: object } };
  expect(one.openledger.figure).toEqual(data[0]!.openledger.figure);
  return one.openledger.figure;
}

it("lists the signed figure with its interval and baselines, and none where the server has none", async () => {
  expect(await listed()).toEqual({ state: "none" });
  await writeSignedFigure(world.modelFolder, signed);
  const rightCount = figure.labels.reduce((sum, label) => sum + label.rightCount, 0);
  const found = (await listed()) as { low: number; high: number };
  expect(found).toMatchObject({
    ...{ state: "signed", rowCount: 24, rightCount, recomputed: null, ...figure },
    text: expect.stringMatching(
      new RegExp(`^right on ${rightCount} of 24 unseen rows \\(.*signed by the model's leaf$`),
    ),
  });
  expect(found.low).toBeLessThan(rightCount / 24);
  expect(found.high).toBeGreaterThan(found.low);
  await rm(join(world.modelFolder, SIGNED_FIGURE_FILE));
});

it("says that a model whose epoch is full is not payable", async () => {
  const { stop, token, url } = await world.openApp();
  onTestFinished(stop);
  const isPayable = async () => {
    const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
    const { data } = (await response.json()) as { data: { openledger: { isPayable: boolean } }[] };
    return data.map(({ openledger }) => openledger.isPayable);
  };
  expect(await isPayable()).toEqual([true]);
  const { cap } = world.ledger;
  world.ledger.cap = 0;
  onTestFinished(() => void Object.assign(world.ledger, { cap }));
  expect(await isPayable()).toEqual([false]);
  // Its server may know it sooner than the gateway: then the request is not what is wrong.
  const refusal = attributionError("ATT_MODEL_NOT_PAYABLE", "the epoch is full", {
    data: { httpStatus: 409 },
  });
  expect(statusOf(refusal)).toBe(409);
  expect(errorBody(refusal)).toMatchObject({ error: { type: "server_error" } });
});

it("refuses what a label does not have, by its name", async () => {
  const { stop, token, url } = await world.openApp();
  onTestFinished(stop);
  const ask = async (fields: object) => {
    const messages = [{ role: "user", content: world.prompts[0]! }];
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "x-api-key": token, "content-type": "application/json" },
      body: JSON.stringify({ model: `model-${MODEL_ID}`, messages, ...fields }),
    });
    return [response.status, ((await response.json()) as { error?: object }).error];
  };
  for (const [param, value] of [
    ["temperature", 0.7],
    ["stop", ["a"]],
  ] as const)
    expect(await ask({ [param]: value })).toMatchObject([400, { param, code: "unsupported_value" }]);
  expect(world.ledger.paid).toEqual([]);
  expect((await ask({ temperature: 0, max_tokens: 5 }))[0]).toBe(200);
});

it("names the reason where a server shows another figure", async () => {
  const { body } = signed;
  const { client } = world;
  const key = client.l2Key!;
  const cases: [string, SignedFigure][] = [
    ["other-model", signFigureBody(client.domain, { ...body, modelId: 11 }, key)],
    ["other-version", signFigureBody(client.domain, { ...body, version: body.version + 1 }, key)],
    ["altered", { ...signed, body: { ...body, figure: { ...figure, logisticCount: 0 } } }],
  ];
  for (const [fault, shown] of cases) {
    await writeSignedFigure(world.modelFolder, shown);
    expect(await listed()).toMatchObject({
      ...{ state: "refused", fault },
      text: expect.stringMatching(/^not shown: its server shows/),
    });
  }
});
