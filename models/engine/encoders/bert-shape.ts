/**
 * Shape of BERT's encoders by config.json, and the layout of their numbers in an arena with the tensors' names (Devlin and others, 2018,
 * as transformers stores them). bert-pass.ts computes by it.
 */
import { z } from "zod";
import type { LinearOffsets, NormOffsets } from "../architecture/model-shape.ts";
import {
  EPSILON,
  HEADS,
  LAYERS,
  POSITIONS,
  parseClosed,
  requireSixteens,
  size,
  unsupported,
  VOCABULARY,
  WIDTH,
} from "../files/config-fields.ts";
import { ENCODER_KEYS } from "../files/known-keys.ts";
import type { TensorTarget } from "../files/tensor-targets.ts";
import type { Place } from "../kernels/kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";

/** Sizes are counts of numbers. */
export interface BertShape {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly headSize: number;
  readonly innerWidth: number;
  readonly maxPositions: number;
  /** Types of tokens; those of a single text have the first. */
  readonly typeCount: number;
  readonly epsilon: number;
}

const bertConfig = z.object({
  vocab_size: VOCABULARY,
  hidden_size: WIDTH,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  intermediate_size: WIDTH,
  hidden_act: z.string().default("gelu"),
  max_position_embeddings: POSITIONS,
  type_vocab_size: size(64).default(2),
  layer_norm_eps: EPSILON.default(1e-12),
});

/** @param config of `model_type` "bert" @throws RollupError MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED */
export function bertShape(config: object): BertShape {
  const read = parseClosed(bertConfig, config, ENCODER_KEYS);
  if (read.hidden_act !== "gelu") throw unsupported("hidden_act", read.hidden_act);
  const width = read.hidden_size;
  const headSize = width / read.num_attention_heads;
  const innerWidth = read.intermediate_size;
  requireSixteens({ width, headSize, innerWidth });
  return {
    vocabularySize: read.vocab_size,
    width,
    layerCount: read.num_hidden_layers,
    headCount: read.num_attention_heads,
    headSize,
    innerWidth,
    maxPositions: read.max_position_embeddings,
    typeCount: read.type_vocab_size,
    epsilon: read.layer_norm_eps,
  };
}

interface BertLayer {
  /** Queries, keys and values of all heads, side by side. */
  readonly qkv: LinearOffsets;
  readonly output: LinearOffsets;
  /** Norm of the input and what attention adds to it. */
  readonly attended: NormOffsets;
  readonly up: LinearOffsets;
  readonly down: LinearOffsets;
  readonly last: NormOffsets;
}

/** Offsets of an encoder's numbers from the start of its block. */
export interface BertLayout {
  readonly floatCount: number;
  readonly words: Place;
  readonly positions: Place;
  readonly types: Place;
  readonly embedded: NormOffsets;
  readonly layers: readonly BertLayer[];
}

export function bertLayout({
  innerWidth,
  layerCount,
  maxPositions,
  typeCount,
  vocabularySize,
  width,
}: BertShape): BertLayout {
  const plan = new ArenaPlan();
  const norm = () => ({ weight: plan.take(width), bias: plan.take(width) });
  const linear = (inputs: number, outputs: number) => ({
    inputs,
    outputs,
    weight: plan.take(inputs * outputs),
    bias: plan.take(outputs),
  });
  const [words, positions, types] = [vocabularySize, maxPositions, typeCount].map((rows) =>
    plan.take(rows * width),
  ) as [Place, Place, Place];
  const embedded = norm();
  const layers = Array.from({ length: layerCount }, () => ({
    qkv: linear(width, 3 * width),
    output: linear(width, width),
    attended: norm(),
    up: linear(width, innerWidth),
    down: linear(innerWidth, width),
    last: norm(),
  }));
  return { floatCount: plan.floatCount, words, positions, types, embedded, layers };
}

/** Prefixes that a file may put before every name. */
export const BERT_PREFIXES = ["", "bert."] as const;
/** Tensors of the model that is published which no vector depends on: positions' numbers, and the head of BERT's second task. */
export const BERT_UNUSED = /^(bert\.)?(embeddings\.(position|token_type)_ids|pooler\.dense\.(weight|bias))$/;

export function bertTargets(shape: BertShape, layout: BertLayout): TensorTarget[] {
  const { maxPositions, typeCount, vocabularySize, width } = shape;
  const asIs = (name: string, sizes: readonly number[], at: Place): TensorTarget => ({
    name,
    shape: sizes,
    at,
    columnStride: 1,
    rowStride: sizes.at(-1)!,
  });
  const norm = (name: string, { bias, weight }: NormOffsets) => [
    asIs(`${name}.weight`, [width], weight),
    asIs(`${name}.bias`, [width], bias),
  ];
  // Stored outputs × inputs: row o becomes column o.
  const linear = (name: string, map: LinearOffsets, first = 0, count = map.outputs) => [
    {
      name: `${name}.weight`,
      shape: [count, map.inputs],
      at: map.weight + first,
      columnStride: map.outputs,
      rowStride: 1,
    },
    asIs(`${name}.bias`, [count], map.bias + first),
  ];
  return [
    asIs("embeddings.word_embeddings.weight", [vocabularySize, width], layout.words),
    asIs("embeddings.position_embeddings.weight", [maxPositions, width], layout.positions),
    asIs("embeddings.token_type_embeddings.weight", [typeCount, width], layout.types),
    ...norm("embeddings.LayerNorm", layout.embedded),
    ...layout.layers.flatMap(({ attended, down, last, output, qkv, up }, i) => {
      const at = `encoder.layer.${i}`;
      return [
        ...["query", "key", "value"].flatMap((name, part) =>
          linear(`${at}.attention.self.${name}`, qkv, part * width, width),
        ),
        ...linear(`${at}.attention.output.dense`, output),
        ...norm(`${at}.attention.output.LayerNorm`, attended),
        ...linear(`${at}.intermediate.dense`, up),
        ...linear(`${at}.output.dense`, down),
        ...norm(`${at}.output.LayerNorm`, last),
      ];
    }),
  ];
}
