/**
 * Tasks of a development key's setup, which run on the threads of setup-pool.ts: evaluation at the secret
 * point, multiples of the generators.
 */
import { writeSync } from "node:fs";
import { taskSeat } from "@openledger/foundation/threads/task-seat";
import type { Bn254Image } from "../formats/bn254-wasm.ts";
import { loadNativeAddon, type NativePath } from "../native/native-addon.ts";
import { enableRelaxedSimd, type KernelImage } from "../wasm/kernels/kernel-module.ts";
import { FixedBase, type Group } from "./fixed-base.ts";
import { evaluateNatively } from "./native-qap.ts";
import { evaluateQap, type QapRequest } from "./qap-evaluation.ts";

/** Arithmetic that every thread instantiates. */
export interface SetupArithmetic {
  /** wasmcurves' arithmetic in the scalar field, with our loop over constraints; null: the addon's. */
  scalar: Bn254Image | null;
  /** Multiplier of points: the addon's path, or the prover's WebAssembly kernels. */
  curve: NativePath | KernelImage;
}

enableRelaxedSimd();
const arithmetic = taskSeat<SetupArithmetic>();
const bases = new Map<Group, Multiply>();

/** @param tell the number of constraints that are done. @returns the number of coefficients */
export const evaluate = (request: QapRequest, tell: (constraintsDone: number) => void): number =>
  arithmetic.scalar === null
    ? evaluateNatively(loadNativeAddon(), request, tell)
    : evaluateQap(arithmetic.scalar, request, tell);

export interface MultiplyRequest {
  group: Group;
  /** The first task of a group decides. */
  windowBits: number;
  /** Shared with the main thread: 32 bytes a scalar. */
  scalars: Uint8Array;
  /** Place of the points in a file; null: they are returned. */
  target: { fd: number; position: number } | null;
}

type Multiply = (scalars: Uint8Array) => Uint8Array;

function openBase(group: Group, windowBits: number): Multiply {
  const { curve } = arithmetic;
  if (typeof curve !== "string") {
    const base = new FixedBase(curve, group, windowBits);
    return (scalars) => base.multiply(scalars);
  }
  const addon = loadNativeAddon();
  const base = addon.openBase(curve, group === "g2", windowBits);
  // The addon takes no memory that threads share.
  return (scalars) => addon.multiplyBase(base, scalars.slice());
}

export function multiply({ group, scalars, target, windowBits }: MultiplyRequest): Uint8Array | null {
  let base = bases.get(group);
  if (base === undefined) {
    base = openBase(group, windowBits);
    bases.set(group, base);
  }
  const points = base(scalars);
  if (target === null) return points;
  for (let done = 0; done < points.length; )
    done += writeSync(target.fd, points, done, points.length - done, target.position + done);
  return null;
}
