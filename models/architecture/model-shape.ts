import type { RotaryScaling } from "../tensors/rotary-table.ts";

/** What distinguishes the decoders that are computed here; sizes are counts of numbers. */
export interface ModelShape {
  /** How its tensors are named. */
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

export function hasBias(shape: ModelShape, name: LinearName): boolean {
  if (name === "qkv") return shape.hasQkvBias;
  return name === "output" ? shape.hasOutputBias : shape.hasInnerBias;
}
