/** The circuits that a rollup with models has beside the batch's, and proofs of payee tables. */
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { settlingNames, sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import { activationOf } from "@openledger/circuits/settlement/payee-table-rules";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { encodeSettlement, proofStatement } from "@openledger/circuits/settlement/settlement-data";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import type { Prover } from "@openledger/prover/proving/prover";
import { type BuiltCircuit, buildCircuit } from "./circuits.ts";
import type { World } from "./world.ts";

/** Places on L1, behind the batch circuit. */
const SETTLEMENT_INDEX = 1;
export const TABLE_INDEX = 2;

/** In the order of the indices above; then those that settle models of `more` sizes. */
export async function buildModelCircuits(
  size: SettlementSize,
  more: readonly SettlementSize[] = [],
): Promise<BuiltCircuit[]> {
  const names = [...settlingNames(size), `payee-table-${size.payees}`, ...more.flatMap(settlingNames)];
  const circuits: BuiltCircuit[] = [];
  for (const name of names) circuits.push(await buildCircuit(circuitSpec(name), sizesOfName(name)));
  return circuits;
}

export async function proveTable(
  { l1 }: World,
  prepared: Pick<PreparedSettlement, "proofs">,
  { prover, table }: { readonly prover: Prover; readonly table: BuiltCircuit },
) {
  const [entry] = prepared.proofs;
  const { circuitId } = l1.deployment.circuits[TABLE_INDEX]!;
  const statement = proofStatement(entry!, circuitId);
  const job = { circuit: table.proving, inputs: { ...entry!.inputs, z: statement.z } };
  const { proof } = await prover.prove(job);
  return { proof, statement };
}

/**
 * A model's activation, proven and not signed. @param size of the circuit that its epochs are settled by, whose place on L1 is
 * `settlingIndex`
 */
export async function proveActivation(
  world: World,
  model: Parameters<typeof activationOf>[0],
  size: Pick<SettlementSize, "payments" | "payees">,
  {
    prover,
    settlingIndex = SETTLEMENT_INDEX,
    table,
  }: { readonly prover: Prover; readonly table: BuiltCircuit; readonly settlingIndex?: number },
) {
  const cap = { circuit: settlingIndex, payments: size.payments };
  const activation = activationOf(model, cap, size.payees);
  const { data } = activation;
  const { proof, statement } = await proveTable(world, activation, { prover, table });
  return {
    kind: "activation" as const,
    ...{ modelId: model.modelId, circuit: table.compiled.name, proof },
    settlementHash: data.settlementHash,
    data: encodeSettlement(data),
    publicSignals: [statement.commitment, statement.y, statement.z] as const,
  };
}
