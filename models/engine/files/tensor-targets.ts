/**
 * Names and shapes of the tensors of published models, and the offset of each in the engine's memory (the arena). Loading reads
 * tensors to these offsets, write-model.ts writes them from there.
 */

import type { LinearOffsets, ParameterLayout } from "../architecture/model-shape.ts";
import { type ModelShape, qkvWidth } from "../architecture/model-shape.ts";
import { NONE, type PackedMap, type Place } from "../kernels/kernels.ts";

export interface TensorTarget {
  readonly name: string;
  readonly shape: readonly number[];
  /** Place, counted from the start of the model's block. */
  readonly at: Place;
  /** Distance of the offset where the next number of a row, and the next row, goes. */
  readonly columnStride: number;
  readonly rowStride: number;
  /**
   * Map that the tensor belongs to: its offset and sizes, the output that the tensor begins with, and whether its rows
   * are outputs.
   */
  readonly map?: PackedMap & { readonly firstOutput: number; readonly hasOutputRows: boolean };
}

const asIs = (name: string, shape: readonly number[], at: Place): TensorTarget => ({
  name,
  shape,
  at,
  columnStride: 1,
  rowStride: shape.at(-1)!,
});

/** An embedding, or the head: a row for each token. */
const ofTokens = (name: string, { vocabularySize, width }: ModelShape, at: Place): TensorTarget => ({
  ...asIs(name, [vocabularySize, width], at),
  map: { inputs: width, outputs: vocabularySize, weights: at, firstOutput: 0, hasOutputRows: true },
});

/** The target of a tensor whose rows and columns are stored the other way round. */
export function flippedTarget({ map, shape: [rows, columns], ...target }: TensorTarget): TensorTarget {
  return {
    ...target,
    shape: [columns!, rows!],
    columnStride: target.rowStride,
    rowStride: target.columnStride,
    ...(map === undefined ? {} : { map: { ...map, hasOutputRows: !map.hasOutputRows } }),
  };
}

export function tensorTargets(shape: ModelShape, layout: ParameterLayout): TensorTarget[] {
  return shape.family === "gpt2" ? gpt2Targets(shape, layout) : llamaTargets(shape, layout);
}

/** Prefixes that a file may put before every name. */
export const namePrefixes = { gpt2: ["", "transformer."], llama: ["", "model."] } as const;

function gpt2Targets(shape: ModelShape, layout: ParameterLayout): TensorTarget[] {
  const { maxPositions, width } = shape;
  const targets = [
    ofTokens("wte.weight", shape, layout.embedding),
    asIs("wpe.weight", [maxPositions, width], layout.positions),
    asIs("ln_f.weight", [width], layout.last.weight),
    asIs("ln_f.bias", [width], layout.last.bias),
  ];
  if (!shape.isTied) targets.push(ofTokens("lm_head.weight", shape, layout.head));
  for (const [i, { before, between, linears }] of layout.layers.entries()) {
    const at = `h.${i}`;
    // These maps are stored inputs × outputs, as here.
    const linear = (name: string, { bias, inputs, outputs, weight }: LinearOffsets) => [
      {
        ...asIs(`${at}.${name}.weight`, [inputs, outputs], weight),
        map: { inputs, outputs, weights: weight, firstOutput: 0, hasOutputRows: false },
      },
      asIs(`${at}.${name}.bias`, [outputs], bias),
    ];
    targets.push(
      asIs(`${at}.ln_1.weight`, [width], before.weight),
      asIs(`${at}.ln_1.bias`, [width], before.bias),
      asIs(`${at}.ln_2.weight`, [width], between.weight),
      asIs(`${at}.ln_2.bias`, [width], between.bias),
      ...linear("attn.c_attn", linears.qkv),
      ...linear("attn.c_proj", linears.output),
      ...linear("mlp.c_fc", linears.up),
      ...linear("mlp.c_proj", linears.down),
    );
  }
  return targets;
}

function llamaTargets(shape: ModelShape, layout: ParameterLayout): TensorTarget[] {
  const { headCount, headSize, keyHeadCount, width } = shape;
  const targets = [
    ofTokens("embed_tokens.weight", shape, layout.embedding),
    asIs("norm.weight", [width], layout.last.weight),
  ];
  if (!shape.isTied) targets.push(ofTokens("lm_head.weight", shape, layout.head));
  for (const [i, { before, between, keyNorm, linears, queryNorm }] of layout.layers.entries()) {
    const at = `layers.${i}`;
    // Stored outputs × inputs: row o becomes column o.
    const flipped = (
      name: string,
      { inputs, outputs, weight }: LinearOffsets,
      first = 0,
      count = outputs,
    ) => ({
      name: `${at}.${name}.weight`,
      shape: [count, inputs],
      at: weight + first,
      columnStride: outputs,
      rowStride: 1,
      map: { inputs, outputs, weights: weight, firstOutput: first, hasOutputRows: true },
    });
    const { down, gate, output, qkv, up } = linears;
    targets.push(
      asIs(`${at}.input_layernorm.weight`, [width], before.weight),
      asIs(`${at}.post_attention_layernorm.weight`, [width], between.weight),
      flipped("self_attn.o_proj", output),
      flipped("mlp.gate_proj", gate!),
      flipped("mlp.up_proj", up),
      flipped("mlp.down_proj", down),
    );
    let first = 0;
    for (const [name, heads] of [
      ["q", headCount],
      ["k", keyHeadCount],
      ["v", keyHeadCount],
    ] as const) {
      const count = heads * headSize;
      targets.push(flipped(`self_attn.${name}_proj`, qkv, first, count));
      if (qkv.bias !== NONE)
        targets.push(asIs(`${at}.self_attn.${name}_proj.bias`, [count], qkv.bias + first));
      first += count;
    }
    if (first !== qkvWidth(shape)) throw new RangeError("queries, keys and values do not fill their rows");
    if (queryNorm === NONE) continue;
    targets.push(
      asIs(`${at}.self_attn.q_norm.weight`, [headSize], queryNorm),
      asIs(`${at}.self_attn.k_norm.weight`, [headSize], keyNorm),
    );
  }
  return targets;
}
