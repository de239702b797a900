/**
 * Language models as a family of the ledger's models: parsing, limits in bytes, answering. Customers, servers and verifiers use
 * this half; text-training.ts trains.
 */
import { vectorsFileName } from "@openledger/attribution/model/direct/direct-family";
import type { AnsweringModel, ModelFamily, ModelParts } from "@openledger/attribution/model/model-family";
import { adapterLayout } from "../../engine/architecture/adapter-layout.ts";
import { maxAdapterBytes } from "../../engine/files/adapter-files.ts";
import { maxIndexBytes } from "../retrieval/row-index.ts";
import { readBaseFile, shapeOfBase } from "./base-files.ts";
import { mapSize, maxMapBytes } from "./query-map.ts";
import { SharedText } from "./shared-text.ts";
import type { TextSetting } from "./text-model.ts";
import { isCiting, parseTextRecipe, type TextRecipe, weightsOf } from "./text-recipe.ts";

export interface TextParts extends ModelParts {
  readonly recipe: TextRecipe;
  /** parameters.bin: the adapter's safetensors, as PEFT keeps them. */
  readonly adapter: Uint8Array;
  /** Bytes of query-map.bin: the map, then the index of rows if answers cite some. */
  readonly queryMap: Uint8Array;
}

export function textFamily(setting: TextSetting): ModelFamily<TextParts> {
  const family: ModelFamily<TextParts> = {
    name: "text",
    parseRecipe: parseTextRecipe,
    promptKind: () => "text",
    encode: ({ adapter, queryMap }) => ({ parameters: adapter, queryMap }),
    async maxBytes(recipe, rowCount) {
      const layout = adapterLayout(await shapeOfBase(recipe.base, setting.bases), recipe.adapter);
      return {
        parameters: maxAdapterBytes(layout),
        queryMap:
          maxMapBytes(mapSize(layout, recipe.method)) +
          (isCiting(recipe) ? maxIndexBytes(recipe, rowCount) : 0),
      };
    },
    decode: (recipe, { parameters, queryMap }) => ({ family, recipe, adapter: parameters, queryMap }),
    open: (parts) => openText(parts, setting),
    weightsOf: async (recipe) => weightsOf(recipe, await shapeOfBase(recipe.base, setting.bases)),
    async readShared({ recipe }, file) {
      const encoder = recipe.retrieval?.encoder;
      if (encoder === undefined || file !== vectorsFileName(encoder))
        return readBaseFile(recipe.base, file, setting.bases);
      return (await setting.readEncoder?.(encoder)) ?? null;
    },
  };
  return family;
}

async function openText(parts: TextParts, setting: TextSetting): Promise<AnsweringModel<Int16Array>> {
  return (await SharedText.open([parts.recipe], setting)).seat(parts);
}
