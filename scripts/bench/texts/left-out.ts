/** How true registered scores are when rows are left out one at a time, and sixteen at a time: `whatIf` by the shipped base and preset. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { leaveOneOutCorrelation } from "@openledger/attribution/testing/quality-metrics";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import { type WhatIf, type WhatIfLoss, whatIf } from "@openledger/models/internal/registered/what-if";
import { textSetting } from "@openledger/models/registered/model-families";
import { textFamily } from "@openledger/models/registered/text-family";
import { textTraining } from "@openledger/models/registered/text-training";
import { openWorld } from "./setting.ts";

const GROUP = 16;
const QUERIES = 4;
const COLUMNS = 256;
const PROMPT_WORDS = 4;

/** @param corpus as `TextSetting` has it. @param count of single rows, and of groups */
export async function leftOut(
  corpus: string | null,
  rowCount: number,
  count: number,
  log: (line: string) => void,
) {
  await initPoseidon();
  const { recipe: plain, texts } = await openWorld({
    corpus,
    rowCount,
    queryCount: QUERIES,
    columnCount: COLUMNS,
  });
  const rows = texts.rows.map((text) => ({
    content: encodeTextRow({ text }),
    ...{ contributorId: 1, validatorId: 2 },
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

/** By what is lost: the mean over texts of the correlation, over what was left out, of predictions and changes. */
function judge(found: readonly WhatIf[]) {
  const kinds = new Set(found[0]!.losses.map(({ of }) => of));
  return Object.fromEntries(
    Array.from(kinds, (kind) => {
      const of = (value: (loss: WhatIfLoss) => number) =>
        found.map(({ losses }) => Float64Array.from(losses.filter((loss) => loss.of === kind).map(value)));
      const predicted = of((loss) => loss.predicted!);
      const changes = of((loss) => loss.without - loss.tuned);
      return [kind, leaveOneOutCorrelation(predicted, changes, "left out").value];
    }),
  );
}
