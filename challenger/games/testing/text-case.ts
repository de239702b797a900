/** A small language model that promises its rows, and what its honest owner posts of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TextRow } from "@openledger/attribution/rows/text-rows";
import { realFeatures } from "@openledger/models/registered/text-training";
import { ownedTexts } from "@openledger/models/testing/text-rows";
import { type Address, zeroAddress } from "viem";
import { openTracedText } from "../claims/traced-text.ts";
import { textModelCommitment } from "../rows/text-model-commitment.ts";
import { tracedOf, withTracing } from "../rows/traced-recipe.ts";
import { MODEL_ID } from "./ledger-fixture.ts";
import { registeredTexts, tunedTexts } from "./tuned-texts.ts";

/** Rows 3 and 5 are near-duplicates of row 0, row 6 of row 2. */
export const TEXTS: readonly TextRow[] = [
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

/** Tunes a second. Rows have more tokens than prompts and answers; near-duplicates share, and the longest row is cut. */
export async function textCase(claimant: Address) {
  const folder = await mkdtemp(join(tmpdir(), "openledger-posted-"));
  try {
    const rows = ownedTexts(TEXTS);
    const contents = rows.map(({ content }) => content);
    const { parts: tuned, setting } = await tunedTexts(folder, rows, {
      rowTokens: ROW_TOKENS,
      rules: { normQuantile: 0.8, nearDuplicatesShare: true },
    });
    const trained = await withTracing(tuned, claimant, setting, contents);
    const model = registeredTexts(trained);
    const traced = await openTracedText({ rollup: zeroAddress, modelId: BigInt(MODEL_ID) }, model, setting);
    const terms = tracedOf(traced, model.recipe, claimant);
    const real = await realFeatures(model, rows, setting, {});
    const honest = textModelCommitment(model, traced, rows, real, MODEL_ID);
    return { rows, contents, tuned, model, setting, traced, terms, real, honest, posted: honest };
  } finally {
    await rm(folder, { recursive: true });
  }
}
