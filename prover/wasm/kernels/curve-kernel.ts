/**
 * Kernel of point additions, where a proof spends most of its time: affine points of G1 and G2 in batches, with
 * one inversion, by Montgomery's trick, for all of them. bucket-sums.ts, fixed-base.ts and point-adder.ts call
 * it.
 *
 * A point is at an address that is a multiple of 16, x before y; points of the key are followed by the x of
 * their image under the endomorphism. A reference is the address with two flags below it: 1 takes -P, 2 takes
 * the endomorphism's image. No reference is to infinity.
 *
 * Three variants: the fast one leaves out the few pairs whose points have the same x, as wires of one row have
 * in many keys; the checked one, which doubles and cancels, adds those. The third one doubles the first point
 * of each pair.
 */
import { FieldKernel, storedMax } from "@openledger/circuits/wasm/field-kernel";
import type { ConstantPool } from "@openledger/circuits/wasm/field-limbs";
import { baseField, elementBytes } from "@openledger/circuits/wasm/field-limbs";
import {
  type Code,
  f64,
  f64x2,
  i32,
  type Local,
  select,
  v128,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import {
  addBaseProducts,
  addOutlinedProducts,
  type Coordinate,
  CoordinateKernel,
  movePins,
  productMax,
  type Slot,
} from "./coordinates.ts";
import { addOutlinedNorms, Norms } from "./norms.ts";

/** Flags of a reference. */
export const referenceFlags = { negative: 1, endomorphism: 2 } as const;

/** Steps, of two pairs each, whose points are read into the first-level cache together. */
const touchedSteps = 64;

/** Maximum pairs of a batch that the fast additions may leave out. */
export const maxLeftOut = 64;

/** A group's sizes in memory. */
export interface CurveShape {
  name: "g1" | "g2";
  degree: 1 | 2;
  coordinateBytes: number;
  /** x and y. */
  pointBytes: number;
  /** Bytes of a key's point: x, y and the endomorphism's x, padded to a multiple of 128. */
  keyPointBytes: number;
  /** Scratch of a pair of pairs: both x, both y, difference, product of the norms before, G2's norm, two masks. */
  stepBytes: number;
}

function shapeOf(name: "g1" | "g2", degree: 1 | 2): CurveShape {
  const coordinateBytes = degree * elementBytes;
  return {
    name,
    degree,
    coordinateBytes,
    pointBytes: 2 * coordinateBytes,
    keyPointBytes: 128 * degree,
    stepBytes: 12 * coordinateBytes + 32,
  };
}

export const g1Shape = shapeOf("g1", 1);
export const g2Shape = shapeOf("g2", 2);

interface CurveFunctions {
  /**
   * (pairs, pairCount, steps, out, leftOut, isFar): leaves out pairs of points with the same x, whose addresses it
   * writes to `leftOut`, and returns one more than their number. 0, and `out` means nothing, if they are more than
   * maxLeftOut or `leftOut` is 0. `isFar`: whether the points come from all over the memory, and not from the caches.
   */
  addFast: WasmFunction;
  /** (pairs, pairCount, steps, out) for any pairs; clears both references of a pair whose sum is infinity. */
  addChecked: WasmFunction;
  /** (reference, out): a copy with the flags applied. */
  copy: WasmFunction;
}

/**
 * Emits a group's functions. `inverse`: inverts in the base field; `fillPair`: address of two references to points
 * with different x.
 */
export function addCurveFunctions(
  builder: WasmModuleBuilder,
  constants: ConstantPool,
  shape: CurveShape,
  inverse: WasmFunction,
  fillPair: number,
): CurveFunctions {
  const { name } = shape;
  const outlined = shape.degree === 2 ? addOutlined(builder, constants) : null;
  const [fast, checked] = (["AddFast", "AddChecked", "Double"] as const).map((kind) =>
    builder.function(name + kind, Array<"i32">(kind === "AddFast" ? 6 : 4).fill("i32"), "i32", (f) =>
      emitAdd(f, constants, shape, outlined, inverse, fillPair, kind),
    ),
  );
  const copy = builder.function(`${name}Copy`, ["i32", "i32"], null, (f) => emitCopy(f, shape));
  return { addFast: fast!, addChecked: checked!, copy };
}

function addOutlined(builder: WasmModuleBuilder, constants: ConstantPool) {
  const base = addBaseProducts(builder, constants);
  return {
    products: addOutlinedProducts(builder, constants, base),
    norms: addOutlinedNorms(builder, constants, base),
  };
}

/** Reader of a pair's references, for both lanes. */
class PairReader {
  readonly #f: WasmFunction;
  readonly #kernel: CoordinateKernel;
  readonly #shape: CurveShape;
  readonly #references: readonly Local[];

  /** `pairs`: four references, (first, second) of the lower lane and of the upper one. */
  constructor(f: WasmFunction, kernel: CoordinateKernel, shape: CurveShape) {
    this.#f = f;
    this.#kernel = kernel;
    this.#shape = shape;
    this.#references = f.locals("i32", 4);
  }

  read(pairs: Code): void {
    for (const [i, local] of this.#references.entries()) this.#f.set(local, i32.load(pairs, 4 * i));
  }

  /** Reads a word of each cache line that the first and the last number of a coordinate are in; they come to `sum`. */
  touch(sum: Local): void {
    const { coordinateBytes, degree } = this.#shape;
    for (const reference of this.#references) {
      const point = this.#bind(i32.and(reference.get, i32.const(-4)));
      // In G1 y is in both lines of a point.
      const starts = degree === 1 ? [] : [this.#bind(this.#xOf(reference.get))];
      for (const start of [...starts, i32.add(point, i32.const(coordinateBytes))]) {
        for (const at of [0, coordinateBytes - 8]) this.#f.set(sum, i32.xor(sum.get, i32.load(start, at)));
      }
    }
  }

  #xOf(reference: Code): Code {
    const image = i32.and(reference, i32.const(referenceFlags.endomorphism));
    const { coordinateBytes } = this.#shape;
    return i32.add(i32.and(reference, i32.const(-4)), i32.mul(image, i32.const(coordinateBytes)));
  }

  #both(side: 0 | 1): [Code, Code] {
    return [this.#references[side]!.get, this.#references[2 + side]!.get];
  }

  x(side: 0 | 1): Coordinate {
    const [lower, upper] = this.#both(side).map((reference) => this.#bind(this.#xOf(reference)));
    return this.#kernel.gather(lower!, upper!);
  }

  y(side: 0 | 1): Coordinate {
    const { coordinateBytes } = this.#shape;
    const [lower, upper] = this.#both(side).map((reference) =>
      i32.add(i32.and(reference, i32.const(-4)), i32.const(coordinateBytes)),
    );
    const y = this.#kernel.gather(this.#bind(lower!), this.#bind(upper!));
    const [lowerSign, upperSign] = this.#both(side).map((reference) =>
      f64.fromI32(
        i32.sub(i32.const(1), i32.shl(i32.and(reference, i32.const(referenceFlags.negative)), i32.const(1))),
      ),
    );
    return this.#kernel.withSign(y, this.#kernel.base.bind(f64x2.pair(lowerSign!, upperSign!)));
  }

  #bind(code: Code): Code {
    const local = this.#f.local("i32");
    this.#f.set(local, code);
    return local.get;
  }
}

/** The pairs' points where the forward and backward loops read them, signs applied: x, x, y, y. */
class StagedPairs {
  readonly #kernel: CoordinateKernel;
  readonly #laneBytes: number;

  constructor(kernel: CoordinateKernel, shape: CurveShape) {
    this.#kernel = kernel;
    this.#laneBytes = 2 * shape.coordinateBytes;
  }

  storeX(step: Code, side: 0 | 1, x: Coordinate): void {
    this.#kernel.store(step, x, side * this.#laneBytes, storedMax);
  }

  storeY(step: Code, side: 0 | 1, y: Coordinate): void {
    this.#kernel.store(step, y, (2 + side) * this.#laneBytes, storedMax);
  }

  x(step: Code, side: 0 | 1): Coordinate {
    return this.#kernel.load(step, side * this.#laneBytes, storedMax);
  }

  yOffset(side: 0 | 1): number {
    return (2 + side) * this.#laneBytes;
  }

  y(step: Code, side: 0 | 1): Coordinate {
    return this.#kernel.load(step, (2 + side) * this.#laneBytes, storedMax);
  }
}

/** Emits one variant of the batched addition. */
function emitAdd(
  f: WasmFunction,
  constants: ConstantPool,
  shape: CurveShape,
  outlined: ReturnType<typeof addOutlined> | null,
  inverse: WasmFunction,
  fillPair: number,
  kind: "AddFast" | "AddChecked" | "Double",
): void {
  const [isChecked, isDouble] = [kind === "AddChecked", kind === "Double"];
  const [pairs, pairCount, steps, out] = f.params as [Local, Local, Local, Local];
  const base = new FieldKernel(f, baseField, constants);
  const kernel = new CoordinateKernel(base, shape.degree, outlined?.products);
  const norms = new Norms(kernel, outlined?.norms ?? null);
  const staged = new StagedPairs(kernel, shape);
  const step = f.local("i32");
  const pair = f.local("i32");
  const last = f.local("i32");
  const differenceAt = 8 * shape.coordinateBytes;
  const prefixAt = 10 * shape.coordinateBytes;
  const normAt = prefixAt + 2 * elementBytes; // in G2, where a prefix takes half of a coordinate
  const masksAt = 12 * shape.coordinateBytes;
  const move = (local: Local, by: number) => f.set(local, i32.add(local.get, i32.const(by)));

  // An odd number of pairs is filled up; the caller leaves room for the sum.
  f.if(i32.and(pairCount.get, i32.const(1)), () => {
    f.set(pair, i32.add(pairs.get, i32.shl(pairCount.get, i32.const(3))));
    for (const at of [0, 4]) f.emit(i32.store(pair.get, i32.load(i32.const(fillPair), at), at));
  });
  f.set(
    last,
    i32.add(pairs.get, i32.shl(i32.shrU(i32.add(pairCount.get, i32.const(1)), i32.const(1)), i32.const(4))),
  );

  // Forward: the points, differences of x, and in the next step the product of all norms so far. Points from all over the
  // memory are touched, those of many steps, before they are staged: that has their cache misses under way together.
  const slot = (address: Code, offset: number, valueMax: number): Slot => ({ address, offset, valueMax });
  const difference = slot(step.get, differenceAt, storedMax);
  const norm = norms.slot(step.get, normAt, difference);
  const prefix = slot(step.get, prefixAt, productMax);
  const leaveOut = kind === "AddFast" ? new LeavingOut(f, kernel, f.param(4)) : null;
  const reader = new PairReader(f, kernel, shape);
  const [touched, touchEnd, sum] = f.locals("i32", 3) as [Local, Local, Local];
  f.set(pair, pairs.get);
  f.set(step, steps.get);
  if (kind === "AddFast") f.set(touched, select(pairs.get, i32.const(0), f.param(5).get));
  norms.field.store(step.get, kernel.bindAll(norms.field.one()), prefixAt, productMax);
  f.while(i32.ltU(pair.get, last.get), () => {
    f.if(i32.eq(pair.get, touched.get), () => {
      const end = i32.add(pair.get, i32.const(16 * touchedSteps));
      f.set(touchEnd, select(end, last.get, i32.ltU(end, last.get)));
      f.while(i32.ltU(touched.get, touchEnd.get), () => {
        reader.read(touched.get);
        reader.touch(sum);
        move(touched, 16);
      });
      f.emit(i32.store(step.get, sum.get)); // so that the engine reads at all
    });
    movePins(base, step.get);
    reader.read(pair.get);
    for (const side of isDouble ? ([0] as const) : ([0, 1] as const)) {
      staged.storeX(step.get, side, reader.x(side));
      staged.storeY(step.get, side, reader.y(side));
    }
    const run = kernel.variable(storedMax);
    const twice = (y: Coordinate) => kernel.add(y, y);
    const difference12 = () => kernel.sub(staged.x(step.get, 1), staged.x(step.get, 0));
    kernel.assign(run, kernel.reduce(isDouble ? twice(staged.y(step.get, 0)) : difference12()));
    if (isChecked) emitSpecialCases(f, kernel, staged, run, step, masksAt);
    leaveOut?.emit(run, pair);
    kernel.store(step.get, run.value, differenceAt, storedMax);
    norms.store(norm, difference);
    norms.runningProduct(step.get, shape.stepBytes + prefixAt, prefix, norm);
    move(pair, 16);
    move(step, shape.stepBytes);
  });

  // The inverse of the whole product stays behind the last step. The product is zero where a factor is: for checked
  // pairs only at a point of order 2, which a damaged key may have, and whose proof does not verify.
  const leftAt = f.local("i32");
  f.set(leftAt, step.get);
  const left = slot(leftAt.get, 0, productMax);
  const whole = kernel.bindAll(kernel.reduce(norms.field.loadSlot(prefix)));
  if (!isChecked) f.if(v128.anyTrue(kernel.zeroMask(whole)), () => f.return(i32.const(0)));
  norms.field.store(leftAt.get, whole, 0, storedMax);
  f.emit(inverse.call(leftAt.get));

  // Backward: each norm's inverse is what is left of the whole times the product of those before.
  // Products that do not need each other take turns, so that a processor works on two at a time: while it squares a
  // slope, on the inverse of the step before.
  const before = f.local("i32");
  const invertBefore = (): Slot => {
    const address = before.get;
    f.set(before, i32.sub(step.get, i32.const(shape.stepBytes)));
    const normInverse = norms.field.mulSlots(address, prefixAt, left, { ...prefix, address });
    norms.runningProduct(leftAt.get, 0, left, { ...norm, address });
    return norms.inverse(address, prefixAt, { ...difference, address }, normInverse);
  };
  const inverted = { ...invertBefore(), address: step.get };
  const outEnd = f.local("i32");
  const outBytes = i32.mul(i32.shrU(i32.sub(last.get, pairs.get), i32.const(3)), i32.const(shape.pointBytes));
  f.set(outEnd, i32.add(out.get, outBytes));
  f.while(i32.ltU(pairs.get, pair.get), () => {
    move(pair, -16);
    move(step, -shape.stepBytes);
    move(outEnd, -2 * shape.pointBytes);
    movePins(base, step.get);
    const [x1, y1] = [staged.x(step.get, 0), staged.y(step.get, 0)];
    const x2 = isDouble ? x1 : staged.x(step.get, 1);
    const riseAt = staged.yOffset(1);
    const tripleSquare = () => {
      const square = kernel.reduce(kernel.square(x1));
      return kernel.reduce(kernel.add(kernel.add(square, square), square));
    };
    const risen = isDouble ? tripleSquare() : kernel.reduce(kernel.sub(staged.y(step.get, 1), y1));
    kernel.store(step.get, risen, riseAt, storedMax);
    const rise = slot(step.get, riseAt, storedMax);
    if (isChecked) {
      const doubled = v128.load(step.get, masksAt);
      f.if(v128.anyTrue(doubled), () => {
        kernel.store(
          step.get,
          kernel.select(tripleSquare(), kernel.loadSlot(rise), doubled),
          riseAt,
          storedMax,
        );
      });
      const cancelled = v128.load(step.get, masksAt + 16);
      for (const lane of [0, 1] as const) {
        f.if(f64.ne(f64x2.lane(lane, v128.and(cancelled, kernel.base.constant(1))), f64.const(0)), () => {
          for (const at of [0, 4]) f.emit(i32.store(pair.get, i32.const(0), 8 * lane + at));
        });
      }
    }
    let slope = kernel.mulSlots(step.get, differenceAt, rise, inverted);
    if (shape.degree === 2) {
      // G2's square adds the slope's parts: they must be small.
      kernel.store(step.get, kernel.reduce(kernel.loadSlot(slope)), differenceAt, storedMax);
      slope = slot(step.get, differenceAt, storedMax);
    }
    f.if(i32.ltU(pairs.get, pair.get), () => void invertBefore());
    const square = kernel.squareSlot(step.get, prefixAt, slope);
    const x3 = kernel.reduce(kernel.sub(kernel.sub(kernel.loadSlot(square), x1), x2));
    const upper = i32.add(outEnd.get, i32.const(shape.pointBytes));
    kernel.scatter(outEnd.get, upper, x3, 0);
    const [run] = kernel.park(step.get, kernel.normalize(kernel.sub(x1, x3)), prefixAt);
    const drop = kernel.mulSlots(step.get, riseAt, slope, slot(step.get, prefixAt, run!.valueMax));
    const y3 = kernel.reduce(kernel.sub(kernel.loadSlot(drop), y1));
    kernel.scatter(outEnd.get, upper, y3, shape.coordinateBytes);
  });
  f.emit(i32.add(leaveOut?.count ?? i32.const(0), i32.const(1)));
}

/** Lists pairs whose points have the same x, and replaces their difference by 1. */
class LeavingOut {
  readonly #f: WasmFunction;
  readonly #kernel: CoordinateKernel;
  readonly #list: Local;
  readonly #at: Local;
  readonly #end: Local;

  constructor(f: WasmFunction, kernel: CoordinateKernel, list: Local) {
    this.#f = f;
    this.#kernel = kernel;
    this.#list = list;
    [this.#at, this.#end] = f.locals("i32", 2) as [Local, Local];
    f.set(this.#at, list.get);
    f.set(this.#end, select(i32.add(list.get, i32.const(4 * maxLeftOut)), i32.const(0), list.get));
  }

  /** Code for the number of pairs in the list. */
  get count(): Code {
    return i32.shrU(i32.sub(this.#at.get, this.#list.get), i32.const(2));
  }

  emit(difference: ReturnType<CoordinateKernel["variable"]>, pair: Local): void {
    const f = this.#f;
    const kernel = this.#kernel;
    const at = this.#at;
    const isZero = f.local("v128");
    f.set(isZero, kernel.zeroMask(difference.value));
    f.if(v128.anyTrue(isZero.get), () => {
      for (const lane of [0, 1] as const) {
        f.if(f64.ne(f64x2.lane(lane, v128.and(isZero.get, kernel.base.constant(1))), f64.const(0)), () => {
          f.if(i32.eq(at.get, this.#end.get), () => f.return(i32.const(0)));
          f.emit(i32.store(at.get, i32.add(pair.get, i32.const(8 * lane))));
          f.set(at, i32.add(at.get, i32.const(4)));
        });
      }
      kernel.assign(difference, kernel.select(kernel.bindAll(kernel.one()), difference.value, isZero.get));
    });
  }
}

/** Equal points: the tangent's denominator. Opposite ones: 1, so that the product stays invertible. */
function emitSpecialCases(
  f: WasmFunction,
  kernel: CoordinateKernel,
  staged: StagedPairs,
  difference: ReturnType<CoordinateKernel["variable"]>,
  step: Local,
  masksAt: number,
): void {
  const [isSpecial, isDouble] = [f.local("v128"), f.local("v128")];
  f.set(isSpecial, kernel.zeroMask(difference.value));
  f.set(isDouble, v128.zero);
  f.if(v128.anyTrue(isSpecial.get), () => {
    const y1 = staged.y(step.get, 0);
    const rise = kernel.reduce(kernel.sub(staged.y(step.get, 1), y1));
    f.set(isDouble, v128.and(isSpecial.get, kernel.zeroMask(rise)));
    const doubled = kernel.reduce(kernel.add(y1, y1));
    const replaced = kernel.select(doubled, kernel.bindAll(kernel.one()), isDouble.get);
    kernel.assign(difference, kernel.select(replaced, difference.value, isSpecial.get));
  });
  f.emit(v128.store(step.get, isDouble.get, masksAt));
  f.emit(v128.store(step.get, v128.andNot(isSpecial.get, isDouble.get), masksAt + 16));
}

function emitCopy(f: WasmFunction, shape: CurveShape): void {
  const [reference, out] = f.params as [Local, Local];
  const { coordinateBytes } = shape;
  const source = f.local("i32");
  const sign = f.local("f64");
  f.set(source, i32.and(reference.get, i32.const(-4)));
  f.set(
    sign,
    f64.fromI32(i32.sub(i32.const(1), i32.shl(i32.and(reference.get, i32.const(1)), i32.const(1)))),
  );
  const xSource = f.local("i32");
  f.set(
    xSource,
    i32.add(source.get, i32.mul(i32.and(reference.get, i32.const(2)), i32.const(coordinateBytes))),
  );
  for (let at = 0; at < coordinateBytes; at += 8) {
    f.emit(f64.store(out.get, f64.load(xSource.get, at), at));
    f.emit(
      f64.store(out.get, f64.mul(f64.load(source.get, coordinateBytes + at), sign.get), coordinateBytes + at),
    );
  }
}
