import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { isDirectQuery, modelQueryCommitment } from "@openledger/circuits/ledger/model-query";
import type { PayeeShard } from "@openledger/circuits/ledger/payee-shards";
import { accruedSubroots, shardOwners } from "@openledger/circuits/ledger/rewards";
import type { VersionRow } from "@openledger/circuits/ledger/version-rows";
import { hashVersionRow, treeDepth, treePath } from "@openledger/circuits/ledger/version-rows";
import { TAG } from "@openledger/circuits/protocol";
import type {
  EpochToSettle,
  SampledSettlement,
  SettledDraw,
} from "@openledger/circuits/settlement/divide-epoch";
import { featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { directLogit } from "@openledger/circuits/settlement/scores/direct-matrix";
import { shardsOf } from "@openledger/circuits/settlement/settled-model";
import { encodeCertificate } from "./certificate-file.ts";
import {
  type CertifiedRecipe,
  type CertifiedShard,
  type CertifiedVersion,
  type OtherShard,
  type RowCertificate,
  USUAL_CERTIFICATE_BYTES,
} from "./row-certificate.ts";

export interface RowToCertify {
  /** Place among the model's rows: of one Datanet the version's order. */
  readonly row: number;
  /** SHA-256 of the row's content. */
  readonly digest: Uint8Array;
  /** All rows of the model's versions, in their order. */
  readonly rows: readonly VersionRow[];
  /** Needed for a row of a further Datanet. */
  readonly recipe?: CertifiedRecipe;
  readonly version: CertifiedVersion;
  /** The batch with the Settle. */
  readonly batchNumber: number;
  /** More draws than fit are left out, those that paid the row least first; one is always there. */
  readonly maxBytes?: number;
}

type EpochToCertify = Pick<EpochToSettle, "closed" | "features" | "model" | "openingOf">;

/**
 * The certificate of what a row earned in an epoch, as bytes. `settled`: what `settleEpoch` has made of the epoch.
 * @returns null where the row earned nothing, or there is no such row
 */
export function makeCertificate(
  epoch: EpochToCertify,
  settled: SampledSettlement,
  { batchNumber, digest, maxBytes = USUAL_CERTIFICATE_BYTES, recipe, row, rows, version }: RowToCertify,
): Uint8Array | null {
  const { closed, features, model, openingOf } = epoch;
  const { data, draws, proofs, terms } = settled;
  const { answeringHash, columns, matrix } = features;
  const shards = shardsOf(model);
  const index = shards.findIndex(({ firstRow, rowCount }) => row < firstRow + rowCount);
  const shard = shards[index];
  const paying = draws
    .map((settled, draw) => ({ draw, settled, earned: earnedParts(settled, row) }))
    .filter(({ earned }) => earned > 0n)
    .sort((a, b) => (a.earned > b.earned ? -1 : 1));
  if (shard === undefined || paying.length === 0) return null;
  const isJoint = unpackBinding(model.statics.binding).furtherDatanets.length > 0;
  const own = isJoint ? shard : { firstRow: 0, rowCount: rows.length };
  const ownRows = rows.slice(own.firstRow, own.firstRow + own.rowCount);
  const whole: RowCertificate = {
    modelId: model.modelId,
    epoch: Number(closed.epoch),
    closingBatch: Number(closed.closingBatch),
    binding: model.statics.binding,
    split: model.statics.split,
    payees: model.payees.slice(shard.from, shard.to),
    columns: columns[index]!,
    shard: shards.length === 1 ? null : certifiedShard(epoch, settled, index),
    amountWei: closed.amountWei,
    seed: data.seed,
    ownerWei: terms.ownerWei,
    treasuryWei: terms.treasuryWei,
    oldAccruedRoot: terms.oldAccruedRoot,
    newAccruedRoot: terms.newAccruedRoot,
    draws: paying.map(({ draw, settled }) => {
      const { answerHash, query, salt } = openingOf(settled.paymentIndex)!;
      const isDirect = isDirectQuery(query) && !(matrix instanceof Int8Array);
      const logit = isDirect ? directLogit(matrix, query.counts) : 0;
      return { draw, answerHash, salt, query, logit, scores: ofShard(settled.scores, shard) };
    }),
    recipe: isJoint && index > 0 ? recipe! : null,
    rowPath: treePath(
      TAG.versionNode,
      ownRows.map(hashVersionRow),
      treeDepth(ownRows.length),
      row - own.firstRow,
    ),
    privateElements: proofs[0]!.privateElements,
    ...{ answeringHash, batchNumber, digest, row, version },
  };
  for (let count = whole.draws.length; ; count--) {
    const some = whole.draws.slice(0, count).sort((a, b) => a.draw - b.draw);
    const bytes = encodeCertificate({ ...whole, draws: some });
    if (bytes.length <= maxBytes || count === 1) return bytes;
  }
}

const ofShard = (scores: readonly bigint[], { firstRow, rowCount }: PayeeShard) =>
  Int32Array.from(scores.slice(firstRow, firstRow + rowCount), Number);

/** The openings of all links, and of the statics' lists but for the row's shard. */
function certifiedShard(
  { features, model, openingOf }: EpochToCertify,
  { draws, earnedWei, newAccruedWei, proofs }: SampledSettlement,
  index: number,
): CertifiedShard {
  const shards = shardsOf(model);
  const subroots = (wei: readonly bigint[]) => accruedSubroots(model.payees, wei);
  // The model may have been settled again since.
  const oldAccruedWei = newAccruedWei.map((wei, m) => wei - earnedWei[m]!);
  const [payeeSubroots, before, after] = [[], oldAccruedWei, newAccruedWei].map(subroots);
  const all = shards.map(
    ({ from, rowCount, to }, s): OtherShard => ({
      featuresCommitment: featuresCommitment(features.columns[s]!, features.answeringHash),
      ownersCommitment: shardOwners(model.payees.slice(from, to).map((payee) => payee.rowCount)),
      payeeSubroot: payeeSubroots![s]!,
      rowCount,
    }),
  );
  const links = shards.map((shard, s) => ({
    oldSubroot: before![s]!,
    newSubroot: after![s]!,
    earnedWei: earnedWei.slice(shard.from, shard.to).reduce((sum, wei) => sum + wei, 0n),
    positiveTotals: draws.map(({ scores }) =>
      scores
        .slice(shard.firstRow, shard.firstRow + shard.rowCount)
        .reduce((sum, score) => (score > 0n ? sum + score : sum), 0n),
    ),
  }));
  const queryCommitments = draws.map(({ isValid, paymentIndex }) =>
    isValid ? modelQueryCommitment(openingOf(paymentIndex)!.query) : 0n,
  );
  const others = all.toSpliced(index, 1);
  const { privateElements } = proofs[1 + index]!;
  return { index, others, links, queryCommitments, privateElements };
}

function earnedParts({ isEven, rewardPerUnit, scores }: SettledDraw, row: number): bigint {
  const score = isEven ? 1n : (scores[row] ?? 0n);
  return rewardPerUnit * (score > 0n ? score : 0n);
}
