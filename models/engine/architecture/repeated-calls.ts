/**
 * Passes that are made again and again on the same offsets: from the second time on they are one native call. A token's pass has
 * some hundred kernels, and often the offsets of the last one; tuning and training have rows of few lengths, and some thousand a row.
 */
import type { Kernels } from "../kernels/kernels.ts";

/** Passes that each model keeps, those made last: up to 1 MB each. */
const MAX_PASSES = 16;
/** Passes of a model by their names; null for those that were made once. */
const passes = new WeakMap<object, Map<string, (() => void) | null>>();

/**
 * Makes a pass.
 * @param name all that decides its calls, beside the model
 * @param make calls kernels, those of the model or of a list
 */
export function repeatCalls<Model extends { readonly kernels: Kernels }>(
  model: Model,
  name: string,
  make: (model: Model) => void,
): void {
  const own = passes.get(model) ?? new Map<string, (() => void) | null>();
  passes.set(model, own);
  const known = own.get(name);
  own.delete(name);
  if (known === undefined) {
    // Recording costs as much as the calls: what is made once is not recorded.
    make(model);
    own.set(name, null);
    if (own.size > MAX_PASSES) own.delete(own.keys().next().value!);
    return;
  }
  const run = known ?? model.kernels.record((kernels: Kernels) => make({ ...model, kernels }));
  own.set(name, run);
  run();
}
