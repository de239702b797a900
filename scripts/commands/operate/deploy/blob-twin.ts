/**
 * Warning of `openledger deploy`: tells whether a rollup's batches would be cheaper in blobs while no circuit of it takes them
 * there.
 */
import { type BatchShape, placeOf } from "@openledger/circuits/protocol";
import { batchShape, type CircuitSizes, dataTwins } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { cheaperPlace, type DataPrices } from "@openledger/contracts/l1/data-cost";

/** Blob gas at its floor, a sixteenth of gas (EIP-7918). */
const FLOOR_PRICES: DataPrices = { gasPriceWei: 16n, blobGasPriceWei: 1n };

/** True if full batches of the first circuit cost less in blobs at the floor's prices, and its blob twin is missing. */
export function lacksBlobTwin(circuits: readonly CircuitSizes[]): boolean {
  const [first] = circuits;
  if (first === undefined || first.sort !== CIRCUIT_SORT.batch) return false;
  const shape = batchShape(first);
  if (placeOf(shape) === "blob" || dataTwins(circuits).blob !== null) return false;
  return cheaperPlace(fullCounts(shape), FLOOR_PRICES, null) === "blob";
}

const fullCounts = ({ narrow, table }: BatchShape) => ({
  transfers: narrow - table.members,
  payments: table.members,
});
