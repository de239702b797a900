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
 * The smallest circuit that does everything: 2^16 points, so that a proof of the real prover takes about a second.
 * Wide slots know all kinds, transfers among them.
 */
export const DRILL_SHAPE: BatchShape = { narrow: 0, wide: 2 };

/** Compiled and with development keys, from the cache where they were made before. */
export async function buildDrillCircuit(shape: BatchShape = DRILL_SHAPE): Promise<DrillCircuit> {
  const compiled = await compileCircuit(circuitSpec(shapeName(shape)));
  const proving = await developmentSetup(compiled, {});
  return { sizes: batchSizes(shape), compiled, proving };
}
