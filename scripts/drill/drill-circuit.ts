import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { batchSizes, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { postedShape, type TableShape } from "@openledger/circuits/table/table-shape";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";

export interface DrillCircuit {
  readonly sizes: CircuitSizes;
  readonly compiled: CompiledCircuit;
  readonly proving: ProvingCircuit;
}

export interface DrillSize {
  readonly shape: BatchShape;
  /** Traffic is held back while so many batches wait for proof and L1. */
  readonly maxUnpostedBatches: number;
}

/**
 * The circuits that there are for drills, by the transfers and deposits that fill a batch: the smallest table that does
 * everything, 2^16 points and a second a proof, and one of 2^17 points. Few batches wait, so that a drill ends soon after its
 * last fault, or so many that whatever is killed dies at work. Drills have no use for the second section's slot.
 */
export const DRILL_SIZES: ReadonlyMap<number, DrillSize> = new Map([
  [2, { shape: drillShape({ transfers: 1, wide: 1, rows: 2 }), maxUnpostedBatches: 10 }],
  [8, { shape: drillShape({ transfers: 5, wide: 3, rows: 6 }), maxUnpostedBatches: 400 }],
]);
export const DRILL_SLOT_COUNTS = [...DRILL_SIZES.keys()];

/** For drills whose operations nearly all need wide slots. */
export const WIDE_DRILL_SHAPE: BatchShape = DRILL_SIZES.get(8)!.shape;

function drillShape(sizes: Pick<TableShape, "transfers" | "wide" | "rows">): BatchShape {
  return postedShape({ ...sizes, members: 1, units: 1, low: 1, top: 1 });
}

/** Compiled and with development keys, from the cache where they were made before. */
export async function buildDrillCircuit(shape: BatchShape): Promise<DrillCircuit> {
  const compiled = await compileCircuit(circuitSpec(shapeName(shape)));
  const proving = await developmentSetup(compiled, {});
  return { sizes: batchSizes(shape), compiled, proving };
}
