/**
 * Powers of tau made ready for phase 2, byte for byte as `snarkjs powersoftau prepare phase2` makes them: of tau's powers the
 * values of Lagrange's polynomials at tau, for every power of two. That is an inverse transform over points, without knowing tau.
 */
import { invertMod } from "@openledger/foundation/modular";
import { fieldBytes, rootOfUnity, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { type Group, pointBytesOf } from "../keys/fixed-base.ts";
import { type SetupPool, shared, withSetupPool } from "../keys/setup-pool.ts";
import { POWER_SECTIONS, readPowers, writePowers } from "./powers-file.ts";

/** Points or steps of a task: enough to outweigh the asking, few enough for all threads to end together. */
const TASK_SIZE = 1_024;

type OnProgress = (done: number, total: number) => void;

/** @throws RollupError PRV_PTAU_INVALID */
export async function preparePowers(fromPath: string, toPath: string, onProgress: OnProgress): Promise<void> {
  const powers = await readPowers(fromPath);
  const roots = inverseRoots(powers.power + 1);
  const wanted = POWER_SECTIONS.flatMap(({ group, prepared }, i) => {
    if (prepared === null) return [];
    // Of twice the size there is one power too few: snarkjs takes a zero for it.
    const top = i === 0 ? powers.power + 1 : powers.power;
    return [{ id: prepared, group, top, points: powers.points[i]! }];
  });
  const weightOf = (group: Group) => (group === "g1" ? 1 : 3);
  const total = wanted.reduce((sum, { group, top }) => sum + weightOf(group) * ((top - 1) * 2 ** top + 1), 0);
  let done = 0;
  await withSetupPool(async (pool) => {
    const made = wanted.map(async ({ group, id, points, top }) => {
      const onSteps = (count: number) => {
        done += weightOf(group) * count;
        onProgress(done, total);
      };
      return [id, await lagrangePoints(pool, group, points, top, roots, onSteps)] as const;
    });
    writePowers(toPath, powers, new Map(await Promise.all(made)));
  });
}

/** Each point times its scalar, in place. Both are shared. */
export async function scaleAll(
  pool: SetupPool,
  group: Group,
  points: Uint8Array,
  scalars: Uint8Array,
): Promise<void> {
  const tasks: Promise<unknown>[] = [];
  const bytes = pointBytesOf(group);
  for (let from = 0; from < points.length / bytes; from += TASK_SIZE) {
    const some = points.subarray(from * bytes, (from + TASK_SIZE) * bytes);
    const theirs = scalars.subarray(from * fieldBytes, (from + TASK_SIZE) * fieldBytes);
    tasks.push(pool.run({ kind: "scale", group, points: some, scalars: theirs }));
  }
  await Promise.all(tasks);
}

/** Values for 2^0, 2^1, … 2^top, one after another. @param onSteps called with how many steps of a transform are done */
async function lagrangePoints(
  pool: SetupPool,
  group: Group,
  powers: Uint8Array,
  top: number,
  roots: readonly Uint8Array[],
  onSteps: (count: number) => void,
): Promise<Uint8Array> {
  const bytes = pointBytesOf(group);
  const inputs = shared(2 ** top * bytes);
  inputs.set(powers.subarray(0, inputs.length));
  await scaleAll(pool, group, inputs, repeated(invertMod(BigInt(2 ** top), scalarModulus), 2 ** top));
  const out = shared((2 ** (top + 1) - 1) * bytes);
  const transforms: Promise<void>[] = [];
  for (let power = top; power >= 0; power--) {
    const size = 2 ** power;
    const values = out.subarray((size - 1) * bytes, (2 * size - 1) * bytes);
    for (let i = 0; i < size; i++) {
      const at = reversed(i, power) * bytes;
      values.set(inputs.subarray(i * bytes, (i + 1) * bytes), at);
    }
    transforms.push(transform(pool, group, values, power, roots, onSteps));
    // Half as many values take twice the share.
    if (power > 0)
      await scaleAll(pool, group, inputs.subarray(0, (size / 2) * bytes), repeated(2n, size / 2));
  }
  await Promise.all(transforms);
  return out;
}

async function transform(
  pool: SetupPool,
  group: Group,
  points: Uint8Array,
  power: number,
  roots: readonly Uint8Array[],
  onSteps: (count: number) => void,
): Promise<void> {
  const steps = 2 ** power / 2;
  for (let layer = 1; layer <= power; layer++) {
    const tasks: Promise<unknown>[] = [];
    for (let from = 0; from < steps; from += TASK_SIZE) {
      const to = Math.min(from + TASK_SIZE, steps);
      const task = pool.run({ kind: "transform", group, points, roots: roots[layer]!, from, to });
      tasks.push(task.then(() => onSteps(to - from)));
    }
    await Promise.all(tasks);
  }
}

/** By layer: w^-0, w^-1, … of the root w of order 2^layer, half as many. */
function inverseRoots(layers: number): Uint8Array[] {
  return Array.from({ length: layers + 1 }, (_, layer) => {
    const root = invertMod(rootOfUnity(layer), scalarModulus);
    return powersFrom(1n, root, 2 ** layer / 2);
  });
}

/** first, first * base, first * base^2, …: 32 bytes each, shared. */
export function powersFrom(first: bigint, base: bigint, count: number): Uint8Array {
  const bytes = shared(Math.floor(count) * fieldBytes);
  for (let at = 0, value = first; at < bytes.length; at += fieldBytes) {
    bytes.set(toBytesLe(value), at);
    value = (value * base) % scalarModulus;
  }
  return bytes;
}

const repeated = (value: bigint, count: number): Uint8Array => powersFrom(value, 1n, count);

function reversed(index: number, bits: number): number {
  let out = 0;
  for (let bit = 0; bit < bits; bit++) out |= ((index >> bit) & 1) << (bits - 1 - bit);
  return out;
}
