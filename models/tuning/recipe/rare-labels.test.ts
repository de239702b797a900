/**
 * A label of one row in twenty, which one word tells four times out of five, as a stranger's e-mails of fraud had it. Without weights of labels
 * a model finds none or few of them, and its accuracy does not show it.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { parseDirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { eachFold } from "@openledger/attribution/model/folds";
import { honestFolds } from "@openledger/attribution/model/honest-folds";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { plainBaseline } from "@openledger/attribution/model/plain-baseline";
import { datanetOf } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, it } from "vitest";
import { completeRecipe, labelsPreset } from "./recipe-presets.ts";

beforeAll(initPoseidon);

const WORDS =
  "apple river stone window garden paper bridge candle winter summer doctor engine forest guitar island jacket kitchen ladder mirror needle orange pencil quarter rabbit silver tunnel uncle valley wagon yellow zebra anchor basket circle desert eagle".split(
    " ",
  );
const BUCKETS = 1_024;
const RARE = "fraud";

function texts(seed: number): OwnedRow[] {
  const random = new SeededRandom(`rare ${seed}`);
  return Array.from({ length: 400 }, () => {
    const isRare = random.nextBelow(100) < 5;
    const words = Array.from({ length: 10 }, () => WORDS[random.nextBelow(WORDS.length)]!);
    if (isRare ? random.nextBelow(10) < 8 : random.nextBelow(100) < 1) words[3] = RARE;
    const content = new TextEncoder().encode(`${words.join(" ")} ${random.nextBelow(1_000_000)}`);
    return { content, label: isRare ? RARE : "fine", contributorId: 5, validatorId: 8 };
  });
}

it.each([1, 3, 4])(
  "are found as often as by plain logistic regression on the same folds, draw %i",
  async (seed) => {
    const rows = texts(seed);
    const { id, labels, rowsRoot, version } = datanetOf(rows);
    const card = JSON.stringify({
      row: { kind: "text", fields: [] },
      labels: [{ name: "fine" }, { name: RARE }],
      rewards: { basePermille: 1_000 },
    });
    const preset = await labelsPreset({ rows, bucketCount: BUCKETS, card });
    const datanet = { id, version, rowsRoot: BigInt(rowsRoot), labelsRoot: BigInt(labels!) };
    const recipe = parseDirectRecipe(completeRecipe(preset, datanet, BUCKETS + 1, card));
    const figures = (await trainDirect(rows, recipe)).heldOut!;
    const rare = recipe.classes.indexOf(RARE);
    const accepted = Int32Array.from(rows, ({ label }) => recipe.classes.indexOf(label!));
    const shape = { kind: "text", fields: [] } as const;
    const { folds } = await honestFolds(rows, { shape, foldCount: 5, seed: recipe.seed });
    const plain = await plainBaseline(
      shape,
      rows.map(({ content }) => content),
      accepted,
      2,
    );
    let [foundCount, rareCount] = [0, 0];
    for (const { others, own } of eachFold(folds, 5)) {
      const answered = plain.label(others, own);
      for (const [k, row] of own.entries())
        if (accepted[row] === rare) {
          rareCount += 1;
          if (answered[k] === rare) foundCount += 1;
        }
    }
    expect(rareCount).toBeGreaterThan(14);
    expect(figures.recalls![rare]).toBeGreaterThanOrEqual(foundCount / rareCount);
    // And it is no model that calls everything rare.
    expect(figures.recalls![1 - rare]).toBeGreaterThan(0.95);
  },
);
