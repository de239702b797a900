/**
 * Lists the work of a watcher (`openledger watch`) from the replayed ledger: a task for each model of the watched Datanets and
 * for each settled epoch.
 */
import { datanetIds, type LeafState, unpackBinding, unpackCounters } from "@openledger/circuits/ledger/leaf";
import type { WatchTask } from "./watch-tasks.ts";

/** Facts of a model that a watcher needs. */
export interface WatchedModel {
  readonly id: number;
  /** Datanet ids in the order of the model's places. */
  readonly datanetIds: readonly number[];
  /** Version of the first Datanet; the ledger names no version of further ones. */
  readonly version: number;
  /** Last settled epoch; 0 if none is. */
  readonly settledEpoch: number;
}

/**
 * The ledger's models, newest first: those wait for their approval.
 * @param leaves those with more than an account
 * @param wanted Datanets that are watched; null: all
 */
export function findModels(
  leaves: Iterable<readonly [number, LeafState]>,
  expected: ReadonlySet<number> | null,
): WatchedModel[] {
  const models: WatchedModel[] = [];
  for (const [id, { leaf, model, rewards }] of leaves) {
    if (model === undefined) continue;
    const binding = unpackBinding(model.statics.binding);
    const ids = datanetIds(binding);
    if (expected !== null && !ids.some((datanetId) => expected.has(datanetId))) continue;
    const openEpoch = Number(unpackCounters(leaf.counters).epoch);
    const closedEpoch = rewards?.closed?.epoch;
    const settledEpoch = (closedEpoch === undefined ? openEpoch : Number(closedEpoch)) - 1;
    models.push({
      id,
      datanetIds: ids,
      version: Number(binding.version),
      settledEpoch: Math.max(0, settledEpoch),
    });
  }
  return models.reverse();
}

/** Lists all tasks of these models: the models first, then settlements, each newest first. */
export function* tasksOf(models: readonly WatchedModel[]): Generator<WatchTask> {
  for (const { id } of models) yield { modelId: id, epoch: null };
  for (const { id, settledEpoch } of models)
    for (let epoch = settledEpoch; epoch >= 1; epoch--) yield { modelId: id, epoch };
}
