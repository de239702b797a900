/**
 * `npm run bench -- attribution --left-out`: measures how true registered scores are when rows are left out one at a time, and
 * sixteen at a time. `whatIf` runs by the shipped base and preset.
 */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { leaveOneOutCorrelation } from "@openledger/attribution/testing/quality-metrics";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { textSetting } from "@openledger/models/tuning/recipe/model-families";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import { textTraining } from "@openledger/models/tuning/recipe/text-training";
import { type WhatIf, type WhatIfLoss, whatIf } from "@openledger/models/tuning/recipe/what-if";
import { openWorld, type TextSetting } from "./setting.ts";

/** Rows that are left out together. */
const GROUP = 16;
/** Held-out texts, whose first words are the prompts. */
const QUERIES = 4;
/** Features of a row. */
const COLUMNS = 256;
const PROMPT_WORDS = 4;

/** @param count of single rows, and of groups */
export async function leftOut(
  worldOptions: Pick<TextSetting, "corpus" | "rowCount" | "weights">,
  count: number,
  log: (line: string) => void,
) {
  await initPoseidon();
  const { recipe: plain, texts } = await openWorld({
    ...worldOptions,
    queryCount: QUERIES,
    columnCount: COLUMNS,
  });
  const rows = texts.rows.map((text) => ({
    content: encodeTextRow({ text }),
    contributorId: 1,
    validatorId: 2,
  }));
  const root = versionRowsRoot(rows.map(({ content, ...ids }) => ({ rowHash: hashRow(content), ...ids })));
  const recipe = { ...plain, datanet: { ...plain.datanet, rowsRoot: hex32(root) } };
  const setting = { ...(await textSetting({})), threadCount: 1 };
  const trained = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
  const prompts = texts.queries.map((text) => text.split(" ").slice(0, PROMPT_WORDS).join(" "));
  const order = new SeededRandom("left out").permutation(rows.length);
  const single = Array.from(order.subarray(0, count), (row) => [row]);
  const groups = single.map((_, k) => [...new SeededRandom(`left out ${k}`).subset(rows.length, GROUP)]);
  let done = 0;
  const found = await whatIf(trained, rows, [...single, ...groups], setting, {
    prompts,
    onProgress: ({ done: step, stage, total }) => {
      if (stage !== "train" || step !== total) return;
      done += 1;
      log(`${done} of ${2 * count} models tuned again`);
    },
  });
  return { single: judge(found.slice(0, count)), groups: judge(found.slice(count)) };
}

/**
 * Judges the predictions by kind of loss. correlation: of predictions and changes over what was left out, its mean over
 * texts; factor: changes ÷ predictions, by least squares; sameSign: share of the predictions with the change's sign.
 */
function judge(found: readonly WhatIf[]) {
  const kinds = new Set(found[0]!.losses.map(({ of }) => of));
  return Object.fromEntries(
    Array.from(kinds, (kind) => {
      const own = found.map(({ losses }) => losses.filter(({ of }) => of === kind));
      const of = (value: (loss: WhatIfLoss) => number) => own.map((all) => Float64Array.from(all, value));
      const change = ({ tuned, without }: WhatIfLoss) => without - tuned;
      const predicted = of((loss) => loss.predicted!);
      const correlation = leaveOneOutCorrelation(predicted, of(change), "left out").value;
      const all = own.flat().map((loss) => [loss.predicted!, change(loss)] as const);
      const sum = (value: (p: number, c: number) => number) => all.reduce((s, [p, c]) => s + value(p, c), 0);
      const factor = sum((p, c) => p * c) / sum((p) => p * p);
      const sameSign = sum((p, c) => Number(p >= 0 === c >= 0)) / all.length;
      return [kind, { correlation, factor, sameSign }];
    }),
  );
}
