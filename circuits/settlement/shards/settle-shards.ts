/**
 * The rules of sharded-settlement.circom, shard.circom and direct-shard.circom: the settlement of a model of several
 * shards (contiguous parts of its rows), as one proof of the draws and one of each shard. Pure; amounts are wei. Needs
 * `initPoseidon`. settlement-rules.ts calls it for a model of shards.
 */
import { unpackBinding } from "../../ledger/leaf.ts";
import { type ModelQuery, modelQueryCommitment } from "../../ledger/model-query.ts";
import type { PayeeShard } from "../../ledger/payee-shards.ts";
import { accruedSubroots, shardOwners } from "../../ledger/rewards.ts";
import { BINDING } from "../../protocol.ts";
import {
  type divideEpoch,
  drawnEpoch,
  type EpochToSettle,
  requireBound,
  requireMatrix,
  type SampledSettlement,
  settleByDraws,
} from "../divide-epoch.ts";
import { type ColumnCommitments, featuresCommitment } from "../feature-commitment.ts";
import { scoredDraws } from "../scores/scored-draws.ts";
import { type PreparedProof, requireSame, shardInputs, shardsOf } from "../settled-model.ts";
import { entryElements, type SettlementData } from "../settlement-data.ts";
import { drawnInputs, scoredInputs } from "../settlement-inputs.ts";
import { columnCount, columnShape, modelShape, type SettlementSize, sizeError } from "../settlement-size.ts";
import { columnsHash, type ShardTerms, shardedFeatures, shardLink, shardMatrix } from "./shard-link.ts";
import { requireShardedSize, requireShardSize, type ShardedSize, type ShardSize } from "./shard-size.ts";

export interface PreparedShard extends PreparedProof {
  /** E's first element, the hash of `terms`. */
  readonly link: bigint;
  readonly terms: ShardTerms;
  /** The quanta that each of its payees earned: posted. */
  readonly items: readonly bigint[];
}

/** Settlement of several shards. Items of `data` are in the places of all payees. */
export interface SettledShards extends SampledSettlement {
  /** Proofs of the shards; in `proofs` they follow that of the draws. */
  readonly shards: readonly PreparedShard[];
}

/**
 * Settles a closed epoch of a model of several shards by K drawn payments.
 * @throws CIR_SETTLEMENT_SIZE if something does not fit the circuits; CIR_SETTLEMENT_DIFFERS as `settleEpoch`
 */
export function settleShards(epoch: EpochToSettle): SettledShards {
  const { model, features } = epoch;
  const { size, shardSize } = sizesOf(epoch.size);
  const shards = requireFits(epoch, size, shardSize);
  requireBound(epoch, shardedFeatures(features.columns, features.answeringHash, size));
  const { divided, settled } = settleByDraws(epoch);
  const { draws, openings, shares } = divided;
  const queries = openings.map((opening) => opening?.query ?? null);
  const { newAccruedWei } = settled;
  const [oldSubroots, newSubroots] = [model.accruedWei, newAccruedWei].map((wei) =>
    accruedSubroots(model.payees, wei),
  ) as [bigint[], bigint[]];
  const prepared = shards.map((shard, s) =>
    prepareShard({ ...epoch, shardSize }, divided, {
      shard,
      columns: features.columns[s]!,
      queries,
      oldSubroot: oldSubroots[s]!,
      newSubroot: newSubroots[s]!,
    }),
  );
  const links = prepared.map(({ link }) => link);
  const data: SettlementData = { ...settled.data, shardCount: shards.length, links };
  const [elements, ...ofShard] = entryElements(data);
  const drawn = drawnInputs(size, drawnEpoch(epoch, draws, openings));
  const ofShards = <T>(read: (terms: ShardTerms) => T, absent: T) =>
    Array.from({ length: size.shards }, (_, s) => (s < shards.length ? read(prepared[s]!.terms) : absent));
  const proven = prepared.map((shard, s) => ({ ...shard, elements: ofShard[s]! }));
  const noTotals = Array<bigint>(size.draws).fill(0n);
  return {
    ...settled,
    data,
    draws,
    quantumBits: shares.quantumBits,
    shards: proven,
    proofs: [
      {
        elements: elements!,
        placeCount: 5 + size.shards,
        privateElements: drawn.privateElements,
        inputs: {
          ...drawn.inputs,
          further: model.statics.binding >> BINDING.further,
          ...shardInputs(model, newAccruedWei, size.shards),
          shardFeatures: ofShards((terms) => terms.featuresCommitment, 0n),
          shardEarned: ofShards((terms) => terms.earnedWei, 0n),
          shardPositive: ofShards((terms) => terms.draws.map(({ positiveTotal }) => positiveTotal), noTotals),
          queryCommitment: queries.map(commitmentOf),
        },
      },
      ...proven,
    ],
  };
}

/** Sizes of the two circuits that a size names: of the draws, and of each shard. */
function sizesOf({ payees, payments, rows, shards, ...ofBoth }: SettlementSize) {
  const size: ShardedSize = { payments, shards: shards ?? 1, ...ofBoth };
  const shardSize: ShardSize = { rows, payees, ...ofBoth };
  return { size, shardSize };
}

/** The proof of one shard, and the terms that its link hashes. */
function prepareShard(
  { shardSize, model, features }: EpochToSettle & { readonly shardSize: ShardSize },
  { draws, earned: ofAll, shares }: ReturnType<typeof divideEpoch>,
  parts: Pick<ShardTerms, "oldSubroot" | "newSubroot"> & {
    readonly shard: PayeeShard;
    readonly columns: ColumnCommitments;
    /** Query of each draw; null for a void one. */
    readonly queries: readonly (ModelQuery | null)[];
  },
): Omit<PreparedShard, "elements"> {
  const { shard, columns, queries, oldSubroot, newSubroot } = parts;
  const { answeringHash } = features;
  const matrix = shardMatrix(features.matrix, shard, columnCount(shardSize));
  // A void draw needs some query, which the link does not hash.
  const scored = scoredDraws(matrix, queries, shardSize);
  const earned = ofAll.slice(shard.from, shard.to);
  const rowCounts = model.payees.slice(shard.from, shard.to).map(({ rowCount }) => rowCount);
  const terms: ShardTerms = {
    featuresCommitment: featuresCommitment(columnsHash(columns, shardSize), answeringHash),
    ownersCommitment: shardOwners(rowCounts),
    oldSubroot,
    newSubroot,
    earnedWei: sum(earned.map((payee) => payee.earnedWei)),
    quantumWei: 1n << shares.quantumBits,
    evenReward: sum(draws.map((draw) => (draw.isEven ? draw.rewardPerUnit : 0n))),
    draws: draws.map(({ isValid, rewardPerUnit }, k) => ({
      isValid,
      queryCommitment: commitmentOf(queries[k] ?? null),
      positiveTotal: isValid ? sum(scored[k]!.scores.filter((score) => score > 0n)) : 0n,
      rewardPerUnit,
    })),
  };
  const link = shardLink(terms);
  const items = earned.map(({ quanta }) => quanta);
  const part = scoredInputs(shardSize, { model, shard, columns, answeringHash, scored, earned });
  return {
    link,
    items,
    terms,
    privateElements: part.privateElements,
    placeCount: 1 + Math.ceil(shardSize.payees / 6),
    inputs: {
      ...part.inputs,
      quantum: terms.quantumWei,
      muEven: terms.evenReward,
      mu: draws.map(({ rewardPerUnit }) => rewardPerUnit),
      isValid: draws.map(({ isValid }) => isValid),
    },
  };
}

const commitmentOf = (query: ModelQuery | null) => (query === null ? 0n : modelQueryCommitment(query));
const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);

function requireFits(
  { model, payments, features }: EpochToSettle,
  size: ShardedSize,
  shardSize: ShardSize,
): PayeeShard[] {
  requireShardedSize(size);
  requireShardSize(shardSize);
  const shards = shardsOf(model);
  const shape = modelShape(model.statics, model.payees);
  const rowCount = Number(unpackBinding(model.statics.binding).rowCount);
  const limits: [what: string, given: number, max: number][] = [
    ["shards", shards.length, size.shards],
    ["payments", payments.length, size.payments],
    ...shards.flatMap(({ from, to, rowCount }): [string, number, number][] => [
      ["payees", to - from, shardSize.payees],
      ["rows", rowCount, shardSize.rows],
    ]),
  ];
  for (const [what, input, max] of limits) if (input > max) throw sizeError(what, input, max);
  if (shards.length < 2) throw sizeError("shards", shards.length, 2);
  requireSame("shards", features.columns.length, shards.length);
  // Attack: as in settleEpoch, another number of draws is another choice of payments.
  for (const input of [size, shardSize]) {
    requireSame("features", columnShape(input), columnShape(shape));
    requireSame("draws", input.draws, shape.draws);
  }
  requireMatrix(features, shape, rowCount);
  return shards;
}
