/**
 * Checks, before a model's activation, that the rollup's circuits can settle it by draws: payments that Ethereum's randomness
 * samples decide whom an epoch pays. A model that fits no circuit could only be settled by row counts. settlement-service.ts
 * calls it.
 */
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { type ModelShape, misfitOf, modelShape } from "@openledger/circuits/settlement/settlement-size";
import { sequencerError } from "../../sequencer-errors.ts";
import { invalid } from "./settlement-request.ts";

interface NamedCircuit {
  readonly name: string;
  readonly sort: number;
}

interface FittedModel {
  readonly modelId: number;
  readonly statics: ModelStatics;
  /** Payees in the order of their places. */
  readonly payees: readonly { readonly rowCount: number }[];
}

/**
 * Requires that these circuits settle the model's epochs by draws: one circuit for one shard, else the draws' circuit
 * and one of each shard.
 * @throws SEQ_SETTLEMENT_INVALID; CIR_SETTLEMENT_SIZE for payees that no shards have
 */
export function requireSettledBy(model: FittedModel, [draws, ...ofShards]: readonly NamedCircuit[]): void {
  const shape = modelShape(model.statics, model.payees);
  if (ofShards.length === 0) requireOne(model, shape, draws!, []);
  const shards = payeeShards(model.payees.map(({ rowCount }) => rowCount));
  for (const [s, circuit] of ofShards.entries()) {
    const { from, rowCount: rows, to } = shards[s]!;
    requireOne(model, { ...shape, rows, payees: to - from }, draws!, [circuit]);
  }
}

/**
 * Requires that the circuit that a model's activation names settles its epochs, with another of the rollup where it has
 * several shards.
 * @throws SEQ_SETTLEMENT_INVALID; CIR_SETTLEMENT_SIZE for payees that no shards have
 */
export function requireSettling(model: FittedModel, named: NamedCircuit, all: readonly NamedCircuit[]): void {
  const ofShards = all.filter(({ sort }) => sort === CIRCUIT_SORT.shard);
  requireOne(model, modelShape(model.statics, model.payees), named, ofShards);
}

function requireOne(
  { modelId }: FittedModel,
  shape: ModelShape,
  draws: NamedCircuit,
  ofShards: readonly NamedCircuit[],
): void {
  const choices = settlingCircuits([draws, ...ofShards]).filter(({ circuit }) => circuit === draws);
  const misfits = choices.map((choice) => ({ ...choice, misfit: misfitOf(choice.size, shape) }));
  if (misfits.some(({ misfit }) => misfit === null)) return;
  const largest = misfits.at(-1);
  if (largest?.misfit == null)
    throw invalid("circuit", `${draws.name} settles nothing with the circuits of shards`, { modelId });
  const { what, given, has } = largest.misfit;
  const isOfShard = what === "rows" || what === "payees";
  const circuit = ((isOfShard ? largest.shard : null) ?? draws).name;
  throw sequencerError(
    "SEQ_SETTLEMENT_INVALID",
    `${circuit} is for ${has} ${what}, model ${modelId} has ${given}`,
    {
      data: { reason: "circuit-misfit", modelId, circuit, what, given, has },
    },
  );
}
