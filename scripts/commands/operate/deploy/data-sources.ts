/**
 * Lines of `openledger deploy` about where a rollup's circuits let batches post their data, calldata or blobs, and what is lost
 * where there is only one of both.
 */
import { type BatchShape, dataSourceOf } from "@openledger/circuits/protocol";
import { batchShape, type CircuitSizes, dataTwins } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { cheaperSource, type DataPrices } from "@openledger/contracts/l1/data-cost";

/** Blob gas at its floor, a sixteenth of gas (EIP-7918). */
const FLOOR_PRICES: DataPrices = { gasPriceWei: 16n, blobGasPriceWei: 1n };

interface DataSources {
  readonly text: string;
  /** Loss without the first circuit's twin; null with it. */
  readonly loss: string | null;
}

/** Describes the places for a deployer. null where the first circuit proves no batches. */
export function dataSourcesOf(circuits: readonly CircuitSizes[]): DataSources | null {
  const [first] = circuits;
  if (first === undefined || first.sort !== CIRCUIT_SORT.batch) return null;
  const { blob, calldata } = dataTwins(circuits);
  if (blob !== null && calldata !== null)
    return { text: "calldata or a blob, for each batch by L1's prices", loss: null };
  const shape = batchShape(first);
  const source = dataSourceOf(shape);
  const other = source === "blob" ? "calldata" : "a blob";
  const isCheaper = cheaperSource(fullCounts(shape), FLOOR_PRICES, null) !== source;
  const cost = isCheaper ? `full ones are cheaper in ${other}` : `${other} stays closed to them at any price`;
  return {
    text: source === "blob" ? "blobs alone" : "calldata alone",
    loss: `all batches have their data in ${source === "blob" ? "blobs" : "calldata"} for good: ${cost}`,
  };
}

const fullCounts = ({ narrow, table }: BatchShape) => ({
  transfers: narrow - table.members,
  payments: table.members,
});
