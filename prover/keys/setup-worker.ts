import { writeSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { workerData } from "piscina";
import type { Bn254Image } from "../formats/bn254-wasm.ts";
import { enableRelaxedSimd, type KernelImage } from "../wasm/kernels/kernel-module.ts";
import { FixedBase, type Group } from "./fixed-base.ts";
import { evaluateQap, type QapRequest } from "./qap-evaluation.ts";

/** Task of a setup's worker thread. One SetupAnswer answers each task. */
export type SetupTask =
  | { kind: "evaluate"; request: QapRequest }
  | {
      kind: "multiply";
      group: Group;
      /** The first task of a group decides. */
      windowBits: number;
      /** Shared with the main thread: 32 bytes a scalar. */
      scalars: Uint8Array;
      /** File position for the points; null returns them in the answer. */
      target: { fd: number; position: number } | null;
    };

export type SetupAnswer =
  | { kind: "evaluated"; coefficientCount: number }
  | { kind: "multiplied"; points: Uint8Array | null };

export interface SetupRequest {
  readonly task: SetupTask;
  /** Gets the number of constraints that are done. */
  readonly progress: MessagePort;
}

/** Compiled modules that every worker instantiates. */
export interface SetupImages {
  /** wasmcurves' arithmetic in the scalar field, with our loop over constraints. */
  scalar: Bn254Image;
  /** The prover's kernels. */
  curve: KernelImage;
}

enableRelaxedSimd();
const images = workerData as SetupImages;
const bases = new Map<Group, FixedBase>();

/** Runs one task on a worker thread. */
export default function run({ task, progress }: SetupRequest): SetupAnswer {
  try {
    return answer(task, progress);
  } finally {
    progress.close();
  }
}

function answer(task: SetupTask, progress: MessagePort): SetupAnswer {
  if (task.kind === "evaluate") {
    const coefficientCount = evaluateQap(images.scalar, task.request, (constraintsDone) =>
      progress.postMessage(constraintsDone),
    );
    return { kind: "evaluated", coefficientCount };
  }
  let base = bases.get(task.group);
  if (base === undefined) {
    base = new FixedBase(images.curve, task.group, task.windowBits);
    bases.set(task.group, base);
  }
  const points = base.multiply(task.scalars);
  if (task.target === null) return { kind: "multiplied", points };
  for (let done = 0; done < points.length; )
    done += writeSync(task.target.fd, points, done, points.length - done, task.target.position + done);
  return { kind: "multiplied", points: null };
}
