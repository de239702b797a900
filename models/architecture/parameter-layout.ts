import { NONE, type Place } from "../kernels/kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import { hasBias, type LinearName, linearSize, type ModelShape } from "./model-shape.ts";

/** A linear map x W + bias: W is inputs × outputs, row by row. */
export interface LinearPlaces {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Place;
  readonly bias: Place;
}

export interface NormPlaces {
  readonly weight: Place;
  readonly bias: Place;
}

interface LayerPlaces {
  readonly before: NormPlaces;
  readonly between: NormPlaces;
  /** NONE where heads are not normalised. */
  readonly queryNorm: Place;
  readonly keyNorm: Place;
  readonly linears: Readonly<Partial<Record<LinearName, LinearPlaces>>> &
    Readonly<Record<"qkv" | "output" | "up" | "down", LinearPlaces>>;
}

/** Where a model's numbers lie, counted from the start of a block; a block of gradients has the same layout. */
export interface ParameterLayout {
  readonly floatCount: number;
  /** vocabularySize × width. */
  readonly embedding: Place;
  /** maxPositions × width, or NONE. */
  readonly positions: Place;
  readonly layers: readonly LayerPlaces[];
  readonly last: NormPlaces;
  /** vocabularySize × width; the embedding where the model is tied. */
  readonly head: Place;
}

export function parameterLayout(shape: ModelShape): ParameterLayout {
  const plan = new ArenaPlan();
  const { headSize, isTied, layerCount, maxPositions, vocabularySize, width } = shape;
  const norm = (): NormPlaces => ({
    weight: plan.take(width),
    bias: shape.norm === "layer" ? plan.take(width) : NONE,
  });
  const linear = (name: LinearName): LinearPlaces => {
    const { inputs, outputs } = linearSize(shape, name);
    const weight = plan.take(inputs * outputs);
    return { inputs, outputs, weight, bias: hasBias(shape, name) ? plan.take(outputs) : NONE };
  };
  const headNorm = () => (shape.hasHeadNorms ? plan.take(headSize) : NONE);
  const embedding = plan.take(vocabularySize * width);
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
  const head = isTied ? embedding : plan.take(vocabularySize * width);
  return { floatCount: plan.floatCount, embedding, positions, layers, last, head };
}
