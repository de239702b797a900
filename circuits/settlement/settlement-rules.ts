/**
 * The rules of settlement.circom, direct-settlement.circom (for models that are logistic, with counts as queries) and
 * those of shards (parts of a model's rows with a proof each): the proofs of a closed epoch's settlement. Pure;
 * amounts are wei. Needs `initPoseidon`. Settlers build the proofs' inputs by it.
 */

import { unpackBinding } from "../ledger/leaf.ts";
import {
  drawnEpoch,
  type EpochToSettle,
  type ModelFeatures,
  requireBound,
  requireMatrix,
  type SampledSettlement,
  settleByDraws,
} from "./divide-epoch.ts";
import { scoredDraws } from "./scores/scored-draws.ts";
import { requireSame, shardsOf } from "./settled-model.ts";
import { entryPositions, settlementElements } from "./settlement-data.ts";
import { drawnInputs, scoredInputs } from "./settlement-inputs.ts";
import { columnCount, misfitOf, modelShape, requireSize, sizeError } from "./settlement-size.ts";
import { settleShards } from "./shards/settle-shards.ts";
import { shardedFeatures } from "./shards/shard-link.ts";

/**
 * Settles a closed epoch by K drawn payments: one proof, or by circuits of shards one of the draws and one of each
 * shard.
 * @throws CIR_SETTLEMENT_SIZE if something does not fit the circuit; CIR_SETTLEMENT_DIFFERS if payments, payees,
 * features
 *   or an opening are not those that the closed epoch, the statics or the receipt bind (`data.what`)
 */
export function settleEpoch(epoch: EpochToSettle): SampledSettlement {
  const { size } = epoch;
  return size.shards === undefined ? settleInOne(epoch) : settleShards(epoch);
}

function settleInOne(epoch: EpochToSettle): SampledSettlement {
  const { size, model, features } = epoch;
  requireFits(epoch);
  const columns = features.columns[0]!;
  requireBound(epoch, shardedFeatures([columns], features.answeringHash, size));
  const { divided, settled } = settleByDraws(epoch);
  const { draws, earned, openings, shares } = divided;
  const drawn = drawnInputs(size, drawnEpoch(epoch, draws, openings));
  const scored = scoredInputs(size, {
    model,
    shard: shardsOf(model)[0]!,
    columns,
    answeringHash: features.answeringHash,
    scored: scoredDraws(
      features.matrix,
      openings.map((opening) => opening?.query ?? null),
      size,
    ),
    earned,
  });
  return {
    ...settled,
    draws,
    quantumBits: shares.quantumBits,
    proofs: [
      {
        inputs: { ...drawn.inputs, ...scored.inputs },
        elements: settlementElements(settled.data),
        placeCount: entryPositions(size.payees),
        privateElements: [...scored.privateElements, ...drawn.privateElements],
      },
    ],
  };
}

/** Columns of a model's matrix, or of a pair of a direct one's labels. */
function matrixColumns({ columns, matrix }: ModelFeatures): number {
  const contrastCount = matrix instanceof Int8Array ? 1 : matrix.labelCount - 1;
  return columns[0]!.u.length / contrastCount;
}

function requireFits({ size, model, payments, features }: EpochToSettle): void {
  requireSize(size);
  const rowCount = Number(unpackBinding(model.statics.binding).rowCount);
  const limits: [what: string, given: number, max: number][] = [
    ["rows", rowCount, size.rows],
    ["payees", model.payees.length, size.payees],
    ["payments", payments.length, size.payments],
    ["features", matrixColumns(features), columnCount(size)],
  ];
  for (const [what, input, max] of limits) if (input > max) throw sizeError(what, input, max);
  requireMatrix(features, size, rowCount);
  // Attack: another number of draws is another choice of payments for the same seed. So the circuit's number has to be
  // the model's.
  const misfit = misfitOf(size, modelShape(model.statics, model.payees));
  if (misfit !== null) requireSame(misfit.what, misfit.has, misfit.given);
}
