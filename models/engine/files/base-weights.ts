/**
 * Weights of a base in an arena, read one output at a time: the lengths that DoRA compares with are of these numbers, whatever
 * format they have there.
 */
import type { LinearName, ParameterLayout } from "../architecture/model-shape.ts";
import { type Kernels, type Place, packedViews } from "../kernels/kernels.ts";
import { halfToFloat } from "./float-formats.ts";

/** The base that an adapter is made for, as it lies in an arena. */
export interface BaseWeights {
  readonly arena: Float32Array;
  readonly parameters: Place;
  readonly layout: ParameterLayout;
}

/** Weights of a loaded model. */
export const weightsOf = ({
  kernels,
  layout,
  parameters,
}: {
  readonly kernels: Pick<Kernels, "arena">;
  readonly layout: ParameterLayout;
  readonly parameters: Place;
}): BaseWeights => ({ arena: kernels.arena, layout, parameters });

/** Reads the weights of one output, a number for each input, into `row`. */
export function outputReader(
  { arena, layout, parameters }: BaseWeights,
  layer: number,
  linear: LinearName,
): (output: number, row: Float64Array) => void {
  const { inputs, outputs, weight } = layout.layers[layer]!.linears[linear]!;
  const weights = parameters + weight;
  if (layout.weights === "float32")
    return (output, row) => {
      for (let i = 0; i < inputs; i++) row[i] = arena[weights + i * outputs + output]!;
    };
  const { integers, placeOf, scales } = packedViews(arena, { inputs, outputs, weights });
  return (output, row) => {
    for (let i = 0; i < inputs; i++) {
      const { integer, scale } = placeOf(output, i >> 5);
      row[i] = halfToFloat(scales[scale]!) * integers[integer + 64 * ((i & 31) >> 2) + (i & 3)]!;
    }
  };
}
