/**
 * Shapes of the decoders that the engine computes (GPT-2, Llama, SmolLM2, Qwen2, Qwen3), and the layout of their weights in an
 * arena of floats. model-config.ts reads a shape from config.json; loading, passes and training place numbers by the layout.
 */
import { NONE, type Place, packedFloats } from "../kernels/kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import type { RotaryScaling } from "../tensors/rotary-table.ts";

/** Properties that distinguish the decoders that are computed here; sizes are counts of numbers. */
export interface ModelShape {
  /** Family that decides the tensors' names. */
  readonly family: "gpt2" | "llama";
  readonly vocabularySize: number;
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Heads of keys and values; each serves headCount / keyHeadCount heads of queries. */
  readonly keyHeadCount: number;
  readonly headSize: number;
  readonly innerWidth: number;
  readonly maxPositions: number;
  /** Layer norm with bias, or root mean square. */
  readonly norm: "layer" | "rms";
  readonly epsilon: number;
  /** silu(gate) · up, or gelu(up) in tanh's approximation. */
  readonly activation: "gated" | "gelu";
  readonly positions: { readonly theta: number; readonly scaling: RotaryScaling | null } | "learned";
  /** Qwen3 normalises each head of queries and keys. */
  readonly hasHeadNorms: boolean;
  readonly hasQkvBias: boolean;
  readonly hasOutputBias: boolean;
  readonly hasInnerBias: boolean;
  /** The output is read off with the embedding. */
  readonly isTied: boolean;
}

/** Numbers of a row of queries, keys and values: they lie side by side. */
export function qkvWidth({ headCount, headSize, keyHeadCount }: ModelShape): number {
  return (headCount + 2 * keyHeadCount) * headSize;
}

/** The linear maps of a layer. */
export type LinearName = "qkv" | "output" | "gate" | "up" | "down";

export function linearSize(shape: ModelShape, name: LinearName): { inputs: number; outputs: number } {
  const { headCount, headSize, innerWidth, width } = shape;
  if (name === "qkv") return { inputs: width, outputs: qkvWidth(shape) };
  if (name === "output") return { inputs: headCount * headSize, outputs: width };
  if (name === "down") return { inputs: innerWidth, outputs: width };
  return { inputs: width, outputs: innerWidth };
}

function hasBias(shape: ModelShape, name: LinearName): boolean {
  if (name === "qkv") return shape.hasQkvBias;
  return name === "output" ? shape.hasOutputBias : shape.hasInnerBias;
}

/** A linear map x W + bias: W is inputs × outputs, row by row. */
export interface LinearOffsets {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Place;
  readonly bias: Place;
}

export interface NormOffsets {
  readonly weight: Place;
  readonly bias: Place;
}

export interface LayerOffsets {
  readonly before: NormOffsets;
  readonly between: NormOffsets;
  /** Offset of the norms of heads; NONE if heads are not normalised. */
  readonly queryNorm: Place;
  readonly keyNorm: Place;
  readonly linears: Readonly<Partial<Record<LinearName, LinearOffsets>>> &
    Readonly<Record<"qkv" | "output" | "up" | "down", LinearOffsets>>;
}

/** Formats of linear maps and embeddings: floats, or int8 in blocks of 32, which are not trained themselves. */
export const WEIGHT_NUMBERS = ["float32", "int8"] as const;
export type WeightNumbers = (typeof WEIGHT_NUMBERS)[number];

/** int8 from 67 million numbers on: from there on answers wait for memory. */
export const usualWeights = ({ floatCount }: ParameterLayout): WeightNumbers =>
  floatCount < 2 ** 26 ? "float32" : "int8";

/** Offsets of a model's numbers, counted from the start of a block; a block of gradients has the same layout. */
export interface ParameterLayout {
  readonly weights: WeightNumbers;
  readonly floatCount: number;
  /** vocabularySize × width, or so many outputs of int8. */
  readonly embedding: Place;
  /** maxPositions × width, or NONE. */
  readonly positions: Place;
  readonly layers: readonly LayerOffsets[];
  readonly last: NormOffsets;
  /** vocabularySize × width; the embedding if the model is tied. */
  readonly head: Place;
}

export function parameterLayout(shape: ModelShape, weights: WeightNumbers = "float32"): ParameterLayout {
  const plan = new ArenaPlan();
  const map = (inputs: number, outputs: number) =>
    plan.take(weights === "int8" ? packedFloats(inputs, outputs) : inputs * outputs);
  const { headSize, isTied, layerCount, maxPositions, vocabularySize, width } = shape;
  const norm = (): NormOffsets => ({
    weight: plan.take(width),
    bias: shape.norm === "layer" ? plan.take(width) : NONE,
  });
  const linear = (name: LinearName): LinearOffsets => {
    const { inputs, outputs } = linearSize(shape, name);
    const weight = map(inputs, outputs);
    return { inputs, outputs, weight, bias: hasBias(shape, name) ? plan.take(outputs) : NONE };
  };
  const headNorm = () => (shape.hasHeadNorms ? plan.take(headSize) : NONE);
  const embedding = map(width, vocabularySize);
  const positions = shape.positions === "learned" ? plan.take(maxPositions * width) : NONE;
  const layers = Array.from({ length: layerCount }, () => ({
    before: norm(),
    between: norm(),
    queryNorm: headNorm(),
    keyNorm: headNorm(),
    linears: {
      qkv: linear("qkv"),
      output: linear("output"),
      ...(shape.activation === "gated" ? { gate: linear("gate") } : {}),
      up: linear("up"),
      down: linear("down"),
    },
  }));
  const last = norm();
  const head = isTied ? embedding : map(width, vocabularySize);
  return { weights, floatCount: plan.floatCount, embedding, positions, layers, last, head };
}
