import { circuitSpec } from "../../circuits/circuit-registry.ts";
import { batchSizes, type CircuitSizes } from "../../circuits/circuit-sizes.ts";
import { type CompiledCircuit, compileCircuit } from "../../circuits/compile.ts";
import { type BatchShape, shapeName } from "../../circuits/protocol.ts";
import { developmentSetup } from "../../prover/development-setup.ts";
import type { ProvingCircuit } from "../../prover/prover.ts";

export interface DrillCircuit {
  readonly sizes: CircuitSizes;
  readonly compiled: CompiledCircuit;
  readonly proving: ProvingCircuit;
}

/**
 * Slots of the circuits that there are for drills: the smallest one that does everything, 2^16 points and a second a proof,
 * and one of 2^18 points that keeps up with the traffic while processes are killed. Wide slots know all kinds.
 */
export const DRILL_SLOT_COUNTS = [2, 8];

/** Compiled and with development keys, from the cache where they were made before. */
export async function buildDrillCircuit(shape: BatchShape): Promise<DrillCircuit> {
  const compiled = await compileCircuit(circuitSpec(shapeName(shape)));
  const proving = await developmentSetup(compiled, {});
  return { sizes: batchSizes(shape), compiled, proving };
}
