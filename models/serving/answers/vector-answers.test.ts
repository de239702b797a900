/** A model that counts texts by the release's word vectors, behind the answer server: asked, checked with a fetched file, and paid. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENGLISH_VECTORS, vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { directFamilyOf, vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { directTrainingOf } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering, fetchFile } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import { expect, it, onTestFinished } from "vitest";
import { modelLeaf, ROLLUP, setPayments } from "../../testing/answered-world.ts";
import { worldConfig } from "../../testing/serving-world.ts";
import { readVectorsFrom } from "../../tuning/vectors/vector-places.ts";
import { modelUrl, serveModels } from "../serve-models.ts";

const unexpected = unexpectedLines();
const BUCKETS = 144;
const SIZE = { rows: 32, features: BUCKETS, payees: 16, draws: 4, isDirect: true } as const;
const MODEL_ID = 11;
const TEXTS = [
  [
    "refund my invoice",
    "the payment was charged twice",
    "cancel the subscription fee",
    "a discount on the bill",
  ],
  [
    "the parcel has not arrived",
    "where is the delivery truck",
    "shipping to another address",
    "a broken box in the mail",
  ],
];

it("is asked in other words than its rows', checked with the file from its server, and paid", async () => {
  await initPoseidon();
  const folder = await mkdtemp(join(tmpdir(), "vector-answers-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const classes = ["money", "parcels"];
  const rows = TEXTS.flatMap((texts, label) =>
    texts.map((text) => ({
      content: new TextEncoder().encode(text),
      label: classes[label]!,
      contributorId: 5 + label,
      validatorId: 8,
    })),
  );
  const recipe = recipeFor(rows, BUCKETS, {
    classes,
    inputs: { kind: "text", vectors: ENGLISH_VECTORS, wordCount: 0, bucketCount: BUCKETS },
  });
  const trained = await directTrainingOf(readVectorsFrom()).train(rows, recipe, { withHeldOut: false });
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  const model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  const published = join(folder, "model");
  await writeModel(published, model);

  const fixture = await createLedgerFixture({ hasFeed: false });
  onTestFinished(() => fixture.close());
  const leaf = modelLeaf(model, MODEL_ID);
  for (const route of ["leaves", "models"])
    fixture.sequencer.answers.set(`GET /v1/${route}/${MODEL_ID}`, leaf);
  setPayments(fixture, MODEL_ID, []);
  const home = await createTestDatabase();
  onTestFinished(() => home.drop());
  const settings = {
    SERVING_BASE_PATH: undefined,
    SERVING_ADAPTERS_PATH: undefined,
    SERVING_DATABASE_URL: home.url,
  };
  const served = await serveModels(worldConfig(join(folder, "server"), settings), {
    logger: createLogger("test", "error", unexpected),
    published: {
      locations: [{ modelId: MODEL_ID, folder: published }],
      sequencerUrl: fixture.sequencer.url,
      domain: fixture.client.domain,
      rollup: ROLLUP,
      pollIntervalMs: 600_000,
    },
  });
  onTestFinished(() => served.close());
  const serverUrl = modelUrl(served.url, MODEL_ID);

  // The customer has no file of its own, as a page.
  const family = directFamilyOf((file) =>
    fetchFile(serverUrl, `base/${vectorsFileName(file)}`, { maxFileBytes: file.sizeBytes }),
  );
  const part = await fetchAnswering(serverUrl, [family]);
  expect(vectorsWords(part.recipe)).toMatchObject({ isReleased: true });
  const checkable = await openCheckable(part);
  const from = 4;
  for (const [prompt, label] of [
    ["I want my money back", "money"],
    ["the crate is stuck at the warehouse", "parcels"],
  ] as const)
    expect(JSON.parse(checkable.answer(prompt).text)).toEqual({ label });
  const prompt = "I want my money back";
  const answer = await askModel(fixture.client, { serverUrl, modelId: MODEL_ID, prompt, from });
  expect(answer.label).toBe("money");
  const payers = answer.estimate.contributors.toSorted((a, b) => b.share - a.share);
  expect(payers[0]!.contributorId).toBe(5);
  await payForAnswer(fixture.client, {
    modelId: MODEL_ID,
    model: checkable,
    prompt,
    answer,
    from,
    onSigned: async ({ hash }) => {
      const signed = { operationHash: hash, opIndex: 3, deadlineSeconds: 99 };
      const preconfirmation = await fixture.signPreconfirmation(signed);
      fixture.sequencer.answers.set("POST /v1/operations", { hash, status: "acknowledged", preconfirmation });
    },
  });
  const sent = fixture.sequencer.heard.find(({ route }) => route === "POST /v1/operations");
  expect(sent!.body).toMatchObject({ a: from, b: MODEL_ID, words: [hex32(answer.receipt)] });

  // Without the file nothing is opened, so nothing is paid.
  const bare = await fetchAnswering(serverUrl, [directFamilyOf(async () => null)]);
  await expect(openCheckable(bare)).rejects.toMatchObject({ code: "ATT_VECTORS_MISSING" });
  for (const name of ["recipe.json", `${"0".repeat(64)}.bin`, "..%2fmodel%2frecipe.json"])
    expect((await fetch(`${serverUrl}/v1/base/${name}`)).status, name).toBe(404);
});
