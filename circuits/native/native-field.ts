/**
 * Poseidon and the equation of signatures in C++, in a third of the time of our WebAssembly. The addon exists
 * if the install had a compiler. Pages have none, so processes that gain from it enable it by
 * `useNativeField`.
 */
import { invertMod } from "@openledger/foundation/modular";
import { BASE8, CURVE_A, CURVE_D } from "../field/curve/eddsa.ts";
import type { HashRequest, NativeField } from "../field/poseidon.ts";
import { squareRoot } from "../field/square-root.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { makeTables } from "../wasm/poseidon-tables.ts";
import type { SignatureEquation } from "../wasm/signature-kernel.ts";
import { type FieldAddon, type LoadedCurve, type LoadedPoseidon, loadAddon } from "./native-addon.ts";

/**
 * Eight-lane implementations that this processor supports, the fastest first. Empty if the addon is not
 * built.
 */
export const nativeLanes = (): string[] => loadAddon()?.lanes() ?? [];

/** One for each kind of lanes: making Poseidon's tables takes half a second. */
const loaded = new Map<string | null, NativeField>();

/**
 * Loads the addon, once a process. Returns null if it is not built, for example without a compiler; WebAssembly runs instead.
 * @param lanes of `nativeLanes`, by default the fastest; null computes each hash and each signature alone
 */
export function loadNativeField(lanes: string | null = nativeLanes()[0] ?? null): NativeField | null {
  const addon = loadAddon();
  if (addon === null) return null;
  const field = loaded.get(lanes) ?? nativeField(addon, lanes);
  loaded.set(lanes, field);
  return field;
}

const WORDS_END = 1n << 256n;
/** Converts a value for C++, which takes a value above the order for its residue. */
const toElement = (value: bigint) =>
  value >= 0n && value < WORDS_END ? value : ((value % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;

function nativeField(addon: FieldAddon, lanes: string | null): NativeField {
  const widths: (LoadedPoseidon | undefined)[] = [];
  const poseidonOf = (width: number): LoadedPoseidon => {
    if (width < 2 || width > 17) throw new RangeError(`Poseidon takes 1 to 16 inputs, not ${width - 1}`);
    widths[width] ??= addon.loadPoseidon(width, makeTables(width).elements, lanes);
    return widths[width];
  };
  let curve: LoadedCurve | undefined;
  const loadCurve = () => {
    const inverse = invertMod(CURVE_A, FIELD_ORDER);
    // −a and −1 have roots: a is a square, and r is 1 modulo 4.
    const scale = squareRoot(FIELD_ORDER - CURVE_A)!;
    const d = ((FIELD_ORDER - CURVE_D) * inverse) % FIELD_ORDER;
    return addon.loadCurve([scale, d, BASE8.x, BASE8.y], lanes);
  };
  return {
    lanes,
    keccak256: (bytes) => addon.keccak(bytes, new Uint8Array(32)),
    hash: (tag, inputs) =>
      addon.hash(poseidonOf(inputs.length + 1), [toElement(tag), ...inputs.map(toElement)])[0]!,
    hashAll(requests: readonly HashRequest[]): bigint[] {
      if (requests.length === 0) return [];
      const width = requests[0]![1].length + 1;
      const integers: bigint[] = [];
      for (const [tag, inputs] of requests) {
        integers.push(toElement(tag));
        for (const input of inputs) integers.push(toElement(input));
      }
      return addon.hash(poseidonOf(width), integers);
    },
    holdAll(equations: readonly SignatureEquation[]): boolean[] {
      curve ??= loadCurve();
      const integers = equations.flatMap(({ key, r8, factor, s }) => [key.x, key.y, r8.x, r8.y, factor, s]);
      return addon.holds(curve, integers);
    },
  };
}
