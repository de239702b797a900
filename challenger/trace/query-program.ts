/** The operations that a query's numbers come from: a pass forward and back, the gradient's map, its rounding. */
import type { AdapterLayout } from "@openledger/models/architecture/adapter-layout";
import { passRow } from "@openledger/models/architecture/loss-gradient";
import type { ModelShape } from "@openledger/models/architecture/model-shape";
import { parameterLayout } from "@openledger/models/architecture/model-shape";
import { planWorkspace } from "@openledger/models/architecture/workspace";
import { requireArena } from "@openledger/models/kernels/create-kernels";
import { NONE } from "@openledger/models/kernels/kernels";
import { ArenaPlan } from "@openledger/models/tensors/arena-plan";
import { PassRecorder, type ProgramBound } from "./record-pass.ts";
import type { TraceOp } from "./trace-op.ts";

/** What a program depends on, beside the number of tokens. */
export interface TracedModel {
  readonly shape: ModelShape;
  readonly adapter: AdapterLayout;
  /** Columns of the map. */
  readonly featureCount: number;
  /** Positions that the table of rotary positions has. */
  readonly maxRows: number;
}

/** Parameters, adapter, rotary positions where the model has them, and the map, feature by feature. */
export type TraceInputs = readonly Float32Array[];

/**
 * @param rows tokens that are read: one less than prompt and answer have
 * @throws RollupError MOD_TOO_LARGE where the model and its buffers have no room, or the program is beyond the bound
 */
export function queryProgram(
  { adapter, featureCount, maxRows, shape }: TracedModel,
  rows: number,
  bound?: ProgramBound,
): TraceOp[] {
  const layout = parameterLayout(shape);
  const plan = new ArenaPlan();
  const parameters = plan.take(layout.floatCount);
  const adapterAt = plan.take(adapter.floatCount);
  const gradient = plan.take(adapter.floatCount);
  const workspace = planWorkspace(plan, shape, { maxRows, isTraining: true, adapter });
  const { vocabularySize, width } = shape;
  requireArena(plan.floatCount);
  const embedding = { at: parameters + layout.embedding, floatCount: vocabularySize * width, width };
  const kernels = new PassRecorder(plan.floatCount, rows, embedding, bound);
  kernels.input(parameters, layout.floatCount);
  kernels.input(adapterAt, adapter.floatCount);
  if (workspace.rotary !== NONE) kernels.input(workspace.rotary, maxRows * shape.headSize);
  const map = kernels.looseInput(adapter.floatCount * featureCount);
  kernels.clear(adapter.floatCount, gradient);
  const model = {
    kernels,
    shape,
    layout,
    parameters,
    workspace,
    adapter: { layout: adapter, at: adapterAt },
  };
  const tokens = new Array<number>(rows).fill(0);
  passRow(model, { tokens, targets: tokens }, { parameters: NONE, adapter: gradient });
  kernels.project(gradient, adapter.floatCount, featureCount, map);
  return kernels.ops;
}
