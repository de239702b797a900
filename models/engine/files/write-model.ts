/** Writer of published weights: the base that ships, and models exported by the factory. */
import type { ModelShape, ParameterLayout } from "../architecture/model-shape.ts";
import type { Place } from "../kernels/kernels.ts";
import { encodeTensors, type NamedTensor } from "./safetensors.ts";
import { namePrefixes, tensorTargets } from "./tensor-targets.ts";

/** model.safetensors of the weights at an offset of an arena, by the names that are published, rounded to `type`. */
export function encodeModel(
  shape: ModelShape,
  layout: ParameterLayout,
  arena: Float32Array,
  at: Place,
  type: "F32" | "F16",
): Uint8Array {
  const prefix = namePrefixes[shape.family][1];
  const tensors = tensorTargets(shape, layout).map((target): NamedTensor => {
    const columns = target.shape.at(-1)!;
    const count = target.shape.reduce((product, size) => product * size, 1);
    const values = new Float32Array(count);
    const from = at + target.at;
    for (let i = 0; i < count; i++) {
      const row = Math.floor(i / columns);
      values[i] = arena[from + row * target.rowStride + (i % columns) * target.columnStride]!;
    }
    // The head is beside the model, not in it.
    const name = target.name === "lm_head.weight" ? target.name : prefix + target.name;
    return { name, shape: target.shape, values };
  });
  return encodeTensors(tensors, { format: "pt" }, type);
}
