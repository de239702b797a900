/**
 * Kernels that sort references to points by the digits of their scalars, and pair up lists of references: the
 * bookkeeping of multi-scalar.ts and bucket-sums.ts, in WebAssembly for speed.
 */
import {
  type Code,
  i32,
  i64,
  type Local,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { type CurveShape, referenceFlags } from "./curve-kernel.ts";

/** Emits the functions by which WindowSummer sorts references by digit; a negative digit takes the negated point. */
export function addDigitSort(builder: WasmModuleBuilder): void {
  const emitLoop = (
    f: WasmFunction,
    [indices, count, digits, next]: readonly Local[],
    body: (slot: Code, isNegative: Code, isZero: Code) => void,
  ) => {
    const [digit, sign] = f.locals("i32", 2) as [Local, Local];
    f.while(count!.get, () => {
      f.set(digit, i32.load16s(i32.add(digits!.get, i32.shl(i32.load(indices!.get), i32.const(1)))));
      f.set(sign, i32.shrS(digit.get, i32.const(31)));
      f.set(digit, i32.sub(i32.xor(digit.get, sign.get), sign.get));
      const slot = i32.add(next!.get, i32.shl(digit.get, i32.const(2)));
      body(slot, i32.and(sign.get, i32.const(referenceFlags.negative)), i32.eqz(digit.get));
      f.set(indices!, i32.add(indices!.get, i32.const(4)));
      f.set(count!, i32.sub(count!.get, i32.const(1)));
    });
  };
  // (indices, count, digits, next): adds the number of each absolute value to next
  builder.function("countDigits", ["i32", "i32", "i32", "i32"], null, (f) => {
    emitLoop(f, f.params, (slot) => f.emit(i32.store(slot, i32.add(i32.load(slot), i32.const(1)))));
  });
  // (indices, count, digits, next, references, point, pointBytes): next says where each value's list goes on
  builder.function("placeDigits", ["i32", "i32", "i32", "i32", "i32", "i32", "i32"], null, (f) => {
    const [references, point, pointBytes] = f.params.slice(4) as [Local, Local, Local];
    const position = f.local("i32");
    emitLoop(f, f.params, (slot, isNegative, isZero) => {
      f.if(i32.eqz(isZero), () => {
        f.set(position, i32.load(slot));
        f.emit(i32.store(slot, i32.add(position.get, i32.const(1))));
        const target = i32.add(references.get, i32.shl(position.get, i32.const(2)));
        f.emit(i32.store(target, i32.or(point.get, isNegative)));
      });
      f.set(point, i32.add(point.get, pointBytes.get));
    });
  });
}

/**
 * Emits the functions by which ListSummer pairs lists of references that lie one after another; their lengths are in a
 * table.
 */
export function addListPairs(builder: WasmModuleBuilder): void {
  // (lengths, count, from, list, pairs, sum, pointBytes): writes each list's pairs of neighbours, and to `list`, which may
  // be `from`, where their sums will be and what is left over. Returns where the pairs end.
  builder.function("pairLists", ["i32", "i32", "i32", "i32", "i32", "i32", "i32"], "i32", (f) => {
    const [lengths, count, from, list, pairs, sum, pointBytes] = f.params;
    const [length, left] = f.locals("i32", 2) as [Local, Local];
    const move = (local: Local, by: Code) => f.set(local, i32.add(local.get, by));
    f.while(count!.get, () => {
      f.set(length, i32.load(lengths!.get));
      f.set(left, i32.shrU(length.get, i32.const(1)));
      f.emit(i32.store(lengths!.get, i32.sub(length.get, left.get)));
      f.while(left.get, () => {
        f.emit(i64.store(pairs!.get, i64.load(from!.get)));
        f.emit(i32.store(list!.get, sum!.get));
        for (const local of [pairs!, from!]) move(local, i32.const(8));
        move(list!, i32.const(4));
        move(sum!, pointBytes!.get);
        move(left, i32.const(-1));
      });
      f.if(i32.and(length.get, i32.const(1)), () => {
        f.emit(i32.store(list!.get, i32.load(from!.get)));
        for (const local of [list!, from!]) move(local, i32.const(4));
      });
      move(lengths!, i32.const(4));
      move(count!, i32.const(-1));
    });
    f.emit(pairs!.get);
  });
}

/**
 * Emits `CopyLists` (lengths, count, list, out, sums): copies the one point that is left of a list to its place, and
 * notes its address; 0 for none.
 */
export function addListCopy(builder: WasmModuleBuilder, shape: CurveShape, copy: WasmFunction): void {
  builder.function(`${shape.name}CopyLists`, ["i32", "i32", "i32", "i32", "i32"], null, (f) => {
    const [lengths, count, list, out, sums] = f.params;
    const move = (local: Local, by: number) => f.set(local, i32.add(local.get, i32.const(by)));
    f.while(count!.get, () => {
      f.emit(i32.store(sums!.get, i32.const(0)));
      f.if(i32.load(lengths!.get), () => {
        f.emit(copy.call(i32.load(list!.get), out!.get));
        f.emit(i32.store(sums!.get, out!.get));
        move(list!, 4);
      });
      for (const local of [lengths!, sums!]) move(local, 4);
      move(out!, shape.pointBytes);
      move(count!, -1);
    });
  });
}
