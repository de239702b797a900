/**
 * Task of a training thread: the loss and gradient of one row, into a block of the shared arena. tune-adapter.ts and
 * train-weights.ts hand tasks to threads (row-tasks.ts); losses are in nats a token.
 */
import type { GradientBlocks } from "../../engine/architecture/linear-map.ts";
import { rowLoss, type TokenRow } from "../../engine/architecture/loss-gradient.ts";
import type { Transformer } from "../../engine/architecture/transformer.ts";
import type { SharedArena } from "../../engine/kernels/create-kernels.ts";
import type { Place } from "../../engine/kernels/kernels.ts";
import { runTangentTask, type TangentTask } from "./tangents.ts";

/** A row's pass: its gradient overwrites the block, or is added to it. */
export interface RowTask {
  readonly row: TokenRow;
  readonly block: { readonly at: Place; readonly floatCount: number };
  /** null: only the loss. */
  readonly into: GradientBlocks | null;
  readonly isAdded?: boolean;
}

/** Inputs of a thread that takes part. */
export interface RowSeat {
  readonly shared: SharedArena;
  readonly threadIndex: number;
  readonly model: Omit<Transformer, "kernels">;
}

/** Computes a row's loss and gradient. @returns the loss. @throws RollupError MOD_INPUT_INVALID */
export function runRowTask(model: Transformer, { block, into, isAdded, row }: RowTask): number {
  if (isAdded !== true) model.kernels.arena.fill(0, block.at, block.at + block.floatCount);
  return rowLoss(model, row, into);
}

export type TeamTask = RowTask | TangentTask;

/** Runs a row's or a tangent's task. @returns a row's loss, else 0. @throws RollupError MOD_INPUT_INVALID */
export function runTask(model: Transformer, task: TeamTask): number {
  if ("row" in task) return runRowTask(model, task);
  runTangentTask(model.kernels, task);
  return 0;
}
