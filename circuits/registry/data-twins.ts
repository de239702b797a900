/** The circuits that a ledger's own batches are proven by: the rollup's first, and its twin with the slots in the other place. */
import { type BatchShape, type DataPlace, placeOf, shapeName } from "../protocol.ts";
import { CIRCUIT_SORT } from "../settlement/settlement-data.ts";
import { tableIn } from "../table/table-shape.ts";
import { batchShape, type CircuitSizes } from "./circuit-sizes.ts";

/** One of them at least. */
export type DataTwins<Circuit> = Readonly<Record<DataPlace, Circuit | null>>;

const nameIn = (shape: BatchShape, place: DataPlace): string =>
  shapeName({ ...shape, table: tableIn(shape.table, place) });

/** @throws CIR_CIRCUIT_UNKNOWN where the first circuit proves no batches */
export function dataTwins<Circuit extends CircuitSizes>(circuits: readonly Circuit[]): DataTwins<Circuit> {
  const first = circuits[0]!;
  const shape = batchShape(first);
  const own = placeOf(shape);
  const other = own === "blob" ? "calldata" : "blob";
  const wanted = nameIn(shape, other);
  const twin = circuits.find(
    (circuit) => circuit.sort === CIRCUIT_SORT.batch && shapeName(batchShape(circuit)) === wanted,
  );
  return own === "blob" ? { blob: first, calldata: twin ?? null } : { blob: twin ?? null, calldata: first };
}

/**
 * What own batches are opened with. Where they are closed is found at their end: so where there are twins, what has no place
 * in a blob goes into a wide slot whatever is chosen, and a batch that is closed anew elsewhere has each operation in its slot.
 * @throws CIR_CIRCUIT_UNKNOWN
 */
export function openingShape(circuits: readonly CircuitSizes[]): BatchShape {
  const { blob, calldata } = dataTwins(circuits);
  return batchShape((blob ?? calldata)!);
}
