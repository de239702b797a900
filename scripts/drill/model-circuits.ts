/** The circuits that a rollup with models has beside the batch's, and proofs of earner tables. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { genesisOf } from "@openledger/circuits/settlement/earner-table-rules";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import {
  CIRCUIT_SORT,
  encodeSettlement,
  settlementStatement,
} from "@openledger/circuits/settlement/settlement-data";
import { type SettlementSize, settlementCircuitName } from "@openledger/circuits/settlement/settlement-size";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { Prover } from "@openledger/prover/proving/prover";
import type { DrillCircuit } from "./drill-circuit.ts";
import type { DrillWorld } from "./drill-world.ts";

/** Places on L1, behind the batch circuit. */
export const SETTLEMENT_INDEX = 1;
export const TABLE_INDEX = 2;

/** In the order of the indices above; then those that settle models of `more` sizes. */
export async function buildModelCircuits(
  size: SettlementSize,
  more: readonly SettlementSize[] = [],
): Promise<DrillCircuit[]> {
  const settling = (of: SettlementSize) => ({
    name: settlementCircuitName(of),
    sizes: { sort: CIRCUIT_SORT.settlement, size0: of.payments, size1: of.earners },
  });
  const wanted = [
    settling(size),
    {
      name: `earner-table-${size.earners}`,
      sizes: { sort: CIRCUIT_SORT.earnerTable, size0: 0, size1: size.earners },
    },
    ...more.map(settling),
  ];
  const circuits: DrillCircuit[] = [];
  for (const { name, sizes } of wanted) {
    const compiled = await compileCircuit(circuitSpec(name));
    circuits.push({ sizes, compiled, proving: await developmentSetup(compiled, {}) });
  }
  return circuits;
}

export async function proveTable(
  { l1 }: DrillWorld,
  prepared: Pick<PreparedSettlement, "data" | "inputs" | "privateElements" | "earnerCount">,
  { prover, table }: { readonly prover: Prover; readonly table: DrillCircuit },
) {
  const { data, inputs, privateElements, earnerCount } = prepared;
  const { circuitId } = l1.deployment.circuits[TABLE_INDEX]!;
  const statement = settlementStatement(data, earnerCount, privateElements, circuitId);
  const job = { circuit: table.proving, inputs: { ...inputs, z: statement.z } };
  const { proof } = await prover.prove(job);
  return { proof, statement };
}

/**
 * A model's genesis, proven and not signed. @param size of the circuit that its epochs are settled by, whose place on L1 is
 * `settlingIndex`
 */
export async function proveGenesis(
  world: DrillWorld,
  model: Parameters<typeof genesisOf>[0],
  size: Pick<SettlementSize, "payments" | "earners">,
  {
    prover,
    settlingIndex = SETTLEMENT_INDEX,
    table,
  }: { readonly prover: Prover; readonly table: DrillCircuit; readonly settlingIndex?: number },
) {
  const cap = { circuit: settlingIndex, payments: size.payments };
  const { data, ...genesis } = genesisOf(model, cap, size.earners);
  const { proof, statement } = await proveTable(world, { ...genesis, data }, { prover, table });
  return {
    kind: "genesis" as const,
    ...{ modelId: model.modelId, circuit: table.compiled.name, proof },
    settlementHash: data.settlementHash,
    data: encodeSettlement(data),
    publicSignals: [statement.commitment, statement.y, statement.z] as const,
  };
}
