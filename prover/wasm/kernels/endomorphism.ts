/** Kernel that splits scalars by the curve's endomorphism (formats/endomorphism.ts) into digits, for multi-scalar.ts. */
import { bindI64 } from "@openledger/circuits/wasm/integer-limbs";
import {
  type Code,
  i32,
  i64,
  type Local,
  type WasmModuleBuilder,
} from "@openledger/foundation/wasm/assembler";
import { splitConstants } from "../../formats/endomorphism.ts";

/** Bits of the kernel's words: products of two fit 64. */
const wordBits = 32n;
const wordMask = (1n << wordBits) - 1n;

function words(value: bigint): bigint[] {
  const result: bigint[] = [];
  for (let rest = value; rest > 0n; rest >>= wordBits) result.push(rest & wordMask);
  return result;
}

/** Words of the halves: enough for their size and a sign. */
const halfWords = 5;

/**
 * Exports `splitDigits(scalars, count, windowBits, windowCount, digits, windowStride, halfStride)`:
 * splits integers of 32 bytes and writes each half's signed digits, two bytes each and between
 * -2^(windowBits - 1) and 2^(windowBits - 1), lowest window first. Scalars may reach twice the order.
 */
export function addSplitDigits(builder: WasmModuleBuilder): void {
  builder.function("splitDigits", ["i32", "i32", "i32", "i32", "i32", "i32", "i32"], null, (f) => {
    const [scalars, count, windowBits, windowCount, digits, windowStride, halfStride] = f.params as Local[];
    const mask = i64.const(wordMask);
    /** a times a positive constant plus start, modulo 2^(32 * wordCount). */
    const mulAdd = (
      a: readonly Local[],
      factor: bigint,
      start: readonly Code[],
      wordCount: number,
    ): Local[] => {
      const sum = Array.from({ length: wordCount }, (_, i) => bindI64(f, start[i] ?? i64.const(0n)));
      const factorWords = words(factor);
      for (const [i, word] of a.entries()) {
        const carry = bindI64(f, i64.const(0n));
        for (let j = 0; i + j < wordCount && j <= factorWords.length; j++) {
          const target = sum[i + j]!;
          const product =
            j < factorWords.length ? i64.mul(word.get, i64.const(factorWords[j]!)) : i64.const(0n);
          const total = bindI64(f, i64.add(i64.add(product, target.get), carry.get));
          f.set(target, i64.and(total.get, mask));
          f.set(carry, i64.shrU(total.get, i64.const(wordBits)));
        }
        // Further carries: starts are at most one in the top bit, products leave room above themselves.
        for (let k = i + factorWords.length + 1; k < wordCount; k++) {
          const total = bindI64(f, i64.add(sum[k]!.get, carry.get));
          f.set(sum[k]!, i64.and(total.get, mask));
          f.set(carry, i64.shrU(total.get, i64.const(wordBits)));
        }
      }
      return sum;
    };
    const negate = (a: readonly Local[]): Code[] => {
      const carry = bindI64(f, i64.const(1n));
      return a.map((word) => {
        const total = bindI64(f, i64.add(i64.xor(word.get, mask), carry.get));
        f.set(carry, i64.shrU(total.get, i64.const(wordBits)));
        return i64.and(total.get, mask);
      });
    };
    /** start - a * factor for a factor of either sign, modulo 2^160. */
    const subtract = (start: readonly Local[], a: readonly Local[], factor: bigint): Local[] => {
      if (factor < 0n)
        return mulAdd(
          a,
          -factor,
          start.map((word) => word.get),
          halfWords,
        );
      const negated = negate(start);
      const sum = mulAdd(a, factor, negated, halfWords);
      return negate(sum).map((code) => bindI64(f, code));
    };

    f.while(count!.get, () => {
      const k = Array.from({ length: 8 }, (_, i) => bindI64(f, i64.load32u(scalars!.get, 4 * i)));
      const rounding = Array.from({ length: 8 }, (_, i) => i64.const(i === 7 ? 1n << 31n : 0n));
      const { a1, b1, a2, b2, g1, g2 } = splitConstants;
      const quotient = (g: bigint) =>
        mulAdd(k, g < 0n ? -g : g, rounding, 8 + words(g < 0n ? -g : g).length).slice(8);
      const [c1, c2] = [quotient(g1), quotient(g2)];
      const signed = (g: bigint, factor: bigint) => (g < 0n ? -factor : factor);
      const zero = Array.from({ length: halfWords }, () => bindI64(f, i64.const(0n)));
      const k1 = subtract(subtract(k.slice(0, halfWords), c1, signed(g1, a1)), c2, signed(g2, a2));
      const k2 = subtract(subtract(zero, c1, signed(g1, b1)), c2, signed(g2, b2));
      for (const [index, value] of [k1, k2].entries()) {
        const [low, high, carry, raw] = f.locals("i64", 4) as [Local, Local, Local, Local];
        const [isNegative, at, left] = f.locals("i32", 3) as [Local, Local, Local];
        f.set(isNegative, i32.wrap(i64.shrU(value[halfWords - 1]!.get, i64.const(31n))));
        f.if(isNegative.get, () => {
          for (const [i, code] of negate(value).entries()) f.set(value[i]!, code);
        });
        f.set(low, i64.or(value[0]!.get, i64.shl(value[1]!.get, i64.const(32n))));
        f.set(high, i64.or(value[2]!.get, i64.shl(value[3]!.get, i64.const(32n))));
        f.set(carry, i64.const(0n));
        f.set(left, windowCount!.get);
        f.set(at, index === 0 ? digits!.get : i32.add(digits!.get, halfStride!.get));
        const bits = bindI64(f, i64.extendI32U(windowBits!.get));
        const size = bindI64(f, i64.shl(i64.const(1n), bits.get));
        // Digits of a negative half are negated: -2^(c - 1) must not be among them.
        const limit = bindI64(f, i64.add(i64.shrU(size.get, i64.const(1n)), i64.extendI32U(isNegative.get)));
        f.while(left.get, () => {
          f.set(raw, i64.add(i64.and(low.get, i64.sub(size.get, i64.const(1n))), carry.get));
          f.set(
            low,
            i64.or(i64.shrU(low.get, bits.get), i64.shl(high.get, i64.sub(i64.const(64n), bits.get))),
          );
          f.set(high, i64.shrU(high.get, bits.get));
          f.set(carry, i64.extendI32U(i64.geU(raw.get, limit.get)));
          f.set(raw, i64.sub(raw.get, i64.mul(carry.get, size.get)));
          f.if(isNegative.get, () => f.set(raw, i64.sub(i64.const(0n), raw.get)));
          f.emit(i32.store16(at.get, i32.wrap(raw.get)));
          f.set(at, i32.add(at.get, windowStride!.get));
          f.set(left, i32.sub(left.get, i32.const(1)));
        });
      }
      f.set(scalars!, i32.add(scalars!.get, i32.const(32)));
      f.set(digits!, i32.add(digits!.get, i32.const(2)));
      f.set(count!, i32.sub(count!.get, i32.const(1)));
    });
  });
}
