/**
 * Worker thread of the wasm back end: opens keys, loads them and runs its part of each proof, by messages of
 * thread-group.ts.
 */
import { parentPort } from "node:worker_threads";
import type { ProverErrorCode } from "../prover-errors.ts";
import { BlindingWires } from "../proving/blinding-wires.ts";
import {
  buildKernelImage,
  enableRelaxedSimd,
  instantiateKernels,
  type KernelImage,
  type WasmMemory,
} from "./kernels/kernel-module.ts";
import { KeyFile } from "./key-file.ts";
import { type LoadStep, loadPart } from "./key-loader.ts";
import type { MemoryPlan } from "./memory-plan.ts";
import { assembleG1, assembleG2, type Blinding, type ProofPart } from "./proof-assembly.ts";
import { type PhaseTimes, type PointCounts, type ProveContext, ProveSteps } from "./prove-steps.ts";
import { ThreadTeam } from "./thread-team.ts";
import type { ZkeySections } from "./zkey-sections.ts";

/** Task for all threads at once. Each thread answers with one ThreadAnswer. */
export type ThreadTask =
  /** Task for one thread only. */
  | { kind: "build" }
  | { kind: "open"; key: number; image: KernelImage; memory: WasmMemory; plan: MemoryPlan; thread: number }
  | { kind: "load"; key: number; path: string; sections: ZkeySections; steps: readonly LoadStep[] }
  | {
      kind: "prove";
      key: number;
      pointCounts: PointCounts;
      /** The zkey's header section. */
      header: Uint8Array;
      /** Blinding of the proof. If r is 0, the witness blinds A, and B is not summed in G1. */
      blinding: Blinding;
    }
  | { kind: "close"; key: number };

export type ThreadAnswer =
  | { kind: "built"; image: KernelImage }
  | { kind: "done" }
  /** `blindingEntries`: those of `BlindingWires`, by the thread that has read the coefficients. */
  | { kind: "loaded"; pointCounts: Partial<PointCounts>; blindingEntries: Uint8Array | null }
  /** The first thread's has the part in G1, the last one's that in G2. */
  | { kind: "proved"; parts: ProofPart[]; phases: PhaseTimes; assemblyMs: number }
  | { kind: "failed"; code: ProverErrorCode | null; message: string };

interface OpenKey {
  memory: WasmMemory;
  plan: MemoryPlan;
  kernels: ProveContext["kernels"];
  team: ThreadTeam;
  thread: number;
  steps: ProveSteps | null;
}

enableRelaxedSimd();
const keys = new Map<number, OpenKey>();
const port = parentPort!;

port.on("message", (task: ThreadTask) => {
  let answer: ThreadAnswer;
  try {
    answer = run(task);
  } catch (error) {
    const { code = null, message } = error as { code?: string | null; message: string };
    const isOurs = code?.startsWith("PRV_") === true;
    answer = { kind: "failed", code: isOurs ? (code as ProverErrorCode) : null, message };
  }
  port.postMessage(answer);
});

function run(task: ThreadTask): ThreadAnswer {
  switch (task.kind) {
    case "build":
      return { kind: "built", image: buildKernelImage() };
    case "open":
      return open(task);
    case "load":
      return load(task);
    case "prove":
      return prove(task);
    case "close":
      keys.delete(task.key);
      return { kind: "done" };
    default:
      return task satisfies never;
  }
}

function open({ key, image, memory, plan, thread }: ThreadTask & { kind: "open" }): ThreadAnswer {
  const kernels = instantiateKernels(image.module, memory, plan.workers[thread]!.scratch);
  const team = new ThreadTeam(memory.buffer, plan.control, plan.workerCount);
  keys.set(key, { memory, plan, kernels, team, thread, steps: null });
  return { kind: "done" };
}

function load({ key, path, sections, steps }: ThreadTask & { kind: "load" }): ThreadAnswer {
  const { memory, plan, kernels, team, thread } = keys.get(key)!;
  const file = new KeyFile(path);
  const pointCounts: Partial<PointCounts> = {};
  let blindingEntries: Uint8Array | null = null;
  const { staging } = plan.workers[thread]!;
  const { publicCount, wireCount } = plan.shape;
  const blindsA = new BlindingWires(wireCount, publicCount);
  try {
    for (let next = team.take(); next < steps.length; next = team.take()) {
      const step = steps[next]!;
      const context = { kernels, buffer: memory.buffer, plan, file, sections, staging, blindsA };
      const count = loadPart(context, step);
      if (step === "coefficients") blindingEntries = blindsA.entries;
      else if (step !== "inverse" && step !== "coset") pointCounts[step] = count;
    }
  } finally {
    file.close();
  }
  return { kind: "loaded", pointCounts, blindingEntries };
}

function prove({ key, pointCounts, header, blinding }: ThreadTask & { kind: "prove" }): ThreadAnswer {
  const opened = keys.get(key)!;
  const { memory, plan, kernels, team, thread } = opened;
  opened.steps ??= new ProveSteps({ memory, plan, kernels, team, thread });
  const phases = opened.steps.run(pointCounts, blinding.r !== 0n);
  const start = performance.now();
  const sums = { kernels, buffer: memory.buffer, plan, thread, header };
  const parts: ProofPart[] = [];
  if (thread === 0) parts.push(assembleG1(sums, blinding));
  if (thread === plan.workerCount - 1) parts.push(assembleG2(sums, blinding));
  return { kind: "proved", parts, phases, assemblyMs: performance.now() - start };
}
