import { writeSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { workerData } from "piscina";
import { PointScaler, scaleBatch } from "../ceremony/scale-points.ts";
import { fieldBytes } from "../formats/bn254-numbers.ts";
import type { Bn254Image } from "../formats/bn254-wasm.ts";
import { enableRelaxedSimd, type KernelImage } from "../wasm/kernels/kernel-module.ts";
import { FixedBase, type Group } from "./fixed-base.ts";
import { evaluateQap, type QapRequest } from "./qap-evaluation.ts";

/** What setups ask of a worker thread; each task is answered by one SetupAnswer. */
export type SetupTask =
  | {
      /** Each point times its scalar, in place: as a key has them, and 32 bytes a scalar, both shared. */
      kind: "scale";
      group: Group;
      points: Uint8Array;
      scalars: Uint8Array;
    }
  | {
      /** A layer of a transform, in place: steps `from` to `to`, of which those with the same root are neighbours. */
      kind: "transform";
      group: Group;
      points: Uint8Array;
      /** The powers of the inverse root that go with the layer. */
      roots: Uint8Array;
      from: number;
      to: number;
    }
  | { kind: "evaluate"; request: QapRequest }
  | {
      kind: "multiply";
      group: Group;
      /** The first task of a group decides. */
      windowBits: number;
      /** Shared with the main thread: 32 bytes a scalar. */
      scalars: Uint8Array;
      /** Where the points go in the file, or null: then the answer carries them. */
      target: { fd: number; position: number } | null;
    };

export type SetupAnswer =
  | { kind: "evaluated"; coefficientCount: number }
  | { kind: "multiplied"; points: Uint8Array | null }
  | { kind: "done" };

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
const scalers = new Map<Group, PointScaler>();

/** What a thread does with a task. */
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
  if (task.kind !== "multiply") {
    const scaler = scalers.get(task.group) ?? new PointScaler(images.curve, task.group);
    scalers.set(task.group, scaler);
    if (task.kind === "scale") scale(scaler, task.points, task.scalars);
    else transform(scaler, task);
    return { kind: "done" };
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

function scale(scaler: PointScaler, points: Uint8Array, scalars: Uint8Array): void {
  for (let at = 0; at < scalars.length; at += scaleBatch * fieldBytes) {
    const some = scalars.subarray(at, at + scaleBatch * fieldBytes);
    const from = (at / fieldBytes) * scaler.pointBytes;
    const batch = points.subarray(from, from + (some.length / fieldBytes) * scaler.pointBytes);
    scaler.scale(batch, some, batch);
  }
}

/** Step s: of root s / blocks, in block s % blocks. */
function transform(
  scaler: PointScaler,
  { points, roots, from, to }: Extract<SetupTask, { kind: "transform" }>,
): void {
  const { pointBytes } = scaler;
  const half = roots.length / fieldBytes;
  const blocks = points.length / pointBytes / (2 * half);
  for (let first = from; first < to; first += scaleBatch) {
    const count = Math.min(scaleBatch, to - first);
    const a = new Uint8Array(count * pointBytes);
    const b = new Uint8Array(count * pointBytes);
    const scalars = new Uint8Array(count * fieldBytes);
    const visit = (what: (at: number, i: number, root: number) => void) => {
      for (let i = 0; i < count; i++) {
        const root = Math.floor((first + i) / blocks);
        what((2 * half * ((first + i) % blocks) + root) * pointBytes, i, root);
      }
    };
    const other = half * pointBytes;
    visit((at, i, root) => {
      a.set(points.subarray(at, at + pointBytes), i * pointBytes);
      b.set(points.subarray(at + other, at + other + pointBytes), i * pointBytes);
      scalars.set(roots.subarray(root * fieldBytes, (root + 1) * fieldBytes), i * fieldBytes);
    });
    scaler.combine(a, b, scalars);
    visit((at, i) => {
      points.set(a.subarray(i * pointBytes, (i + 1) * pointBytes), at);
      points.set(b.subarray(i * pointBytes, (i + 1) * pointBytes), at + other);
    });
  }
}
