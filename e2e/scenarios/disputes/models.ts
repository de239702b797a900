/** The rows of the drill's two versions, and the models that honest owners make of them. */
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { recipeFor, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { openTracedText } from "@openledger/challenger/games/claims/traced-text";
import { withTracing } from "@openledger/challenger/games/rows/traced-recipe";
import { recipeOver, registeredTexts, settingOver } from "@openledger/challenger/games/testing/tuned-texts";
import { registeredDirect } from "@openledger/challenger/model-commitments/testing/direct-case";
import { MOST_COMPARED_BYTES } from "@openledger/challenger/statements/find-faults";
import { textFamily } from "@openledger/models/registered/text-family";
import { realFeatures, textTraining } from "@openledger/models/registered/text-training";
import type { Address } from "viem";
import type { HonestModel } from "./direct-lies.ts";
import { MOST_TOKENS, TEXTS } from "./text-base.ts";
import type { HonestTexts } from "./text-lies.ts";

/** Circuits of the tests, too: small, but with room for a model of some rows. */
export const DIRECT_SIZE = {
  ...{ rows: 48, features: 64, payees: 4, payments: 4, draws: 4, isDirect: true },
} as const;
export const TEXT_SIZE = { rows: 8, features: 32, payees: 4, payments: 4, draws: 2 } as const;
const FEATURES_OF_QUERY = 16;

/** The last e-mail is another's, but for a word. Longer ones cannot be posted where near-duplicates share. */
export function directRows(): Uint8Array[] {
  const mails = sampleInputs("email", 2 * DIRECT_SIZE.rows, "hostile owner").map((row) =>
    encodeRow("email", row),
  );
  const short = mails.filter(({ length }) => length <= MOST_COMPARED_BYTES).slice(0, DIRECT_SIZE.rows - 2);
  const input = Array.from({ length: 40 }, (_, i) => `word${i}`).join(" ");
  const twins = [input, `${input} more`].map((text) => ({ label: 1, input: text }));
  return [...short, ...twins.map((row) => encodeRow("email", row))];
}

/** The last one is longer than a challenge can show. */
export const longRows = (): Uint8Array[] => [
  ...directRows().slice(0, DIRECT_SIZE.rows - 1),
  encodeRow("email", { label: 1, input: "so long ".repeat(2_049) }),
];

export const textRows = (): Uint8Array[] => TEXTS.map(encodeTextRow);

export function directModel(rows: readonly OwnedRow[], datanetId: number): HonestModel {
  const { datanet, ...given } = recipeFor(rows, DIRECT_SIZE.features, { isChallengeable: true });
  const model = registeredDirect(trainDirect(rows, { ...given, datanet: { ...datanet, id: datanetId } }));
  return { model, rows };
}

/** @param claimant who claims its queries @param rollup on whose ledger it is to be */
export async function honestTexts(
  rows: readonly OwnedRow[],
  datanetId: number,
  base: string,
  claimant: Address,
  rollup: Address,
): Promise<HonestTexts> {
  const setting = settingOver(base);
  const made = await recipeOver(base, rows, {
    columnCount: TEXT_SIZE.features,
    method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: FEATURES_OF_QUERY },
    rules: { normQuantile: 0.8, nearDuplicatesShare: true },
    rowTokens: MOST_TOKENS,
  });
  const recipe = { ...made, datanet: { ...made.datanet, id: datanetId } };
  const parts = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
  const contents = rows.map(({ content }) => content);
  const trained = (await withTracing(parts, claimant, setting, contents)) as HonestTexts["trained"];
  return {
    ...{ trained, rows, setting },
    traced: await openTracedText({ rollup, modelId: 0n }, trained, setting),
    real: await realFeatures(trained, rows, setting, {}),
    register: (of) => registeredTexts(of, TEXT_SIZE),
  };
}
