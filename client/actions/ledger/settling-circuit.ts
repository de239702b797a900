/**
 * Settlement circuits of the rollup that fit a model, found by the sizes in their names. Creating and approving a model require
 * one; `models show` and `verify model` list them.
 */
import { settlingCircuits as choicesOf, misfitOfNamed } from "@openledger/circuits/registry/circuit-sizes";
import { type Misfit, type ModelShape, misfitOf } from "@openledger/circuits/settlement/settlement-size";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { getInfo } from "../../sequencer/ledger-reads.ts";
import type { SequencerInfo } from "../../sequencer/sequencer-schemas.ts";

/**
 * Names of the rollup's circuits that settle a model of this shape: the circuit of the draws, and the circuits of shards
 * beside it.
 * @example
 * ```ts
 * const names = settlingCircuits(await getInfo(client), { rows: 500, features: 64, payees: 8, draws: 4, shards: 1 });
 * ```
 */
export function settlingCircuits(info: Pick<SequencerInfo, "circuits">, model: ModelShape): string[] {
  return choicesOf(info.circuits).flatMap(({ circuit, shard, size }) => {
    if (misfitOf(size, model) !== null) return [];
    return [shard === null ? circuit.name : `${circuit.name} with ${shard.name}`];
  });
}

/**
 * The reason that the circuit that an activation names does not settle the model; null where it does.
 * @param capCircuit index of the circuit on L1
 * @example
 * ```ts
 * const misfit = activationMisfit(await getInfo(client), 1, { rows: 500, features: 64, payees: 8, draws: 4, shards: 1 });
 * if (misfit !== null) console.log(`${misfit.circuit} has ${misfit.has} ${misfit.what}, the model ${misfit.given}`);
 * ```
 */
export function activationMisfit(
  info: Pick<SequencerInfo, "circuits">,
  capCircuit: number,
  model: ModelShape,
): (Misfit & { readonly circuit: string }) | null {
  const circuit = info.circuits[capCircuit]?.name ?? `circuit ${capCircuit}`;
  const nothing = { rows: 0, features: 0, payees: 0, payments: 0, draws: 0 };
  const found = misfitOfNamed(info.circuits, circuit, model);
  const misfit = found === undefined ? misfitOf(nothing, model) : found;
  return misfit === null ? null : { ...misfit, circuit };
}

/**
 * Requires a settling circuit, before somebody signs for a model that could only be settled by row counts.
 * @throws CLI_CIRCUIT_MISSING
 * @internal
 */
export async function requireSettlingCircuit(client: LedgerClient, model: ModelShape): Promise<void> {
  const info = await getInfo(client);
  if (settlingCircuits(info, model).length > 0) return;
  const { draws, features, rows, payees } = model;
  const circuits = choicesOf(info.circuits).map(({ circuit }) => circuit.name);
  throw clientError(
    "CLI_CIRCUIT_MISSING",
    `no circuit of the rollup settles a model of ${rows} rows, ${payees} payees, ${features} features and ${draws} draws`,
    { data: { reason: "no-settling-circuit", ...model, circuits } },
  );
}
