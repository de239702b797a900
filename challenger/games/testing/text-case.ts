/** A small language model that promises its rows, and what its honest owner posts of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, zeroAddress } from "viem";
import { publishedModel } from "../../../attribution/model/model-files.ts";
import { registerModel } from "../../../attribution/model/registration.ts";
import type { TextRow } from "../../../attribution/rows/text-rows.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { folderSource } from "../../../models/files/folder-source.ts";
import { describeBase, readFrom } from "../../../models/registered/base-files.ts";
import { textFamily } from "../../../models/registered/text-family.ts";
import {
  realFeatures,
  type TrainingSetting,
  textTraining,
} from "../../../models/registered/text-training.ts";
import { makeModel, writeMadeModel } from "../../../models/testing/made-models.ts";
import { byteConfig, ownedTexts, textRecipeFor } from "../../../models/testing/text-rows.ts";
import { textPosting } from "../text-posting.ts";
import { tracedOf, withTracing } from "../traced-recipe.ts";
import { openTracedText } from "../traced-text.ts";
import { MODEL_ID } from "./row-fixture.ts";

/** Rows 3 and 5 are near-duplicates of row 0, row 6 of row 2. */
const TEXTS: readonly TextRow[] = [
  { text: "The union keeps the peace and pays its debt today" },
  { prompt: "Who pays?", answer: "The treasury pays." },
  { text: "A nation of free men asks for no help at all" },
  { text: "The union keeps the peace and pays its debt again" },
  { prompt: 'What does "the navy"\nask?', answer: "Help – größer \u0007 und mehr 𝄞." },
  { text: "The union keeps the peace and pays its debt" },
  { text: "A nation of free men asks for no help" },
  { text: "Our country grows." },
];
const ROW_TOKENS = 64;
const SIZE = { rows: 8, features: 36, earners: 8, draws: 2 };
const SPLIT = { ownerParts: 13_107n, validatorParts: 8_192n };

export type TextCase = Awaited<ReturnType<typeof textCase>>;

/** Tunes a second. Rows have more tokens than prompts and answers; near-duplicates share, and the longest row is cut. */
export async function textCase(claimant: Address) {
  await initPoseidon();
  const folder = await mkdtemp(join(tmpdir(), "openledger-posted-"));
  try {
    await writeMadeModel(folder, makeModel({ ...byteConfig, num_hidden_layers: 1 }, "text"));
    const setting: TrainingSetting = {
      ...{ bases: [readFrom(folderSource(folder))], kernels: "wasm", threadCount: 1 },
    };
    const rows = ownedTexts(TEXTS);
    const contents = rows.map(({ content }) => content);
    const recipe = textRecipeFor(rows, await describeBase(folderSource(folder), "made"), {
      rowTokens: ROW_TOKENS,
      rules: { normQuantile: 0.8, nearDuplicatesShare: true },
    });
    const tuned = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
    const trained = await withTracing(tuned, claimant, setting, contents);
    const model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), {
      publishRows: true,
    });
    const traced = await openTracedText({ rollup: zeroAddress, modelId: BigInt(MODEL_ID) }, model, setting);
    const terms = tracedOf(traced, model.recipe, claimant);
    const real = await realFeatures(model, rows, setting, {});
    const honest = textPosting(model, traced, rows, real, MODEL_ID);
    return { rows, contents, tuned, model, setting, traced, terms, real, honest };
  } finally {
    await rm(folder, { recursive: true });
  }
}
