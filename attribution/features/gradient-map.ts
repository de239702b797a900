import { timesTransposed } from "../maths/dense-matrix.ts";
import type { Sensitivities } from "./sensitivities.ts";

/** Directions of one layer that a map looks at: each a pair of an output and an input direction. */
export interface MapLayer {
  /** Inputs of the layer that take part, its bias among them. */
  readonly inputCount: number;
  readonly outputCount: number;
  /** outputCount × outputCount; rows are directions of the outputs. */
  readonly outputs: Float64Array;
  /** Directions of the inputs that are used: rows of `inputCount` each. */
  readonly inputs: Float64Array;
}

/** A pair of directions; `output` and `input` are rows of the layer's `outputs` and `inputs`. */
export interface MapDirection {
  readonly layer: number;
  readonly output: number;
  readonly input: number;
}

/**
 * A linear map from loss gradients to features: the gradient's components along `directions`, times `matrix`. It is
 * what a model publishes beside its parameters, so that anyone computes the query of an answer without the rows.
 */
export interface GradientMap {
  readonly featureCount: number;
  readonly layers: readonly MapLayer[];
  readonly directions: readonly MapDirection[];
  /** featureCount × directions.length. */
  readonly matrix: Float64Array;
}

/** Features of every row of `of`, whose columns are those of the map: rowCount × featureCount. */
export function applyGradientMap(map: GradientMap, of: Sensitivities): Float64Array {
  const components = gradientComponents(map, of);
  return timesTransposed(components, of.rowCount, map.matrix, map.featureCount, map.directions.length);
}

/** Each gradient's components along the map's directions: rowCount × directions.length. */
export function gradientComponents(
  { layers, directions }: Pick<GradientMap, "layers" | "directions">,
  of: Sensitivities,
): Float64Array {
  const width = directions.length;
  const out = new Float64Array(of.rowCount * width);
  for (const [layer, { inputs, outputCount, outputOffset }] of of.layers.entries()) {
    const basis = layers[layer]!;
    const places = directions.flatMap((direction, t) =>
      direction.layer === layer ? [{ t, direction }] : [],
    );
    const projected = new Float64Array(basis.inputs.length / basis.inputCount);
    const outputs = new Float64Array(outputCount);
    for (let i = 0; i < of.rowCount; i++) {
      for (let k = 0; k < projected.length; k++) {
        let sum = 0;
        for (let e = inputs.starts[i]!; e < inputs.starts[i + 1]!; e++) {
          sum += inputs.values[e]! * basis.inputs[k * basis.inputCount + inputs.columns[e]!]!;
        }
        projected[k] = sum;
      }
      for (let b = 0; b < outputCount; b++) {
        let sum = 0;
        for (let o = 0; o < outputCount; o++) {
          sum += basis.outputs[b * outputCount + o]! * of.residuals[i * of.outputCount + outputOffset + o]!;
        }
        outputs[b] = sum;
      }
      for (const { t, direction } of places) {
        out[i * width + t] = outputs[direction.output]! * projected[direction.input]!;
      }
    }
  }
  return out;
}
