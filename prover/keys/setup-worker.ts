import { writeSync } from "node:fs";
import type { MessagePort } from "node:worker_threads";
import { workerData } from "piscina";
import { PointScaler, scaleBatch } from "../ceremony/scale-points.ts";
import { fieldBytes, toBytesLe } from "../formats/bn254-numbers.ts";
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
  | {
      /** Of the lists `from` to `to` each the sum of point * scalar of its terms; all is shared. */
      kind: "sum";
      group: Group;
      points: Uint8Array;
      scalars: Uint8Array;
      lists: TermLists;
      from: number;
      to: number;
      out: Uint8Array;
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

/** A term is the numbers of a point and of a scalar; `ends` has each list's end, in terms. */
export interface TermLists {
  readonly terms: Uint32Array;
  readonly ends: Uint32Array;
}

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
const one = toBytesLe(1n);
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
    else if (task.kind === "sum") sum(scaler, task);
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

function sum(scaler: PointScaler, task: Extract<SetupTask, { kind: "sum" }>): void {
  const { from, out, points, scalars, to } = task;
  const { ends, terms } = task.lists;
  const { pointBytes } = scaler;
  const somePoints = new Uint8Array(scaleBatch * pointBytes);
  const someScalars = new Uint8Array(scaleBatch * fieldBytes);
  const someEnds = new Uint32Array(scaleBatch);
  let term = from === 0 ? 0 : ends[from - 1]!;
  let isCut = false;
  for (let list = from; list < to; ) {
    const sums = out.subarray((list - from) * pointBytes);
    let [count, listCount] = [0, 0];
    const take = (source: Uint8Array, point: number, scalar: Uint8Array) => {
      somePoints.set(source.subarray(point * pointBytes, (point + 1) * pointBytes), count * pointBytes);
      someScalars.set(scalar, count++ * fieldBytes);
    };
    // A list that a batch's end cut goes on with its sum so far.
    if (isCut) take(sums, 0, one);
    for (isCut = false; list < to && listCount < scaleBatch && !isCut; listCount++) {
      for (; term < ends[list]! && count < scaleBatch; term++) {
        const scalar = terms[2 * term + 1]! * fieldBytes;
        take(points, terms[2 * term]!, scalars.subarray(scalar, scalar + fieldBytes));
      }
      someEnds[listCount] = count;
      isCut = term < ends[list]!;
      if (!isCut) list++;
    }
    scaler.sum(
      somePoints.subarray(0, count * pointBytes),
      someScalars,
      someEnds.subarray(0, listCount),
      sums.subarray(0, listCount * pointBytes),
    );
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
