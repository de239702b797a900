/** A registered language model as claims of its queries name it. */

import { answerRow, rowLoss } from "@openledger/models/architecture/loss-gradient";
import { parameterLayout } from "@openledger/models/architecture/model-shape";
import { type Kernels, NONE, type Place } from "@openledger/models/kernels/kernels";
import { openBase } from "@openledger/models/registered/base-files";
import { decodeMap } from "@openledger/models/registered/query-map-file";
import type { TextParts } from "@openledger/models/registered/text-family";
import {
  loadText,
  type PlacedText,
  projectPlaced,
  type TextSetting,
} from "@openledger/models/registered/text-model";
import { tracedTokens } from "@openledger/models/registered/text-recipe";
import {
  answerTokens,
  lengthsOfPrompt,
  questionRow,
  type SpelledRow,
  spelledRow,
  tokensOfPrompt,
} from "@openledger/models/registered/text-tokens";
import { readSpelling } from "@openledger/models/tokens/token-spelling";
import { type Hex, hexToBytes } from "viem";
import type { TracedText } from "../../trace/leaf-rules.ts";
import { type PromptVocabulary, promptVocabulary } from "./prompt-vocabulary.ts";
import {
  type DescribedModel,
  describeModel,
  type LedgerModel,
  realFeaturesOf,
  tracingKernels,
} from "./traced-model.ts";

export interface TracedTextModel {
  readonly model: DescribedModel;
  /** null where a prompt's tokens do not spell it byte by byte: then L1 does not compare them. */
  readonly vocabulary: PromptVocabulary | null;
  /** Bytes that each token of the prompt spells; none without a vocabulary. @throws RollupError ATT_ROW_INVALID */
  lengthsOf(prompt: string): readonly number[];
  /** Whether the tokenizer makes these tokens of a prompt's bytes. */
  isPromptOf(prompt: Hex, text: TracedText): boolean;
  /** @throws RollupError ATT_ROW_INVALID, ATT_ANSWER_INVALID */
  textOf(prompt: string, answer: string): TracedText;
  /** A row of a version as a model commitment has it. @throws RollupError ATT_ROW_INVALID where its tokens do not spell it, too */
  rowOf(content: Uint8Array): SpelledRow;
  /** Real features of any text, as its trace has them: bits of floats. @throws RangeError for one too long */
  featuresOf(text: TracedText): Float32Array;
}

/**
 * Takes seconds for a hundred million parameters, for the roots of all of them, and some 20 µs for each operation of the
 * programs for every length: minutes for the largest that `requireClaimable` takes.
 *
 * @throws RollupError MOD_BASE_MISSING, ATT_MODEL_FILE_INVALID, and what a published model is refused for
 */
export async function openTracedText(
  named: LedgerModel,
  parts: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  setting: TextSetting,
): Promise<TracedTextModel> {
  const { recipe } = parts;
  const maxRows = tracedTokens(recipe);
  const { loaded, places, tokens } = await placeTraced(parts, setting);
  const { model } = loaded;
  const { shape } = model;
  const { layout } = model.adapter!;
  const { featureCount } = recipe.method;
  const inputs = inputsOf(model, places.directions, { featureCount, maxRows });
  const spelling = await readSpelling(await openBase(recipe.base, setting.bases), shape.vocabularySize);
  const described = describeModel(named, { shape, adapter: layout, featureCount, maxRows }, inputs);
  let chains: Kernels | null = null;
  return {
    vocabulary: spelling && promptVocabulary(spelling),
    lengthsOf(prompt) {
      if (spelling === null) return [];
      return lengthsOfPrompt(spelling, prompt, tokensOfPrompt(tokens, prompt, recipe));
    },
    model: described,
    isPromptOf(prompt, { promptCount, tokens: given }) {
      // A byte order mark is a part of the prompt, and what is no text is nobody's prompt.
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
      try {
        const own = tokens.encode(decoder.decode(hexToBytes(prompt)));
        return own.join() === given.slice(0, promptCount).join();
      } catch {
        return false;
      }
    },
    textOf(prompt, answer) {
      const asked = tokensOfPrompt(tokens, prompt, recipe);
      const row = questionRow(asked, answerTokens(tokens, answer, recipe, shape.vocabularySize), recipe);
      return { tokens: [...row.tokens, row.targets.at(-1)!], promptCount: asked.length };
    },
    rowOf: (content) => spelledRow(tokens, spelling, content, recipe),
    featuresOf(text) {
      chains ??= tracingKernels(setting.kernels, described);
      return realFeaturesOf(described, text, chains);
    },
  };
}

/** As the trace's `featuresOf`, by the engine: the same bits, a hundred times as quick. It holds an arena. @throws what `loadText` throws */
export async function engineFeatures(
  parts: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  setting: TextSetting,
): Promise<TracedTextModel["featuresOf"]> {
  const placed = await placeTraced(parts, setting);
  const { loaded, places } = placed;
  const { adapter, kernels } = loaded.model;
  return ({ promptCount, tokens }) => {
    kernels.clear(adapter!.layout.floatCount, places.gradients);
    const row = answerRow(tokens.slice(0, promptCount), tokens.slice(promptCount));
    rowLoss(loaded.model, row, { parameters: NONE, adapter: places.gradients });
    return Float32Array.from(projectPlaced(placed, places.gradients, 1));
  };
}

/** With its map. */
async function placeTraced(
  { adapter, queryMap, recipe }: Pick<TextParts, "adapter" | "queryMap" | "recipe">,
  setting: TextSetting,
): Promise<PlacedText> {
  const sizes = { maxRows: tracedTokens(recipe), adapterBlocks: 0, rowCount: 1 };
  const placed = await loadText(recipe, setting, { adapter, ...sizes });
  decodeMap(queryMap, placed.options, placed.loaded.model.kernels.arena, placed.places.directions);
  return placed;
}

/** Copies of what a trace begins with: the arena is not held by anyone who holds them. */
export function inputsOf(
  { adapter, kernels: { arena }, parameters, shape, workspace: { rotary } }: PlacedText["loaded"]["model"],
  directions: Place,
  { featureCount, maxRows }: { featureCount: number; maxRows: number },
): Float32Array[] {
  const { at, layout } = adapter!;
  const byFeature = new Float32Array(layout.floatCount * featureCount);
  for (let j = 0; j < featureCount; j++)
    for (let k = 0; k < layout.floatCount; k++)
      byFeature[j * layout.floatCount + k] = arena[directions + k * featureCount + j]!;
  const slice = (from: number, count: number) => arena.slice(from, from + count);
  return [
    slice(parameters, parameterLayout(shape).floatCount),
    slice(at, layout.floatCount),
    ...(rotary === NONE ? [] : [slice(rotary, maxRows * shape.headSize)]),
    byFeature,
  ];
}
