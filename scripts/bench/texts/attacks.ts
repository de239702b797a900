/**
 * Earnings of attackers of a Datanet of texts by the shipped base, the preset and the rewards of a new card, as a multiple of
 * honest rows'. `npm run bench -- attribution` prints them.
 */

import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { encodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { integerScores } from "@openledger/attribution/scores/integer-scores";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { baseSourceAt, OWN_BASE, OWN_BASE_NAME } from "@openledger/models/tuning/base/base-address";
import { textSetting } from "@openledger/models/tuning/recipe/model-families";
import { completeRecipe, textPreset } from "@openledger/models/tuning/recipe/recipe-presets";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import { loadText } from "@openledger/models/tuning/recipe/text-model";
import { answerText } from "@openledger/models/tuning/recipe/text-tokens";
import { textTraining } from "@openledger/models/tuning/recipe/text-training";
import { generate } from "@openledger/models/tuning/training/generate";
import {
  ATTACK_SETS,
  ATTACKS,
  type AttackSet,
  attackWorld,
  CORPUS_NAMES,
  FACTS,
  HONEST,
  MIXED_ATTACKS,
  type Party,
  UNIT,
} from "./attack-rows.ts";
import { NEW_CARD } from "./setting.ts";

/** Features of a row. */
const COLUMNS = 256;
const SEEDS = ["1", "2", "3"];
const ECHO_TOKENS = 48;

/**
 * attacks: money of the attacker's rows ÷ that of as many honest ones, its mean over the worlds; largest: that of the dearest
 * world; factsOwner: part of the money ÷ part of the rows, its mean.
 */
export async function attackFactors(log: (line: string) => void) {
  await initPoseidon();
  const worlds: Record<string, number>[] = [];
  for (const corpus of CORPUS_NAMES)
    for (const seed of SEEDS) {
      // The mixed attacks have worlds of their own, where an echo has been measured already.
      const { echo: _, factsOwner: __, ...mixed } = await factorsOf(corpus, seed, "mixed");
      const found = { ...mixed, ...(await factorsOf(corpus, seed)) };
      worlds.push(found);
      const text = Object.entries(found).map(([name, value]) => `${name} ${value.toFixed(2)}`);
      log(`${corpus} ${seed}: ${text.join(", ")}`);
    }
  const mean = (name: string) => worlds.reduce((sum, world) => sum + world[name]! / worlds.length, 0);
  const each = (of: (name: string) => number) =>
    Object.fromEntries([...ATTACKS, ...MIXED_ATTACKS].map((name) => [name, of(name)]));
  return {
    attacks: each(mean),
    largest: each((name) => Math.max(...worlds.map((world) => world[name]!))),
    factsOwner: mean("factsOwner"),
  };
}

/** Computes the earnings of a set of attackers in one world. @returns by their names, and `factsOwner` */
export async function factorsOf(
  corpus: (typeof CORPUS_NAMES)[number],
  seed: string,
  set: AttackSet = "usual",
): Promise<Readonly<Record<string, number>>> {
  const setting = { ...(await textSetting({})), threadCount: 1 };
  const training = textTraining(textFamily(setting), setting);
  const { family } = training;
  const preset = await textPreset(baseSourceAt(OWN_BASE), OWN_BASE_NAME, {
    rowCount: 96,
    columnCount: COLUMNS,
  });
  const plain = family.parseRecipe(completeRecipe(preset, { id: 1, version: 1, rowsRoot: 0n }, COLUMNS));
  const placed = await loadText(plain, setting, {
    adapter: null,
    adapterBlocks: 0,
    rowCount: 1,
    maxRows: plain.rowTokens,
  });
  const { tokens } = placed;
  const baseSays = (prompt: string) => {
    const options = { tokenCount: ECHO_TOKENS, temperature: 0, seed: "" };
    return tokens.decode([...generate(placed.loaded.model, tokens.encode(prompt), options)]);
  };
  const { prompts, rows } = attackWorld(corpus, { seed, set }, baseSays);
  const contents = rows.map(({ row }) => new TextEncoder().encode(wholeText(row)));
  const copies = nearDuplicates({ kind: "text", contents, labels: new Int32Array(rows.length) });
  const uniqueRows = rows.filter((_, i) => !copies.some(({ later }) => later === i));
  const owned = uniqueRows.map(({ row }) => ({
    content: encodeTextRow(row),
    contributorId: 1,
    validatorId: 2,
  }));
  const rowsRoot = versionRowsRoot(
    owned.map(({ content, ...ids }) => ({ rowHash: hashRow(content), ...ids })),
  );
  const { seed: _, ...unseeded } = preset;
  const seeded = { ...unseeded, seed: `attacks ${seed}` };
  const recipe = family.parseRecipe(
    completeRecipe(seeded, { id: 1, version: 1, rowsRoot }, COLUMNS, NEW_CARD),
  );
  const trained = await training.train(owned, recipe, {});

  const earned = new Map<Party, number>();
  const pay = (query: Int16Array, to: Map<Party, number>) => {
    const { featureCount, rowCount, values } = trained.features;
    const features = values as Int8Array;
    const weights = integerScores({ features, featureCount, rowCount, query }).map((score) =>
      Math.max(0, score),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, { party }] of uniqueRows.entries())
      to.set(party, (to.get(party) ?? 0) + weights[i]! / (total || 1));
  };
  const model = await family.open(trained);
  for (const prompt of prompts) pay(model.answer(prompt).query as Int16Array, earned);
  const ofFacts = new Map<Party, number>();
  for (const [, prompt, fact] of FACTS) {
    const answer = tokens.encode(fact);
    const answers = { ...recipe.answers, answerTokens: answer.length };
    const shorter = await family.open({ ...trained, recipe: { ...recipe, answers } });
    pay(shorter.queryOf!(prompt, answerText(tokens, answer)) as Int16Array, ofFacts);
  }
  const honest = HONEST.reduce((sum, party) => sum + earned.get(party)!, 0) / HONEST.length;
  return {
    ...Object.fromEntries(ATTACK_SETS[set].map((name) => [name, (earned.get(name) ?? 0) / honest])),
    factsOwner: ofFacts.get("facts")! / FACTS.length / (UNIT / uniqueRows.length),
  };
}
