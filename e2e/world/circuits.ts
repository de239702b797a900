/** Circuits of worlds, compiled and with development keys: from the cache if they were made before. */

import type { CircuitSpec } from "@openledger/circuits/compiler/compile";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { batchSizes, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { postedShape, type TableShape } from "@openledger/circuits/table/table-shape";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";

export interface BuiltCircuit {
  readonly sizes: CircuitSizes;
  readonly compiled: CompiledCircuit;
  readonly proving: ProvingCircuit;
}

interface WorldSize {
  readonly shape: BatchShape;
  /** Maximum batches that wait for proof and L1: beyond it traffic pauses. */
  readonly maxUnpostedBatches: number;
}

/**
 * World sizes by the transfers and deposits that fill a batch: the smallest table that does everything, 2^16 points and
 * a second a proof, and one of 2^17 points. Either few batches wait, so that a scenario ends soon after its last fault,
 * or so many that a killed process dies at work. Worlds have no use for the second section's slot.
 */
export const WORLD_SIZES: ReadonlyMap<number, WorldSize> = new Map([
  [2, { shape: worldShape({ transfers: 1, wide: 1, rows: 2 }), maxUnpostedBatches: 10 }],
  [8, { shape: worldShape({ transfers: 5, wide: 3, rows: 6 }), maxUnpostedBatches: 400 }],
]);
export const SLOT_COUNTS = [...WORLD_SIZES.keys()];

function worldShape(sizes: Pick<TableShape, "transfers" | "wide" | "rows">): BatchShape {
  return postedShape({ ...sizes, members: 1, units: 1, low: 1, top: 1 });
}

export async function buildCircuit(spec: CircuitSpec, sizes: CircuitSizes): Promise<BuiltCircuit> {
  const compiled = await compileCircuit(spec);
  return { sizes, compiled, proving: await developmentSetup(compiled, {}) };
}

export const buildBatchCircuit = (shape: BatchShape): Promise<BuiltCircuit> =>
  buildCircuit(circuitSpec(shapeName(shape)), batchSizes(shape));
