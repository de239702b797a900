/** What rounding an adapter's numbers does to its answers: a tuned one on the default base, as floats, halves and int8. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { defaultBase } from "@openledger/models/base/base-place";
import { roundToHalves } from "@openledger/models/internal/files/float-formats";
import { SharedText } from "@openledger/models/internal/registered/shared-text";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { textFamily } from "@openledger/models/registered/text-family";
import { textTraining } from "@openledger/models/registered/text-training";
import { ownedTexts, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";

const ROWS = 24;
const PROMPTS = 24;
const ANSWER_TOKENS = 32;

/** Parts of the likeliest tokens that stay the same up to the first other one, and of answers that stay the same whole. */
export async function benchRoundedAdapters(kernels: KernelChoice) {
  await initPoseidon();
  const base = defaultBase();
  const setting = { bases: [readFrom(base)], kernels, threadCount: 1 };
  const rows = ownedTexts(sampleTexts(ROWS));
  const recipe = textRecipeFor(rows, await describeBase(base, "default"), {
    adapter: { rank: 8, alpha: 16, targets: ["q_proj", "v_proj"] },
    answers: { promptTokens: 32, answerTokens: ANSWER_TOKENS, temperature: 0, endToken: null },
  });
  const { adapter, queryMap } = await textTraining(textFamily(setting), setting).train(rows, recipe, {});
  const shared = await SharedText.open([recipe], setting);
  const answersOf = async (change: (numbers: Float32Array) => void) => {
    const model = await shared.seat({ recipe, queryMap, adapter: changed(adapter, change) });
    return Array.from({ length: PROMPTS }, (_, i) => {
      const { text } = model.answer(`${PROMPT_STARTS[i % PROMPT_STARTS.length]} ${i}`);
      return (JSON.parse(text) as { tokens: number[] }).tokens;
    });
  };
  const exact = await answersOf(() => undefined);
  const compare = async (change: (numbers: Float32Array) => void) => {
    const same = (await answersOf(change)).map((tokens, i) => {
      const other = tokens.findIndex((token, t) => token !== exact[i]![t]);
      return (other < 0 ? ANSWER_TOKENS : other) / ANSWER_TOKENS;
    });
    const mean = same.reduce((sum, part) => sum + part, 0) / same.length;
    const whole = same.filter((part) => part === 1).length / same.length;
    return { sameTokens: Math.round(1_000 * mean) / 1_000, sameAnswers: Math.round(1_000 * whole) / 1_000 };
  };
  const halves = await compare((numbers) => roundToHalves(numbers, "the adapter"));
  const int8 = await compare(roundToBytes);
  for (const [name, { sameAnswers, sameTokens }] of Object.entries({ halves, int8 }))
    console.log(
      `rounded to ${name}: ${(100 * sameAnswers).toFixed(0)} % of answers and ${(100 * sameTokens).toFixed(1)} % of tokens stay`,
    );
  return { halves, int8 };
}

const PROMPT_STARTS = [
  "The union",
  "My fellow citizens",
  "The treasury",
  "In the year",
  "A nation",
  "Our navy",
];

/** Int8 with a scale for every 64 numbers. */
function roundToBytes(numbers: Float32Array): void {
  for (let from = 0; from < numbers.length; from += 64) {
    const group = numbers.subarray(from, from + 64);
    const scale = group.reduce((most, number) => Math.max(most, Math.abs(number)), 0) / 127;
    for (const [i, number] of group.entries())
      group[i] = scale === 0 ? 0 : Math.round(number / scale) * scale;
  }
}

/** The file with other numbers: eight bytes of length, a header, floats. */
function changed(file: Uint8Array, change: (numbers: Float32Array) => void): Uint8Array {
  const from = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const numbers = new Float32Array(file.slice(from).buffer);
  change(numbers);
  const out = file.slice();
  out.set(new Uint8Array(numbers.buffer), from);
  return out;
}
