/**
 * Loads the C++ addon that computes witnesses: the values of a circuit's wires, from which a proof is made. It runs the steps of
 * one part of a composed circuit (circuits/compiler/row-steps.ts) for many copies of the part at once. Threads of
 * proving/witness-tasks.ts call it.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadNativePart, type NativePart } from "@openledger/foundation/native-part";

/** A part's steps in the addon's memory. */
export type LoadedSteps = { readonly loadedSteps: unique symbol };

interface StepRunner extends NativePart {
  /** @throws Error if the bytes are no steps */
  load(bytes: Uint8Array): LoadedSteps;
  /**
   * Fills `ports` and `own`, copy after copy, 32 little-endian bytes a value. `inputs` has each copy's inputs in the
   * order of the part's wires. Returns -1, or the index of a row that some copy breaks; nothing is filled then.
   * @throws Error if sizes do not fit, or an input is not below the field's order
   * @param isScalar for tests: copy by copy, although the processor takes eight at once
   */
  run(steps: LoadedSteps, inputs: Uint8Array, ports: Uint8Array, own: Uint8Array, isScalar?: boolean): number;
}

const addonPath = fileURLToPath(new URL("../native/steps/build/row-steps.node", import.meta.url));

/**
 * Loads the addon. Returns null if it was not built, for example without a compiler: then circom's programs
 * make all witnesses.
 * @throws RollupError SRV_NATIVE_STALE if it is out of date
 */
export function loadStepRunner(): StepRunner | null {
  if (!existsSync(addonPath)) return null;
  return loadNativePart<StepRunner>(addonPath);
}
