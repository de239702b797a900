/** The circuits that a rollup with models has beside the batch's. */
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { settlingNames, sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type BuiltCircuit, buildCircuit } from "./circuits.ts";

/** In the order of their indices on L1, after the batch circuit; then those that settle models of `more` sizes. */
export async function buildModelCircuits(
  size: SettlementSize,
  more: readonly SettlementSize[] = [],
): Promise<BuiltCircuit[]> {
  const names = [...settlingNames(size), `payee-table-${size.payees}`, ...more.flatMap(settlingNames)];
  const circuits: BuiltCircuit[] = [];
  for (const name of names) circuits.push(await buildCircuit(circuitSpec(name), sizesOfName(name)));
  return circuits;
}
