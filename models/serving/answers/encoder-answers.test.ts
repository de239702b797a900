/** A model that finds rows by a sentence encoder, behind the answer server: asked in other words, and checked with the server's file. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { createLogger } from "@openledger/foundation/logger";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import { storedFamilies } from "@openledger/scripts/commands/gateway/stored-families";
import { expect, it, onTestFinished } from "vitest";
import { folderSource } from "../../engine/files/folder-source.ts";
import { modelLeaf, ROLLUP, setPayments } from "../../testing/answered-world.ts";
import { citingWorld } from "../../testing/citing-world.ts";
import { serveWorld } from "../../testing/serving-world.ts";
import { readFromServer } from "../../tuning/recipe/base-files.ts";
import { sayingRetrieval } from "../../tuning/recipe/recipe-presets.ts";
import { textFamily } from "../../tuning/recipe/text-family.ts";
import { parseTextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { packSentenceEncoder } from "../../tuning/vectors/sentence-file.ts";
import { readVectorsFrom, storeFile } from "../../tuning/vectors/vector-places.ts";
import { modelUrl } from "../serve-models.ts";

const unexpected = unexpectedLines();
const SIZE = { rows: 64, features: 128, payees: 16, draws: 4 } as const;
const MODEL_ID = 11;
const BERT = fileURLToPath(new URL("../../testing/encoders/bert", import.meta.url));
/** Two words that the tiny encoder does not know, each one token: other two are the same to it. */
const QUESTIONS = [
  ["μέγα ψυχή", "The boats are in the harbour."],
  ["Why is the sea salty?", "Rivers wash salts out of rocks."],
  ["What do pandas eat?", "Almost nothing but bamboo."],
  ["How many legs does a spider have?", "Eight; insects have six."],
] as const;
const IN_OTHER_WORDS = "δέλτα καλός";

it("answers a question in other words, which a customer and a gateway check with the file from its server", async () => {
  await initPoseidon();
  const folder = await mkdtemp(join(tmpdir(), "encoder-answers-"));
  const before = process.cwd();
  onTestFinished(async () => {
    process.chdir(before);
    await rm(folder, { recursive: true });
  });
  await mkdir(join(folder, "operator"));
  process.chdir(join(folder, "operator"));
  const { file } = await storeFile(
    { name: "tiny-bert", dimensions: 32 },
    await packSentenceEncoder(folderSource(BERT)),
  );
  const rows = QUESTIONS.map(([prompt, answer], i) => ({
    content: encodeTextRow({ prompt, answer }),
    contributorId: i < 2 ? 5 : 6,
    validatorId: 8,
  }));
  const world = await citingWorld(join(folder, "base"), rows, SIZE.features, {
    readEncoder: readVectorsFrom(),
  });
  const retrieval = { ...sayingRetrieval(SIZE.features), encoder: file };
  const recipe = parseTextRecipe({ ...world.recipe, retrieval });
  const trained = await world.training.train(rows, recipe, {});
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  const model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  await writeModel(join(folder, "model"), model);

  const fixture = await createLedgerFixture({ hasFeed: false });
  onTestFinished(() => fixture.close());
  const leaf = modelLeaf(model as never, MODEL_ID);
  for (const route of ["leaves", "models"])
    fixture.sequencer.answers.set(`GET /v1/${route}/${MODEL_ID}`, leaf);
  setPayments(fixture, MODEL_ID, []);
  const served = await serveWorld(
    folder,
    { SERVING_ADAPTERS_PATH: undefined },
    {
      logger: createLogger("test", "error", unexpected),
      published: {
        locations: [{ modelId: MODEL_ID, folder: join(folder, "model") }],
        sequencerUrl: fixture.sequencer.url,
        domain: fixture.client.domain,
        rollup: ROLLUP,
        pollIntervalMs: 600_000,
      },
    },
  );
  onTestFinished(() => served.close());
  const serverUrl = modelUrl(served.url, MODEL_ID);
  const [prompt, from] = [IN_OTHER_WORDS, 4];
  const answer = await askModel(fixture.client, { serverUrl, modelId: MODEL_ID, prompt, from });

  // The customer has no file of its own, as a page; a gateway stores it.
  const customer = textFamily({
    bases: [readFromServer(serverUrl)],
    kernels: "wasm",
    readEncoder: readVectorsFrom({ folder: join(folder, "customer"), serverUrl }),
  });
  const gateway = await storedFamilies(join(folder, "gateway"), undefined)(serverUrl);
  for (const families of [[customer], gateway]) {
    const own = await openCheckable(await fetchAnswering(serverUrl, families as never));
    const { text } = own.answer(prompt);
    expect(JSON.parse(text).text).toBe(QUESTIONS[0][1]);
    const { staticsHash } = model;
    checkAnswer(own, answer, { prompt, payerId: from, staticsHash, isAnsweredAgain: true });
  }
  for (const who of ["customer", "gateway"])
    expect(await readVectorsFrom({ folder: join(folder, who) })(file)).not.toBeNull();
  const bytes = await fetch(`${serverUrl}/v1/base/${vectorsFileName(file)}`);
  expect([bytes.status, (await bytes.arrayBuffer()).byteLength]).toEqual([200, file.sizeBytes]);
  expect((await fetch(`${serverUrl}/v1/base/${"0".repeat(64)}.bin`)).status).toBe(404);
});
