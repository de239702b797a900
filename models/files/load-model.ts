import { type AdapterSettings, adapterLayout } from "../architecture/adapter-layout.ts";
import { prepareTransformer, type Transformer } from "../architecture/transformer.ts";
import { planWorkspace, type Workspace } from "../architecture/workspace.ts";
import { createKernels, type KernelChoice, type SharedArena } from "../kernels/create-kernels.ts";
import { MAX_THREAD_COUNT, NONE, type Place } from "../kernels/kernels.ts";
import { modelError } from "../model-errors.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import type { OpenModel } from "./open-model.ts";

export interface LoadOptions {
  readonly kernels: KernelChoice;
  /** Most tokens of a row, or of a prompt and its answer together. */
  readonly maxRows: number;
  /** Room for gradients' passes; without, for generating. */
  readonly isTraining: boolean;
  readonly adapter?: AdapterSettings;
  /** Blocks of the adapter's size beside it: gradients, an optimiser's state. */
  readonly adapterBlocks?: number;
  /** Blocks of the model's size. */
  readonly fullBlocks?: number;
  /** Places more in the same arena, behind the first workspace. */
  readonly placeMore?: (plan: ArenaPlan, workspace: Workspace) => void;
  /** Workspaces for as many threads; 1 if not given. */
  readonly threadCount?: number;
}

export interface LoadedModel {
  /** With the first workspace. */
  readonly model: Transformer;
  /** The same model with each of the workspaces. */
  readonly models: readonly Transformer[];
  readonly adapterBlocks: readonly Place[];
  readonly fullBlocks: readonly Place[];
  /** Ten floats. */
  readonly settings: Place;
  readonly shared: SharedArena;
}

/**
 * Allocates an arena and reads the weights into it. An adapter is all zeros at first.
 *
 * @throws RollupError MOD_INPUT_INVALID, MOD_FILE_INVALID, MOD_TOO_LARGE, MOD_ENGINE_UNAVAILABLE,
 *   MOD_ENGINE_UNAVAILABLE, MOD_FILE_INVALID, MOD_SOURCE_UNREADABLE
 */
export async function loadModel(opened: OpenModel, options: LoadOptions): Promise<LoadedModel> {
  const { layout, shape } = opened;
  const { isTraining, maxRows } = options;
  if (!Number.isInteger(maxRows) || maxRows < 1 || maxRows > shape.maxPositions) {
    throw modelError(
      "MOD_INPUT_INVALID",
      `${maxRows} tokens at once: the model takes 1 to ${shape.maxPositions}`,
      {
        data: { field: "maxRows", maxRows, maxPositions: shape.maxPositions },
      },
    );
  }
  const threadCount = options.threadCount ?? 1;
  if (!Number.isInteger(threadCount) || threadCount < 1 || threadCount > MAX_THREAD_COUNT) {
    throw modelError("MOD_INPUT_INVALID", `${threadCount} threads: there can be 1 to ${MAX_THREAD_COUNT}`, {
      data: { field: "threadCount", threadCount },
    });
  }
  const adapter = options.adapter === undefined ? null : adapterLayout(shape, options.adapter);
  const plan = new ArenaPlan();
  const parameters = plan.take(layout.floatCount);
  const adapterAt = adapter === null ? NONE : plan.take(adapter.floatCount);
  const adapterBlocks = Array.from({ length: options.adapterBlocks ?? 0 }, () =>
    plan.take(adapter?.floatCount ?? 0),
  );
  const fullBlocks = Array.from({ length: options.fullBlocks ?? 0 }, () => plan.take(layout.floatCount));
  const settings = plan.take(16);
  const workspaces = Array.from({ length: threadCount }, () =>
    planWorkspace(plan, shape, { maxRows, isTraining, adapter }),
  );
  options.placeMore?.(plan, workspaces[0]!);
  const { kernels, shared } = createKernels(options.kernels, plan.floatCount);
  await opened.load(kernels.arena, parameters);
  const models = workspaces.map(
    (workspace): Transformer => ({
      kernels,
      shape,
      layout,
      parameters,
      workspace,
      adapter: adapter === null ? null : { layout: adapter, at: adapterAt },
    }),
  );
  for (const model of models) prepareTransformer(model);
  return { model: models[0]!, models, adapterBlocks, fullBlocks, settings, shared };
}
