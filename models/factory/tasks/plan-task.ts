/** Plan of a job before it is one, in a process of its own (task-process.ts). */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { readDatasetRows } from "./dataset-files.ts";
import { planOrder } from "./plan-order.ts";
import type { OrderTask, TaskResults } from "./task-messages.ts";
import { requireMemory } from "./task-model.ts";

/** @throws the refusal of a job that can never begin */
export async function plan(task: OrderTask): Promise<TaskResults["plan"]> {
  const rows = await readDatasetRows(task.rowsFolder);
  await initPoseidon();
  const { recipe } = await planOrder(task.order, rows, task);
  await requireMemory(task, recipe, rows.length);
  return { recipe };
}
