/**
 * Whether a row's words stand in an order that a language model expects: its loss, less that of its own words in other
 * orders, for each letter. No row is compared with another one, so that hard words and rare names cancel out. It is no
 * attribution: no adapter is tuned, and nobody is paid by it.
 */

import { mislabelAuc } from "@openledger/attribution/internal/research/quality-metrics";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { rowLoss } from "@openledger/models/architecture/loss-gradient";
import { defaultBase } from "@openledger/models/base/base-place";
import { loadModel, openModel } from "@openledger/models/files/load-model";
import { baseConfig } from "@openledger/models/internal/base/base-recipe";
import { nativeKernelSets } from "@openledger/models/internal/kernels/native-kernels";
import { openTokenizer } from "@openledger/models/tokens/tokenizer";
import { SPOILINGS, spoiltTexts } from "./bad-rows.ts";
import { rowsAndQueries, textSetting } from "./setting.ts";

/** As many as the base reads; a row of 129 letters has hardly more. */
const MAX_TOKENS = 256;
const OTHER_ORDERS = 2;
/** Of the setting; none is asked. */
const QUERIES = 128;
/** What ends a text of the default base, and so stands before one. */
const END_TOKEN = 0;

/** @returns for each way of spoiling a tenth of the rows, how well the spoilt ones are found, with a range of 95 % */
export async function benchWordOrder(rowCount: number) {
  const { rows } = rowsAndQueries(textSetting(rowCount, QUERIES, 1));
  const lossOf = await openLoss();
  const auc: Record<string, { value: number; low: number; high: number }> = {};
  for (const spoiling of SPOILINGS) {
    const { isBad, texts } = spoiltTexts(rows, spoiling);
    const random = new SeededRandom(`order ${spoiling}`);
    const disorder = Float64Array.from(texts, (text) => {
      const words = text.split(" ");
      let others = 0;
      for (let i = 0; i < OTHER_ORDERS; i++) {
        const order = random.permutation(words.length);
        others += lossOf(Array.from(order, (place) => words[place]!).join(" "));
      }
      return (lossOf(text) - others / OTHER_ORDERS) / text.length;
    });
    const { high, low, value } = mislabelAuc(disorder, isBad, spoiling);
    auc[spoiling] = { value, low, high };
    console.log(
      `spoilt rows, ${spoiling}: AUC ${value.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)}) by the order of words`,
    );
  }
  return { wordOrder: { auc, rowCount, base: "default" } };
}

/** The default base's loss of a whole text, in nats. */
async function openLoss(): Promise<(text: string) => number> {
  const opened = await openModel(defaultBase());
  const { model } = await loadModel(opened, {
    kernels: nativeKernelSets().length > 0 ? "native" : "wasm",
    maxRows: MAX_TOKENS,
    isTraining: true,
    threadCount: 1,
  });
  await opened.close();
  const tokenizer = await openTokenizer(defaultBase(), baseConfig.vocab_size);
  return (text) => {
    const targets = tokenizer.encode(text).slice(0, MAX_TOKENS);
    const tokens = [END_TOKEN, ...targets.slice(0, -1)];
    return rowLoss(model, { tokens, targets }, null) * targets.length;
  };
}
