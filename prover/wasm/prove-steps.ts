/**
 * Steps of a proof that all threads of the wasm back end run together on shared memory: witness digits,
 * matrices, quotient, sums over the key's points. proof-assembly.ts makes the proof of their results.
 */
import { elementBytes, encodeElement, scalarField, toLimbs } from "@openledger/circuits/wasm/field-limbs";
import { powMod } from "@openledger/foundation/modular";
import { scalarModulus } from "../formats/bn254-numbers.ts";
import { g1Shape, g2Shape } from "./kernels/curve-kernel.ts";
import type { KernelCalls, WasmMemory } from "./kernels/kernel-module.ts";
import { listTasks, type MemoryPlan, type PointName, type SumName } from "./memory-plan.ts";
import { type SumPart, WindowSummer } from "./multi-scalar.ts";
import { shareOf, type ThreadTeam } from "./thread-team.ts";
import { moveToCoset } from "./transforms.ts";

/** Milliseconds of a proof's phases as one thread saw them, waiting for the others included. */
export interface StageTimes {
  /** The witness' limbs and digits. */
  digitsMs: number;
  /** Time of the rows of A and B times the witness. */
  rowsMs: number;
  /** Time of the move to the coset, the quotient and its digits. */
  quotientMs: number;
  /** Time of the sums over the key's points. */
  sumsMs: number;
}

/** StageTimes, and how long the thread worked on each sum. */
export interface PhaseTimes extends StageTimes {
  sumMs: Record<SumName, number>;
}

/** A thread's kernels and place among the threads of one key. */
export interface ProveContext {
  kernels: KernelCalls;
  memory: WasmMemory;
  plan: MemoryPlan;
  team: ThreadTeam;
  thread: number;
}

/** Points of a key that are not at infinity. */
export type PointCounts = Record<PointName, number>;

/**
 * Part of one thread in a proof: from the witness in memory to the windows' points. All threads must run it.
 */
export class ProveSteps {
  readonly #context: ProveContext;
  readonly #g1: WindowSummer;
  readonly #g2: WindowSummer;

  constructor(context: ProveContext) {
    this.#context = context;
    const { kernels, memory, plan, thread } = context;
    const { work } = plan.workers[thread]!;
    this.#g1 = new WindowSummer(kernels, memory, g1Shape, plan.limits, work);
    this.#g2 = new WindowSummer(kernels, memory, g2Shape, plan.limits, work);
  }

  /**
   * Runs all steps on the witness in memory, and meets the other threads after each.
   *
   * @param hasB1 false if the witness blinds A, so that the proof needs no sum of B in G1
   */
  run(pointCounts: PointCounts, hasB1: boolean): PhaseTimes {
    const { team } = this.#context;
    let lap = performance.now();
    const meet = () => {
      team.meet();
      const now = performance.now();
      const lapMs = now - lap;
      lap = now;
      return lapMs;
    };
    this.#prepareWitness();
    const digitsMs = meet();
    this.#multiplyRows();
    const rowsMs = meet();
    this.#divide();
    const quotientMs = meet();
    const sumMs = this.#sumPoints(pointCounts, hasB1);
    return { digitsMs, rowsMs, quotientMs, sumsMs: meet(), sumMs };
  }

  #share(count: number): [number, number] {
    return shareOf(count, this.#context.thread, this.#context.plan.workerCount);
  }

  /** Splits the scalars from `start` to `end` of `count`, of which the first lies at `scalars`. */
  #splitDigits(scalars: number, start: number, end: number, count: number, digits: number): void {
    const { windowBits, windowCount } = this.#context.plan.windows;
    this.#context.kernels.splitDigits!(
      scalars,
      end - start,
      windowBits,
      windowCount,
      digits + 2 * start,
      4 * count,
      2 * count,
    );
  }

  #prepareWitness(): void {
    const { kernels, plan } = this.#context;
    const { wireCount } = plan.shape;
    const [start, end] = this.#share((wireCount + 1) >>> 1);
    kernels.frImportPlain!(
      plan.witness + 64 * start,
      end - start,
      plan.witnessTable + 2 * elementBytes * start,
    );
    const [first, last] = this.#share(wireCount);
    this.#splitDigits(plan.witness + 32 * first, first, last, wireCount, plan.witnessDigits);
  }

  #multiplyRows(): void {
    const { kernels, plan } = this.#context;
    const [start, end] = this.#share(plan.shape.domainSize / 2).map((pair) => 2 * pair) as [number, number];
    for (const matrix of [0, 1] as const) {
      kernels.frRows!(
        plan.rowStarts[matrix],
        start,
        end,
        plan.terms,
        plan.coefficients,
        plan.witnessTable,
        plan.vectors[matrix],
      );
    }
  }

  #divide(): void {
    const { kernels, memory, plan, team, thread } = this.#context;
    const { domainSize } = plan.shape;
    const doubles = new Float64Array(memory.buffer);
    if (thread === 0) this.#writeScales(doubles);
    const [start, end] = this.#share(domainSize / 2);
    const [a, b, c] = plan.vectors.map((vector) => vector + 2 * elementBytes * start) as [
      number,
      number,
      number,
    ];
    // A satisfied constraint's C is the product of its A and B. It takes the witness' place, which no row needs any more.
    kernels.frProducts!(a, b, c, end - start);
    team.meet();
    const maker = { kernels, doubles, scratch: plan.workers[thread]!.staging };
    const transform = { ...plan, size: domainSize };
    for (const _ of moveToCoset(maker, transform, plan.vectors, thread, plan.workerCount)) team.meet();
    // The quotient's 64 bytes a pair go over C's 80, each pair's after it is read.
    kernels.frQuotient!(a, b, c, plan.scales, end - start, c);
    team.meet();
    this.#splitDigits(c, 2 * start, 2 * end, domainSize, plan.quotientDigits);
  }

  /** The transforms left every vector n times too large: n^2 A B - n (n C), over n^2. */
  #writeScales(doubles: Float64Array): void {
    const { plan } = this.#context;
    const size = BigInt(plan.shape.domainSize);
    const unscale = powMod(size * size, scalarModulus - 2n, scalarModulus);
    for (const [index, limbs] of [encodeElement(size, scalarField), toLimbs(balanced(unscale))].entries()) {
      for (const [i, limb] of limbs.entries()) {
        const at = plan.scales / 8 + 2 * limbs.length * index + 2 * i;
        doubles.fill(limb, at, at + 2);
      }
    }
  }

  #sumPoints(pointCounts: PointCounts, hasB1: boolean): Record<SumName, number> {
    const { kernels, memory, plan, team } = this.#context;
    const sumMs = { a: 0, b1: 0, b2: 0, c: 0 };
    const bytes = new Uint8Array(memory.buffer);
    const tasks = listTasks(plan).filter(({ sum }) => hasB1 || sum !== "b1");
    for (let next = team.take(); next < tasks.length; next = team.take()) {
      const startedAtMs = performance.now();
      const { sum, window, result, flags } = tasks[next]!;
      const isG2 = sum === "b2";
      const shape = isG2 ? g2Shape : g1Shape;
      const parts = (sum === "c" ? (["c", "h"] as const) : [sum]).map((points) =>
        this.#part(points, pointCounts[points]),
      );
      const sums = (isG2 ? this.#g2 : this.#g1).sumWindow(parts, window);
      const copy = (isG2 ? kernels.g2Copy : kernels.g1Copy)!;
      for (const [i, address] of sums.entries()) {
        bytes[flags + i] = address === 0 ? 0 : 1;
        if (address !== 0) copy(address, result + i * shape.pointBytes);
      }
      sumMs[sum] += performance.now() - startedAtMs;
    }
    return sumMs;
  }

  #part(name: PointName, count: number): SumPart {
    const { plan } = this.#context;
    const { windows, shape } = plan;
    const digits =
      name === "h"
        ? { address: plan.quotientDigits, scalarCount: shape.domainSize, windows }
        : { address: plan.witnessDigits, scalarCount: shape.wireCount, windows };
    return { table: { ...plan.points[name], count }, digits };
  }
}

function balanced(value: bigint): bigint {
  return 2n * value > scalarModulus ? value - scalarModulus : value;
}
