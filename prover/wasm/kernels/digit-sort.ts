import {
  type Code,
  i32,
  type Local,
  type WasmFunction,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { referenceFlags } from "./curve-kernel.ts";

/** What WindowSummer calls to sort references by digit; a negative digit takes the negated point. */
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
