/** Whether circuits settle a model by draws: one that fits none could be settled by the default split only. */
import type { ModelStatics } from "@openledger/circuits/ledger/leaf";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import {
  misfitOf,
  modelShape,
  parseSettlementName,
  type SettlementSize,
} from "@openledger/circuits/settlement/settlement-size";
import { parseShardedName, parseShardName } from "@openledger/circuits/settlement/shards/shard-size";
import { sequencerError } from "../../sequencer-errors.ts";
import { invalid } from "./settlement-request.ts";

interface NamedCircuit {
  readonly name: string;
  readonly sort: number;
}

export interface FittedModel {
  readonly modelId: number;
  readonly statics: ModelStatics;
  /** Of each payee, in its place. */
  readonly rowCounts: readonly number[];
}

interface Misfit {
  readonly what: string;
  readonly given: number;
  readonly has: number;
}

/**
 * These circuits settle the model's epochs by draws: one alone where it has one shard, else the draws' and one of each shard.
 * @throws SEQ_SETTLEMENT_INVALID; CIR_SETTLEMENT_SIZE for payees that no shards have
 */
export function requireSettledBy(model: FittedModel, [first, ...ofShards]: readonly NamedCircuit[]): void {
  requireFit(model, first!, drawsMisfit(model, first!));
  for (const [shard, circuit] of ofShards.entries())
    requireFit(model, circuit, shardMisfit(model, shard, circuit));
}

/**
 * The circuit that a model's activation names settles its epochs: of several shards with others of the rollup for each shard.
 * @throws SEQ_SETTLEMENT_INVALID; CIR_SETTLEMENT_SIZE for payees that no shards have
 */
export function requireSettling(model: FittedModel, named: NamedCircuit, all: readonly NamedCircuit[]): void {
  const shards = payeeShards(model.rowCounts);
  requireFit(model, named, drawsMisfit(model, named));
  if (shards.length === 1) return;
  const candidates = all.filter(({ sort }) => sort === CIRCUIT_SORT.shard);
  for (const shard of shards.keys()) {
    const misfits = candidates.map((circuit) => ({ circuit, misfit: shardMisfit(model, shard, circuit) }));
    if (misfits.some(({ misfit }) => misfit === null)) continue;
    if (misfits[0] === undefined) throw invalid("circuit", "the rollup has no circuit of shards", model);
    requireFit(model, misfits[0].circuit, misfits[0].misfit);
  }
}

/** Of the circuit of the draws, which is that of the rows where a model has one shard. */
function drawsMisfit({ rowCounts, statics }: FittedModel, { name }: NamedCircuit): Misfit | null | undefined {
  const { length } = payeeShards(rowCounts);
  if (length === 1) return misfitIn(parseSettlementName(name), statics, rowCounts.length);
  const sharded = parseShardedName(name);
  if (sharded === null) return undefined;
  if (length > sharded.shards) return { what: "shards", given: length, has: sharded.shards };
  const any = { rows: Number.POSITIVE_INFINITY, payees: Number.POSITIVE_INFINITY };
  return misfitIn({ ...sharded, ...any }, statics, 0);
}

function shardMisfit({ rowCounts, statics }: FittedModel, shard: number, { name }: NamedCircuit) {
  const { from, rowCount, to } = payeeShards(rowCounts)[shard]!;
  return misfitIn(parseShardName(name), statics, to - from, rowCount);
}

/** undefined where the name does not tell its sizes. */
function misfitIn(
  size: Omit<SettlementSize, "payments"> | null,
  statics: ModelStatics,
  payees: number,
  rows?: number,
): Misfit | null | undefined {
  const shape = modelShape(statics, payees);
  return size === null
    ? undefined
    : misfitOf({ payments: 0, ...size }, { ...shape, rows: rows ?? shape.rows });
}

function requireFit(
  { modelId }: FittedModel,
  { name }: NamedCircuit,
  misfit: Misfit | null | undefined,
): void {
  if (misfit === undefined) throw invalid("circuit", `${name} does not tell its sizes`, { modelId });
  if (misfit === null) return;
  const { what, given, has } = misfit;
  throw sequencerError(
    "SEQ_SETTLEMENT_INVALID",
    `${name} is for ${has} ${what}, model ${modelId} has ${given}`,
    {
      data: { reason: "circuit-misfit", modelId, circuit: name, what, given, has },
    },
  );
}
