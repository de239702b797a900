import { type CompiledCircuit, compileCircuit } from "../../circuits/compiler/compile.ts";
import { type BatchShape, shapeName } from "../../circuits/protocol.ts";
import { circuitSpec } from "../../circuits/registry/circuit-registry.ts";
import { batchSizes, type CircuitSizes } from "../../circuits/registry/circuit-sizes.ts";
import { developmentSetup } from "../../prover/keys/development-setup.ts";
import type { ProvingCircuit } from "../../prover/proving/prover.ts";

export interface DrillCircuit {
  readonly sizes: CircuitSizes;
  readonly compiled: CompiledCircuit;
  readonly proving: ProvingCircuit;
}

/**
 * The circuits that there are for drills, by their slots: the smallest one that does everything, 2^16 points and a second a
 * proof, and one of 2^18 points. Wide slots know all kinds. Traffic is held back while so many batches wait for proof and
 * L1: few, so that a drill ends soon after its last fault, or so many that whatever is killed dies at work.
 */
export const MAX_UNPOSTED_BATCHES: ReadonlyMap<number, number> = new Map([
  [2, 10],
  [8, 400],
]);
export const DRILL_SLOT_COUNTS = [...MAX_UNPOSTED_BATCHES.keys()];

/** Compiled and with development keys, from the cache where they were made before. */
export async function buildDrillCircuit(shape: BatchShape): Promise<DrillCircuit> {
  const compiled = await compileCircuit(circuitSpec(shapeName(shape)));
  const proving = await developmentSetup(compiled, {});
  return { sizes: batchSizes(shape), compiled, proving };
}
