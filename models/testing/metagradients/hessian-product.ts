/**
 * Products of the Hessian of rows' losses, by an adapter's numbers, with several directions at once: a pass forward and back over
 * dual-kernels.ts. Exact but for the arena's rounding. metagradients.ts goes back through training steps by it.
 */

import { rowLoss, type TokenRow } from "../../engine/architecture/loss-gradient.ts";
import { prepareTransformer, type Transformer } from "../../engine/architecture/transformer.ts";
import { planWorkspace } from "../../engine/architecture/workspace.ts";
import { type Kernels, NONE, type Place } from "../../engine/kernels/kernels.ts";
import { ArenaPlan } from "../../engine/tensors/arena-plan.ts";
import { dualKernels } from "./dual-kernels.ts";

type Numbers = Float32Array | Float64Array;

export interface HessianProducts {
  /** Directions that one call of `products` takes at most. */
  readonly directionCount: number;
  /** Numbers of the arena: those of the base, and for each direction those of a pass over the longest row. */
  readonly floatCount: number;
  /**
   * Σ over the rows of Hessian × direction, each row with its weight, at the adapter. @param adapter its numbers
   * @throws RangeError for more directions than were planned; RollupError MOD_INPUT_INVALID for a row that does not fit
   */
  products(adapter: Numbers, rows: readonly TokenRow[], directions: readonly Float64Array[]): Float64Array[];
}

/**
 * Opens an arena of its own with the model's base. @param create kernels on an arena of so many zeros
 * @throws RangeError for a model without an adapter, or with int8 weights, whose rounding has no derivative
 */
export function openHessianProducts(
  model: Transformer,
  maxRows: number,
  directionCount: number,
  create: (floatCount: number) => Kernels,
): HessianProducts {
  const { adapter, layout, parameters, shape } = model;
  if (adapter === null || layout.weights !== "float32")
    throw new RangeError("second derivatives are of an adapter on a base of floats");
  const { floatCount } = adapter.layout;
  const plan = new ArenaPlan();
  const ownParameters = plan.take(layout.floatCount);
  const from = plan.floatCount;
  const at = plan.take(floatCount);
  const gradient = plan.take(floatCount);
  const workspace = planWorkspace(plan, shape, { maxRows, isTraining: true, adapter: adapter.layout });
  const end = plan.floatCount;
  const directions = Array.from({ length: directionCount }, () => plan.take(end - from));
  const plain = create(plan.floatCount);
  const { arena } = plain;
  arena.set(model.kernels.arena.subarray(parameters, parameters + layout.floatCount), ownParameters);
  const own = { ...model, parameters: ownParameters, workspace, adapter: { layout: adapter.layout, at } };
  prepareTransformer({ ...own, kernels: plain });
  const shiftOf = (k: number): Place => directions[k]! - from;
  // One model for each count of directions, since its calls are repeated.
  const models = Array.from({ length: directionCount + 1 }, (_, count): Transformer => {
    const region = { from, end, directions: directions.slice(0, count) };
    return { ...own, kernels: dualKernels(plain, region) };
  });
  return {
    directionCount,
    floatCount: plan.floatCount,
    products(numbers, rows, given) {
      const dual = models[given.length];
      if (dual === undefined) throw new RangeError(`there are places for ${directionCount} directions`);
      arena.set(numbers, at);
      for (const [k, direction] of given.entries()) arena.set(direction, at + shiftOf(k));
      dual.kernels.clear(floatCount, gradient);
      for (const row of rows) rowLoss(dual, row, { parameters: NONE, adapter: gradient });
      return given.map((_, k) => {
        const to = gradient + shiftOf(k);
        return new Float64Array(arena.subarray(to, to + floatCount));
      });
    },
  };
}
