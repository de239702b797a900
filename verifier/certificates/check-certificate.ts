/**
 * Whether a row earned what a certificate says, from the certificate and what L1 holds of the settlement: no matrix, no server.
 *
 * 1. L1 has taken a settlement by draws of this model and epoch, with C, the posted totals and its proof. C absorbs J and the
 *    draws, J the closed epoch, and that the statics. So one hash binds columns, payees, binding, split, amount, seed and draws.
 * 2. A draw's receipt opens to a query for these statics. Query and columns give a commitment to the scores of all rows
 *    (areScoresOf). With all scores, their total and what a unit of score earns are computed as the settlement does.
 * 3. The row's place and its payee are those of a path to the version's root, which the Datanet's leaf holds under a root of
 *    the ledger that L1 has accepted.
 *
 * Assumptions: those of the settlement's theorem (docs/explanation/attribution-proof.md), and that the Ethereum node which is
 * asked tells the truth. Needs `initPoseidon`.
 */

import { dataCommitment } from "@openledger/circuits/field/element-vector";
import {
  hashDatanetBody,
  hashLeaf,
  hashStatics,
  type Leaf,
  unpackBinding,
} from "@openledger/circuits/ledger/leaf";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { modelQueryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import {
  closedHash,
  ownersCommitment,
  payeeRoot,
  settlementHash,
  unpackSplit,
} from "@openledger/circuits/ledger/rewards";
import { digestToField, hashVersionRow } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND, TAG } from "@openledger/circuits/protocol";
import { featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { areScoresOf } from "@openledger/circuits/settlement/scores/direct-matrix";
import {
  entryPlaces,
  type PostedSettlement,
  proofVector,
  settlementElements,
} from "@openledger/circuits/settlement/settlement-data";
import { drawShares, rewardPerUnit, weightWei } from "@openledger/circuits/settlement/settlement-split";
import { type CertifiedDraw, certificateFalse, type RowCertificate } from "./row-certificate.ts";

/** What L1 has of the settlement and of the version. */
export interface CertificateFacts {
  readonly posted: PostedSettlement;
  readonly commitment: bigint;
  /** M of the settlement circuit. */
  readonly circuitPayees: number;
  /** The ledger's root after the batch that the certificate names for its version. */
  readonly root: bigint;
}

export interface CheckedDraw {
  readonly draw: number;
  readonly payerId: number;
  readonly score: number;
  /** In 2^-40 quanta, and by themselves in wei rounded down. */
  readonly earnedParts: bigint;
  readonly earnedWei: bigint;
}

export interface CheckedCertificate {
  readonly modelId: number;
  readonly epoch: number;
  readonly datanetId: number;
  readonly version: number;
  readonly row: number;
  readonly digest: Uint8Array;
  readonly payeeIndex: number;
  readonly contributorId: number;
  readonly validatorId: number;
  /** By the shown draws, contributor and validator together. Rounded down. */
  readonly earnedWei: bigint;
  /** All of the row's payee, as L1 has it. */
  readonly payeeEarnedWei: bigint;
  readonly draws: readonly CheckedDraw[];
  /** Of draws whose receipts were opened; the row may have earned more by those that are not shown. */
  readonly validDrawCount: number;
}

/** @throws CIR_SETTLEMENT_DIFFERS naming in `data.what` what does not follow */
export function checkCertificate(certificate: RowCertificate, facts: CertificateFacts): CheckedCertificate {
  const { epoch, modelId, row } = certificate;
  const { posted } = facts;
  const { datanetId, drawBits, rowCount, version } = unpackBinding(certificate.binding);
  const statics = hashStatics(staticsOf(certificate));
  requireSettled(certificate, facts, statics);
  const payeeIndex = payeeOfRow(certificate, Number(rowCount));
  requireVersion(certificate, payeeIndex, facts.root);

  const drawCount = 2 ** Number(drawBits);
  const drawn = drawsIn(certificate.privateElements, drawCount);
  const shares = drawShares(certificate.amountWei, drawCount, unpackSplit(certificate.split));
  const shown = new Set(certificate.draws.map(({ draw }) => draw));
  if (shown.size < certificate.draws.length) throw certificateFalse("a draw is there twice");
  const draws = certificate.draws.map((one): CheckedDraw => {
    const facts = drawn[one.draw];
    if (facts?.isValid !== true) throw certificateFalse("a draw is void, or none of the epoch's");
    const { payerId, receipt } = facts;
    requireReceipt(one, { statics, payerId, receipt });
    if (!areScoresOf(certificate.columns, one))
      throw certificateFalse("the scores are not those of the query", { draw: one.draw });
    const positive = one.scores.reduce((sum, score) => sum + Math.max(0, score), 0);
    const unit = rewardPerUnit(shares, BigInt(positive === 0 ? rowCount : positive));
    const weight = positive === 0 ? 1 : Math.max(0, one.scores[row]!);
    const earnedParts = unit * BigInt(weight);
    return {
      draw: one.draw,
      payerId,
      score: one.scores[row]!,
      earnedParts,
      earnedWei: weightWei(earnedParts, shares),
    };
  });
  const { contributorId, validatorId } = certificate.payees[payeeIndex]!;
  return {
    ...{ modelId, epoch, row, payeeIndex, contributorId, validatorId, draws },
    datanetId: Number(datanetId),
    version: Number(version),
    digest: certificate.digest,
    earnedWei: weightWei(
      draws.reduce((sum, { earnedParts }) => sum + earnedParts, 0n),
      shares,
    ),
    payeeEarnedWei: (posted.items[payeeIndex] ?? 0n) << shares.quantumBits,
    validDrawCount: drawn.filter(({ isValid }) => isValid).length,
  };
}

const staticsOf = ({ answeringHash, binding, columns, payees, split }: RowCertificate) => ({
  featuresCommitment: featuresCommitment(columns, answeringHash),
  ownersCommitment: ownersCommitment(payees.map(({ rowCount }) => rowCount)),
  payeeRoot: payeeRoot(payees),
  binding,
  split,
});

/** L1's C opens to these statics, amounts and draws. */
function requireSettled(certificate: RowCertificate, facts: CertificateFacts, statics: bigint): void {
  const { amountWei, modelId, newAccruedRoot, oldAccruedRoot, ownerWei, privateElements, seed, treasuryWei } =
    certificate;
  const { circuitPayees, commitment, posted } = facts;
  if (posted.epoch !== BigInt(certificate.epoch))
    throw certificateFalse("L1's settlement is of another epoch");
  const { voidCount } = posted;
  const closed = closedHash(statics, { ...posted, amountWei });
  const word = settlementHash({
    ...{ modelId, voidCount, closed, ownerWei, treasuryWei, oldAccruedRoot, newAccruedRoot },
  });
  const data = { ...posted, settlementHash: word, modelId, isActivation: false, cap: 0, seed };
  if (
    dataCommitment(
      proofVector({
        elements: settlementElements(data),
        placeCount: entryPlaces(circuitPayees),
        privateElements,
      }),
    ) !== commitment
  )
    throw certificateFalse("model, payees, amounts or draws are not those that L1's settlement has proven");
}

/** The payee of a row: rows are sorted by payee. */
function payeeOfRow({ payees, row }: RowCertificate, rowCount: number): number {
  let end = 0;
  const payeeIndex = payees.findIndex((payee) => {
    end += payee.rowCount;
    return row < end;
  });
  // The statics' counts add up to N since the activation.
  if (row >= rowCount || payeeIndex < 0) throw certificateFalse("the version has no such row", { row });
  return payeeIndex;
}

/** The row is at this place of the version, under the Datanet's leaf in a root that L1 holds. */
function requireVersion(certificate: RowCertificate, payeeIndex: number, root: bigint): void {
  const { binding, digest, payees, row, rowPath } = certificate;
  const { leaf, path, policy, publishedAt } = certificate.version;
  const { datanetId, rowCount, version } = unpackBinding(binding);
  const rowLeaf = hashVersionRow({ ...payees[payeeIndex]!, rowHash: digestToField(digest) });
  const { ownersCommitment: owners, payeeRoot: payeesRoot } = staticsOf(certificate);
  const body = hashDatanetBody({
    ...{ version, rowCount, publishedAt, policy },
    rowsRoot: rootFromPath(row, rowLeaf, rowPath, TAG.versionNode),
    ownersCommitment: owners,
    payeeRoot: payeesRoot,
  });
  const [nonce, l1Owner, keyX, balance, chain, openAmount, counters] = leaf as Sequence;
  const datanet: Leaf = {
    ...{ kind: LEAF_KIND.datanet, nonce, l1Owner, keyX, balance, chain, openAmount, counters, body },
  };
  if (rootFromPath(Number(datanetId), hashLeaf(datanet), path) !== root)
    throw certificateFalse("the row is not at this place of the version, or L1's ledger has no such version");
}

type Sequence = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint];

interface DrawFacts {
  readonly isValid: boolean;
  readonly payerId: number;
  readonly receipt: bigint;
}

/** C's last elements: of each draw what was paid before with the valid bit at 128, payer and what was paid after, the receipt. */
function drawsIn(privateElements: readonly bigint[], drawCount: number): DrawFacts[] {
  const from = privateElements.length - 3 * drawCount;
  if (from < 0) throw certificateFalse("draws are missing");
  return Array.from({ length: drawCount }, (_, k) => {
    const [before, after, receipt] = privateElements.slice(from + 3 * k) as [bigint, bigint, bigint];
    return { isValid: before >> 128n === 1n, payerId: Number(after & 0xffffffn), receipt };
  });
}

function requireReceipt(
  { answerHash, draw, query, salt }: CertifiedDraw,
  { payerId, receipt, statics }: { statics: bigint; payerId: number; receipt: bigint },
): void {
  const queryCommitment = modelQueryCommitment(query);
  if (receiptHash({ statics, payerId, answerHash, queryCommitment, salt }) !== receipt)
    throw certificateFalse("the query is not the drawn payment's", { draw });
}
