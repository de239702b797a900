import { isDirectQuery } from "@openledger/circuits/ledger/model-query";
import type { VersionRow } from "@openledger/circuits/ledger/version-rows";
import { hashVersionRow, treeDepth, treePath } from "@openledger/circuits/ledger/version-rows";
import { TAG } from "@openledger/circuits/protocol";
import type {
  EpochToSettle,
  SampledSettlement,
  SettledDraw,
} from "@openledger/circuits/settlement/divide-epoch";
import { directLogit } from "@openledger/circuits/settlement/scores/direct-matrix";
import { encodeCertificate } from "./certificate-file.ts";
import { type CertifiedVersion, type RowCertificate, USUAL_CERTIFICATE_BYTES } from "./row-certificate.ts";

export interface RowToCertify {
  /** Place in the version's order. */
  readonly row: number;
  /** SHA-256 of the row's content. */
  readonly digest: Uint8Array;
  /** All rows of the version, in its order. */
  readonly rows: readonly VersionRow[];
  readonly version: CertifiedVersion;
  /** The batch with the Settle. */
  readonly batchNumber: number;
  /** More draws than fit are left out, those that paid the row least first; one is always there. */
  readonly maxBytes?: number;
}

/**
 * The certificate of what a row earned in an epoch, as bytes. `sampled`: what `settleEpoch` has made of the epoch.
 * @returns null where the row earned nothing
 */
export function makeCertificate(
  { closed, features, model, openingOf }: Pick<EpochToSettle, "closed" | "features" | "model" | "openingOf">,
  { data, draws, proofs, terms }: SampledSettlement,
  { batchNumber, digest, maxBytes = USUAL_CERTIFICATE_BYTES, row, rows, version }: RowToCertify,
): Uint8Array | null {
  const { answeringHash, matrix } = features;
  const { privateElements } = proofs[0]!;
  const columns = features.columns[0]!;
  const paying = draws
    .map((settled, draw) => ({ draw, settled, earned: earnedParts(settled, row) }))
    .filter(({ earned }) => earned > 0n)
    .sort((a, b) => (a.earned > b.earned ? -1 : 1));
  if (paying.length === 0) return null;
  const whole: RowCertificate = {
    modelId: model.modelId,
    epoch: Number(closed.epoch),
    closingBatch: Number(closed.closingBatch),
    binding: model.statics.binding,
    split: model.statics.split,
    payees: model.payees,
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
      return { draw, answerHash, salt, query, logit, scores: Int32Array.from(settled.scores, Number) };
    }),
    rowPath: treePath(TAG.versionNode, rows.map(hashVersionRow), treeDepth(rows.length), row),
    ...{ answeringHash, batchNumber, columns, digest, privateElements, row, version },
  };
  for (let count = whole.draws.length; ; count--) {
    const some = whole.draws.slice(0, count).sort((a, b) => a.draw - b.draw);
    const bytes = encodeCertificate({ ...whole, draws: some });
    if (bytes.length <= maxBytes || count === 1) return bytes;
  }
}

function earnedParts({ isEven, rewardPerUnit, scores }: SettledDraw, row: number): bigint {
  const score = isEven ? 1n : (scores[row] ?? 0n);
  return rewardPerUnit * (score > 0n ? score : 0n);
}
