/**
 * Typed interface and loader of the C++ addon for field arithmetic, which prover/native/build.js makes of src/.
 * native-field.ts uses it.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadNativePart, type NativePart } from "@openledger/foundation/native-part";

export type LoadedPoseidon = { readonly loadedPoseidon: unique symbol };
export type LoadedCurve = { readonly loadedCurve: unique symbol };

/** The addon's functions. Integers are 256 bits, one after the other. */
export interface FieldAddon extends NativePart {
  /** Names of the eight-lane implementations that this processor supports, the fastest first. */
  lanes(): string[];
  loadPoseidon(width: number, numbers: readonly bigint[], lanes: string | null): LoadedPoseidon;
  hash(poseidon: LoadedPoseidon, integers: readonly bigint[]): bigint[];
  /** @param numbers from BabyJubJub's x to that of −x² + y² = 1 + d·x²·y², d, and the base point */
  loadCurve(numbers: readonly bigint[], lanes: string | null): LoadedCurve;
  holds(curve: LoadedCurve, integers: readonly bigint[]): boolean[];
  keccak(bytes: Uint8Array, out: Uint8Array): Uint8Array;
}

const addonPath = fileURLToPath(new URL("./build/field-addon.node", import.meta.url));

/**
 * Loads the addon. Returns null if it was not built, for example without a compiler at the install.
 * @throws RollupError SRV_NATIVE_STALE if it is out of date
 */
export function loadAddon(path = addonPath): FieldAddon | null {
  return existsSync(path) ? loadNativePart<FieldAddon>(path) : null;
}
