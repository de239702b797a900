/**
 * Thread that answers a batch of requests together: makes one step after the other, a token for each request, as long as there
 * are any. batch-thread.ts starts it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { joinKernels, type SharedArena } from "../kernels/create-kernels.ts";
import { BatchLoop, type BatchRequest, type BatchToken } from "./batch-loop.ts";
import type { BatchModelParts } from "./batch-model.ts";

export interface BatchSeat {
  readonly shared: SharedArena;
  readonly threadIndex: number;
  readonly parts: BatchModelParts;
}

export type BatchOrder = { readonly join: BatchRequest } | { readonly leave: number };
export type BatchEvents =
  | { readonly tokens: readonly BatchToken[]; readonly stepMs: number }
  | { readonly left: number };

const { parts, shared, threadIndex } = workerData as BatchSeat;
const loop = new BatchLoop({ ...parts, kernels: joinKernels(shared, threadIndex) });
let isStepping = false;
const tell = (events: BatchEvents) => parentPort!.postMessage(events);

function step(): void {
  const startedAtMs = performance.now();
  const tokens = loop.step();
  if (tokens.length > 0) tell({ tokens, stepMs: performance.now() - startedAtMs });
  isStepping = loop.size > 0;
  // Orders that came meanwhile are read before the next step.
  if (isStepping) setImmediate(step);
}

parentPort!.on("message", (order: BatchOrder) => {
  if ("leave" in order) {
    loop.leave(order.leave);
    tell({ left: order.leave });
    return;
  }
  loop.join(order.join);
  if (isStepping) return;
  isStepping = true;
  setImmediate(step);
});
