/** Entry of a page that counts inputs, for inputs.all.test.ts: it puts one function where a test reaches it. */
import "../no-eval.ts";
import type { ModelInputs } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";

async function countInputs(asked: readonly (readonly [ModelInputs, string])[]): Promise<number[][]> {
  const all: number[][] = [];
  for (const [inputs, prompt] of asked)
    all.push([...(await openInputs(inputs, { baseBuckets: 0 })).countsOf(prompt)]);
  return all;
}

Object.assign(globalThis, { countInputs });
