/**
 * Loads a base model with an adapter for a recipe, with room in memory for gradients and for the map to features. Training and
 * the factory's tasks load it.
 */
import type { ReadVectors } from "@openledger/attribution/inputs/open-inputs";
import { type AdapterSettings, adapterLayout } from "../../engine/architecture/adapter-layout.ts";
import { readAdapter } from "../../engine/files/adapter-files.ts";
import { type LoadedModel, loadModel, openModel } from "../../engine/files/load-model.ts";
import { memorySource } from "../../engine/files/memory-source.ts";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import type { Place } from "../../engine/kernels/kernels.ts";
import type { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { openTokenizer, type TextTokens } from "../../engine/tokens/tokenizer.ts";
import { projectGradients } from "../influence/text-features.ts";
import {
  planTextFeatures,
  type TextFeatureOffsets,
  type TextFeatureOptions,
} from "../influence/text-offsets.ts";
import { planTangents, type Tangents } from "../training/tangents.ts";
import { openBase, type ReadBaseFile } from "./base-files.ts";
import { templateOf } from "./chat-prompt.ts";
import type { MapOffsets } from "./folded-map-file.ts";
import { mapOffsets, mapSize, type QueryMapSize } from "./query-map.ts";
import { type TextRecipe, weightsOf } from "./text-recipe.ts";
import { requireRecipeTokens } from "./text-tokens.ts";

/** Resources of a machine that a text model needs. */
export interface TextSetting {
  /** Places of the base models' files; asked one after another. */
  readonly bases: readonly ReadBaseFile[];
  /** All sets give the same bytes. */
  readonly kernels: KernelChoice;
  /** Word vectors that rank the questions which a refusal shows; absent: they are ranked by words alone. */
  readonly readVectors?: ReadVectors;
  /** Sentence encoders that recipes name; absent: a model with one is neither opened nor trained (ATT_VECTORS_MISSING). */
  readonly readEncoder?: ReadVectors;
}

export interface PlacedText {
  readonly loaded: LoadedModel;
  readonly tokens: TextTokens;
  readonly places: TextFeatureOffsets;
  readonly options: TextFeatureOptions & QueryMapSize;
  /** Places that map a query by the published map. */
  readonly map: MapOffsets;
  /** null if the recipe's method is another. */
  readonly tangents: Tangents | null;
}

export interface PlaceOptions {
  /** Published adapter; null for one that is still to be tuned. */
  readonly adapter: Uint8Array | null;
  readonly maxRows: number;
  readonly adapterBlocks: number;
  /** Rows whose gradients are held at once. */
  readonly rowCount: number;
  readonly threadCount?: number;
}

/**
 * @throws RollupError MOD_BASE_MISSING, MOD_FILE_INVALID, MOD_TOO_LARGE, MOD_INPUT_INVALID, ATT_RECIPE_INVALID and
 *   what else a published model is refused for
 */
export async function loadText(
  recipe: TextRecipe,
  setting: TextSetting,
  { adapter, adapterBlocks, maxRows, rowCount, threadCount = 1 }: PlaceOptions,
): Promise<PlacedText> {
  const source = await openBase(recipe.base, setting.bases);
  const opened = await openModel(source);
  try {
    const { shape } = opened;
    requireRecipeTokens(recipe, shape.vocabularySize);
    const tokens = await openTokenizer(source, shape.vocabularySize);
    templateOf(tokens, recipe);
    const settings: AdapterSettings = recipe.adapter;
    const options = {
      rowCount,
      seed: recipe.seed,
      ...mapSize(adapterLayout(shape, settings), recipe.method),
    };
    let places!: TextFeatureOffsets;
    let [tangents, map]: [Tangents | null, MapOffsets] = [null, undefined as never];
    const loaded = await loadModel(opened, {
      kernels: setting.kernels,
      weights: weightsOf(recipe, shape),
      maxRows,
      isTraining: true,
      adapter: settings,
      adapterBlocks,
      threadCount,
      placeMore: (plan) => {
        places = planTextFeatures(plan, options);
        map = mapOffsets(plan, [options]);
        tangents = planMethod(plan, recipe, options, places, threadCount);
      },
    });
    const { at, layout } = loaded.model.adapter!;
    if (adapter !== null) {
      const files = memorySource("the model", new Map([["adapter_model.safetensors", adapter]]));
      await readAdapter(files, shape, layout, loaded.model.kernels.arena, at);
    }
    return { loaded, tokens, places, options, map, tangents };
  } finally {
    await opened.close();
  }
}

/** Plans the method's places, beside the features' places. @throws MOD_TOO_LARGE */
export function planMethod(
  plan: ArenaPlan,
  { method }: Pick<TextRecipe, "method">,
  { gradientCount: floatCount, rowCount }: TextFeatureOptions,
  { gradients: changes }: TextFeatureOffsets,
  threadCount: number,
): Tangents | null {
  if (method.kind !== "tangent") return null;
  return planTangents(plan, { rowCount, floatCount, fisher: method.fisher, changes }, threadCount);
}

/** Features of `count` gradients that lie one after another, by the map at its place. */
export function projectPlacedGradients(
  { loaded, options, places }: PlacedText,
  at: Place,
  count: number,
): Float64Array {
  return projectGradients(loaded.model.kernels, places, options, at, count);
}
