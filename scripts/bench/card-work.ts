/**
 * Counts what a proof costs on a graphics card without one, for `npm run bench -- prove --count SIZE`: products of field
 * elements, additions of points, bytes of memory and dispatches. Points and scalars are those of a real batch; windows,
 * groups, chunks, commands and the products of a formula come from the prover's own code. With `--before CLONE` the same
 * is counted for a clone of build 7b597cf0, whose sums took one affine point after another. scripts/bench.ts prints it.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readR1cs } from "@openledger/circuits/compiler/r1cs-reader";
import { fieldBytes, scalarModulus, toBytesLe } from "@openledger/prover/formats/bn254-numbers";
import { splitConstants, splitScalar } from "@openledger/prover/formats/endomorphism";
import { randomScalar } from "@openledger/prover/proving/blinding";
import { witnessValuesAt } from "@openledger/prover/proving/witness-check";
import { additionFormulas, type CurveShape, g1Curve, g2Curve } from "@openledger/prover/webgpu/curve-shader";
import { baseShader, fieldShader, scalarShader } from "@openledger/prover/webgpu/field-shader";
import type { GpuDevice } from "@openledger/prover/webgpu/gpu-device";
import { pairFormulas } from "@openledger/prover/webgpu/pair-shader";
import {
  foldCounts,
  makePointSums,
  pairThreads,
  planSizes,
  planSums,
  type SumPlan,
} from "@openledger/prover/webgpu/point-sums";
import { makeQuotient } from "@openledger/prover/webgpu/quotient";
import { ledgerCircuit, ledgerWitness } from "./prove-case.ts";

/** Scalars of a key's points, 32 bytes each, and the rows that make the quotient. */
interface Scalars {
  a: Uint8Array;
  b: Uint8Array;
  /** Those of C, then those of H. */
  rest: Uint8Array;
  wireCount: number;
  domainSize: number;
  coefficientCount: number;
}

/** Counted work. Products are Montgomery's, of the base field in sums and of the scalar field in the quotient. */
interface Work {
  /** Squares are among them. */
  products: number;
  /** 32-bit multiplications of the products, most with an addition. */
  multiplyAdds: number;
  pointAdditions: number;
  /** Bytes that kernels read and write, each access counted. */
  bytes: number;
  dispatches: number;
}
type WorkBySum = Record<"g1" | "b1" | "g2" | "quotient", Work>;

export async function countCardWork(domainLog2: number, before?: string) {
  const scalars = await readScalars(domainLog2);
  const now = withTotal(await countNow(scalars));
  print("now", now);
  if (before === undefined) return { now };
  const old = await countBefore(scalars, resolve(before));
  print("before", old);
  const ratio = (key: "products" | "multiplyAdds" | "bytes" | "dispatches" | "pointAdditions") =>
    Math.round((1000 * now.total[key]) / old.total[key]) / 1000;
  const ratios = {
    products: ratio("products"),
    multiplyAdds: ratio("multiplyAdds"),
    pointAdditions: ratio("pointAdditions"),
    bytes: ratio("bytes"),
    dispatches: ratio("dispatches"),
  };
  console.log(`now / before: ${JSON.stringify(ratios)}`);
  return { now, before: old, ratios };
}

function print(label: string, work: ReturnType<typeof withTotal>): void {
  for (const [name, { products, multiplyAdds, pointAdditions, bytes, dispatches }] of Object.entries(work)) {
    const millions = (value: number) => `${(value / 1e6).toFixed(1)} M`;
    console.log(
      `  ${label}, ${name}: ${millions(products)} products of ${(multiplyAdds / 1e9).toFixed(1)} G multiply-adds, ${millions(pointAdditions)} additions of points, ` +
        `${(bytes / 1e9).toFixed(1)} GB, ${dispatches} dispatches`,
    );
  }
}

function withTotal(work: WorkBySum) {
  const sum = (key: keyof Work) => Object.values(work).reduce((total, each) => total + each[key], 0);
  const total: Work = {
    products: sum("products"),
    multiplyAdds: sum("multiplyAdds"),
    pointAdditions: sum("pointAdditions"),
    bytes: sum("bytes"),
    dispatches: sum("dispatches"),
  };
  return { ...work, total };
}

/** Numbers of products of each kind, by the end of their functions' names. A pair's two products are reduced once. */
interface Kinds {
  Mul?: number;
  Square?: number;
  MulAdd?: number;
  SquareAdd?: number;
}

/** Products, and the 32-bit multiplications of each kind. */
class Products {
  products = 0;
  multiplyAdds = 0;
  readonly #each: (kind: keyof Kinds) => number;

  /** @param render the build's field, whose text is counted */
  constructor(render: typeof fieldShader, field = baseShader) {
    const text = render(field, "unrolled");
    // Compilers leave out what is multiplied by 0 or 1.
    const count = (lines: string) => (lines.match(/ \* (?![01]u\b)/g) ?? []).length;
    this.#each = (kind) => {
      const body = text.split(`fn ${field.name}${kind}(`)[1]?.split("\nfn ")[0];
      if (body === undefined) return this.#each("Mul");
      const loop = /< (\d+)u; \w+\+\+\) \{\n(.*?)\n {2}\}\n/s.exec(body);
      return count(body) + (loop === null ? 0 : (Number(loop[1]) - 1) * count(loop[2]!));
    };
  }

  add(times: number, kinds: Kinds): void {
    for (const [kind, number] of Object.entries(kinds) as [keyof Kinds, number][]) {
      this.products += times * number * (kind.endsWith("Add") ? 2 : 1);
      this.multiplyAdds += times * number * this.#each(kind);
    }
  }
}

/** Compiles a batch that fills the domain, and sorts its witness by the key's points. */
async function readScalars(domainLog2: number): Promise<Scalars> {
  const batch = await ledgerCircuit(domainLog2);
  const { bytes } = await ledgerWitness(batch);
  const values = bytes.subarray(witnessValuesAt);
  const header = readR1cs(batch.compiled.r1csPath);
  const { wireCount } = header;
  const publicCount = header.publicOutputCount + header.publicInputCount;
  /** By wire: 1 if it has a point in A, 2 in B, 4 in C. */
  const positions = new Uint8Array(wireCount);
  // A row binds each public wire and the constant.
  positions.fill(1 | 4, 0, publicCount + 1);
  let coefficientCount = publicCount + 1;
  readR1cs(batch.compiled.r1csPath, (window, a, b, c) => {
    for (const [mark, { offset, termCount }] of [
      [1 | 4, a],
      [2 | 4, b],
      [4, c],
    ] as const) {
      if (mark !== 4) coefficientCount += termCount;
      for (let i = 0, at = offset; i < termCount; i++, at += 4 + fieldBytes)
        positions[window.readUInt32LE(at)]! |= mark;
    }
  });
  const domainSize = 2 ** domainLog2;
  const take = (mark: number, firstWire: number, extra: number) => {
    let count = 0;
    for (let wire = firstWire; wire < wireCount; wire++) if ((positions[wire]! & mark) !== 0) count++;
    const taken = new Uint8Array(fieldBytes * (count + extra));
    let at = 0;
    for (let wire = firstWire; wire < wireCount; wire++) {
      if ((positions[wire]! & mark) === 0) continue;
      taken.set(values.subarray(fieldBytes * wire, fieldBytes * (wire + 1)), at);
      at += fieldBytes;
    }
    return taken;
  };
  const rest = take(4, publicCount + 1, domainSize);
  // The quotient's values are like random ones.
  for (let at = rest.length - fieldBytes * domainSize; at < rest.length; at += fieldBytes)
    rest.set(toBytesLe(randomScalar()), at);
  const scalars = { a: take(1, 0, 0), b: take(2, 0, 0), rest, wireCount, domainSize, coefficientCount };
  const counts = { a: scalars.a, b: scalars.b, c: rest.subarray(fieldBytes * domainSize) };
  const points = Object.entries(counts).map(([name, list]) => `${name} ${list.length / fieldBytes}`);
  console.log(
    `  ${batch.constraints} constraints, ${wireCount} wires; points: ${points.join(", ")}, h ${domainSize}`,
  );
  return scalars;
}

/** Number of digits of each bucket. @param hasCarry whether the last window's digits are signed, too */
class Histogram {
  readonly counts: Uint32Array;
  readonly #plan: Pick<SumPlan, "windowBits" | "windowCount">;
  readonly #hasCarry: boolean;

  constructor(plan: Pick<SumPlan, "windowBits" | "windowCount">, bucketCount: number, hasCarry: boolean) {
    this.#plan = plan;
    this.counts = new Uint32Array(bucketCount);
    this.#hasCarry = hasCarry;
  }

  add(words: Uint32Array, firstBucket: number): void {
    const { windowBits, windowCount } = this.#plan;
    const size = 2 ** windowBits;
    for (let window = 0, carry = 0, first = firstBucket; window < windowCount; window++, first += size / 2) {
      const bit = window * windowBits;
      const [at, shift] = [bit >>> 5, bit & 31];
      const low = (words[at] ?? 0) >>> shift;
      const high = shift + windowBits > 32 ? (words[at + 1] ?? 0) << (32 - shift) : 0;
      const digit = ((low | high) & (size - 1)) + carry;
      carry = digit > size / 2 && (this.#hasCarry || window + 1 < windowCount) ? 1 : 0;
      const magnitude = carry === 1 ? size - digit : digit;
      if (magnitude !== 0) this.counts[first + magnitude - 1]!++;
    }
  }
}

const wordsAt = (bytes: Uint8Array, at: number) => new Uint32Array(bytes.buffer, bytes.byteOffset + at, 8);

/** Products of segments of a formula: operation 0 of its codes; a square's two operands are one. */
function productsOf(
  program: { encode(of: (value: number) => number): number[] },
  ...segments: Segment[]
): Kinds {
  const codes = program.encode((value) => value & 255);
  const own = segments
    .flatMap(({ start, end }) => codes.slice(start, end))
    .filter((code) => (code & 3) === 0);
  const Square = own.filter((code) => ((code >>> 8) & 255) === ((code >>> 16) & 255)).length;
  // The second product of a pair says so.
  const MulAdd = own.filter((code) => (code & 24) !== 0).length;
  return { Mul: own.length - Square - 2 * MulAdd, Square, MulAdd };
}
type Segment = { start: number; end: number };
type Formulas = ReturnType<typeof additionFormulas>;

/** Runs of one bucket in chunks of equal length, and additions that merge them: both builds do so with what they add up. */
function countRuns(counts: Iterable<number>, chunkLength: number) {
  let [total, runs, filled] = [0, 0, 0];
  for (const count of counts) {
    if (count === 0) continue;
    runs += Math.floor((total + count - 1) / chunkLength) - Math.floor(total / chunkLength) + 1;
    total += count;
    filled++;
  }
  return { total, additions: total - runs, merges: runs - filled };
}

/** Additions and doublings of the reduce kernels: all buckets are taken for filled. */
function countReduction(planeTotal: number, bucketPower: number) {
  let [additions, doublings, nodes] = [0, 0, 0];
  for (let done = 0; done < bucketPower; ) {
    const power = Math.min(3, bucketPower - done);
    const count = planeTotal * 2 ** (bucketPower - done - power);
    const radix = 2 ** power;
    // First ones are copied: the running sum, the weighted one, and past the buckets the children's and one more.
    additions += count * (2 * radix - 3 + (done === 0 ? 0 : radix));
    doublings += count * done;
    nodes += count * radix;
    done += power;
  }
  return { additions, doublings, nodes };
}

/** Device that counts dispatches instead of making them. */
function countingDevice() {
  const steps: { name: string; source: string; threads: number }[] = [];
  const gpu = {
    makeBuffer: (_: string, size: number) => ({ size }),
    makeParameters: () => ({}),
    write: () => {},
    submit: () => {},
    step: async ({ name, source }: { name: string; source: string }, _: unknown, threads: number) => {
      steps.push({ name, source, threads });
      return {};
    },
  } as unknown as GpuDevice;
  return { gpu, steps };
}

const buffer = {} as GPUBuffer;
const none: Work = { products: 0, multiplyAdds: 0, pointAdditions: 0, bytes: 0, dispatches: 0 };

async function countQuotient(
  make: typeof makeQuotient,
  counted: Products,
  { domainSize, coefficientCount }: Scalars,
): Promise<Work> {
  const { gpu, steps } = countingDevice();
  const places = { matrices: new Uint8Array(0), rows: new Uint32Array(0) };
  const inputs = {
    domainSize,
    coefficients: buffer,
    coefficientCount: 0,
    places,
    scalars: buffer,
    firstScalar: 0,
  };
  const { commands } = await make(gpu, "compact", inputs);
  // Once a key, not once a proof: the first two.
  const own = steps.slice(steps.length - commands.length);
  let [products, bytes] = [coefficientCount, coefficientCount * (4 + 44 + 32)];
  for (const { name, source, threads } of own) {
    const body = source.split("fn main(")[1]!;
    const count = (body.match(/FrMul\(/g) ?? []).length;
    if (name === "add up segments") continue;
    // A row's two factors pass one product each.
    products += threads * (name === "add up rows" ? 2 : count);
    bytes += threads * 32 * (body.match(/Fr(Unpack|PackLow)\(/g) ?? []).length;
  }
  counted.add(products, { Mul: 1 });
  const { multiplyAdds } = counted;
  return { products, multiplyAdds, pointAdditions: 0, bytes, dispatches: own.length };
}

/** Counts the prover of this tree. */
async function countNow(scalars: Scalars): Promise<WorkBySum> {
  const sum = (curve: CurveShape, sets: readonly Uint8Array[]) => countSums(curve, sets);
  const quotient = await countQuotient(makeQuotient, new Products(fieldShader, scalarShader), scalars);
  // Scalars are split once: a product of 16-bit limbs is a 32-bit multiplication.
  const { g1, g2 } = splitConstants;
  const limbs = [g1, g2].map((g) => Math.ceil((g < 0n ? -g : g).toString(16).length / 4));
  const truncated = (count: number) =>
    Array.from({ length: Math.min(8, count) }, (_, i) => 8 - i).reduce((a, b) => a + b);
  const each = limbs.reduce((total, count) => total + 16 * count + 2 * truncated(count), 0);
  const splitCount = scalars.wireCount + scalars.domainSize;
  quotient.multiplyAdds += splitCount * each;
  quotient.bytes += 64 * splitCount;
  quotient.dispatches += 2;
  return {
    g1: await sum(g1Curve, [scalars.a, scalars.rest]),
    // The witness blinds A.
    b1: none,
    g2: await sum(g2Curve, [scalars.b]),
    quotient,
  };
}

async function countSums(curve: CurveShape, sets: readonly Uint8Array[]): Promise<Work> {
  const { degree } = curve;
  const plan = planSums(
    curve,
    sets.map(({ length }) => length / fieldBytes),
  );
  const { bucketCount, planeTotal, slices, slotCount, pointCount } = planSizes(plan);
  const histogram = new Histogram(plan, bucketCount, false);
  for (const [set, bytes] of sets.entries()) {
    const first = set * plan.planeCount * 2 ** (plan.windowBits - 1);
    for (let at = 0; at < bytes.length; at += fieldBytes) {
      for (const words of halvesOf(wordsAt(bytes, at))) histogram.add(words, first);
    }
  }
  const groupSize = 2 ** plan.groupPower;
  const digits = histogram.counts.reduce((total, count) => total + count, 0);
  const groups = histogram.counts.map((count) => Math.ceil(count / groupSize));
  const { total: groupCount, additions, merges } = countRuns(groups, plan.chunkLength);
  const pairs = digits - groupCount;
  const reduction = countReduction(planeTotal, plan.windowBits - 1);

  const point: Formulas = additionFormulas(curve, "Point");
  const sum: Formulas = additionFormulas(curve, "Sum");
  const pair = pairFormulas(curve);
  const counted = new Products(fieldShader);
  counted.add(pairs, productsOf(pair.program, pair.sum));
  // `denominators`: a product, in G2 after the norm's squares.
  counted.add(pairs, { Mul: 1, SquareAdd: degree === 1 ? 0 : 1 });
  counted.add(additions, productsOf(point.program, point.compare, point.add));
  counted.add(merges + reduction.additions, productsOf(sum.program, sum.compare, sum.add));
  counted.add(reduction.doublings, productsOf(sum.program, sum.compare, sum.double));
  for (const slice of slices) {
    for (let level = 1; level <= plan.groupPower; level++) {
      const counts = foldCounts(pairThreads(slice.slotCount / 2 ** level), plan);
      const folded = counts.slice(0, -1).reduce((total, count) => total + count, 0);
      counted.add(3 * folded + counts.at(-1)! * exponentProducts, { Mul: 1 });
    }
  }
  const { gpu, steps } = countingDevice();
  const inputs = { points: buffer, images: buffer, scalarIndices: buffer, halves: buffer };
  await makePointSums(gpu, "compact", [{ curve, plan, inputs }]);
  console.log(
    `  ${curve.name}: ${pointCount} points, ${plan.windowCount} windows of ${plan.windowBits} bits, groups of ${groupSize}, ` +
      `${slices.length} slices; ${digits} digits, ${pairs} pairs`,
  );
  return {
    products: counted.products,
    multiplyAdds: counted.multiplyAdds,
    pointAdditions: pairs + additions + merges + reduction.additions + reduction.doublings,
    bytes:
      // Counted and scattered: halves, places, counters, digits, owners. Then both passes over the pairs.
      pointCount * 2 * 36 +
      digits * (8 + 8 + 4 + 16) +
      slotCount * 4 +
      groupCount * 8 +
      pairs * degree * (64 + 32 + 128 + 32 + 64) +
      groupCount * degree * 64 +
      (merges * 2 + bucketCount * 2 + reduction.nodes * 2) * degree * 128,
    dispatches: steps.length,
  };
}

/** Products of an inversion: the squares and products of the power p - 2. */
const exponentProducts = 254 + 110;

/** Words of the halves' absolute values. */
function halvesOf(words: Uint32Array): Uint32Array[] {
  // A value below 2^62 is its own first half.
  if ((words[2]! | words[3]! | words[4]! | words[5]! | words[6]! | words[7]!) === 0 && words[1]! < 2 ** 30)
    return [words];
  const view = new DataView(words.buffer, words.byteOffset, fieldBytes);
  const value = [3, 2, 1, 0].reduce((sum, i) => (sum << 64n) | view.getBigUint64(8 * i, true), 0n);
  return splitScalar(value % scalarModulus).map((half) => {
    const size = half < 0n ? -half : half;
    return new Uint32Array(new BigUint64Array([BigInt.asUintN(64, size), size >> 64n]).buffer);
  });
}

/** Counts build 7b597cf0 by the code of a clone: signed digits of whole scalars, each an affine point added to a sum. */
async function countBefore(scalars: Scalars, root: string) {
  const load = async <T>(name: string) =>
    (await import(pathToFileURL(join(root, "prover", "webgpu", `${name}.ts`)).href)) as T;
  const shader = await load<{ additionFormulas: typeof additionFormulas }>("curve-shader");
  const field = await load<{ fieldShader: typeof fieldShader }>("field-shader");
  const quotient = await load<{ makeQuotient: typeof makeQuotient }>("quotient");
  const sums = await load<{
    planSums(setCounts: readonly number[]): SumPlan;
    makePointSums(
      gpu: GpuDevice,
      curve: CurveShape,
      style: "compact",
      plan: SumPlan,
      inputs: object,
    ): Promise<unknown>;
  }>("point-sums");
  const count = async (curve: CurveShape, sets: readonly Uint8Array[]): Promise<Work> => {
    const { degree } = curve;
    const plan = sums.planSums(sets.map(({ length }) => length / fieldBytes));
    const windowTotal = sets.length * plan.windowCount;
    const bucketCount = windowTotal * 2 ** (plan.windowBits - 1);
    const histogram = new Histogram(plan, bucketCount, true);
    for (const [set, bytes] of sets.entries())
      for (let at = 0; at < bytes.length; at += fieldBytes)
        histogram.add(wordsAt(bytes, at), set * plan.windowCount * 2 ** (plan.windowBits - 1));
    const { total: digits, additions, merges } = countRuns(histogram.counts, plan.chunkLength);
    const reduction = countReduction(windowTotal, plan.windowBits - 1);
    const point = shader.additionFormulas(curve, "Point");
    const sum = shader.additionFormulas(curve, "Sum");
    const pointCount = sets.reduce((total, { length }) => total + length / fieldBytes, 0);
    const counted = new Products(field.fieldShader);
    counted.add(additions, productsOf(point.program, point.compare, point.add));
    counted.add(merges + reduction.additions, productsOf(sum.program, sum.compare, sum.add));
    counted.add(reduction.doublings, productsOf(sum.program, sum.compare, sum.double));
    const { gpu, steps } = countingDevice();
    const inputs = { points: buffer, scalarIndices: buffer, scalars: buffer };
    await sums.makePointSums(gpu, curve, "compact", plan, inputs);
    return {
      products: counted.products,
      multiplyAdds: counted.multiplyAdds,
      pointAdditions: additions + merges + reduction.additions + reduction.doublings,
      bytes:
        pointCount * 2 * 36 +
        digits * (8 + 8 + 8 + 8 + degree * 64) +
        (merges * 2 + bucketCount * 2 + reduction.nodes * 2) * degree * 128,
      dispatches: steps.length,
    };
  };
  const work: WorkBySum = {
    g1: await count(g1Curve, [scalars.a, scalars.b, scalars.rest]),
    // Part of the same dispatches.
    b1: none,
    g2: await count(g2Curve, [scalars.b]),
    quotient: await countQuotient(
      quotient.makeQuotient,
      new Products(field.fieldShader, scalarShader),
      scalars,
    ),
  };
  return withTotal(work);
}
