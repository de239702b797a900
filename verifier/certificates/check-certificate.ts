/**
 * Whether a row earned what a certificate says, from the certificate and what L1 holds of the settlement: no matrix, no server.
 *
 * 1. L1 has taken a settlement by draws of this model and epoch, with C, the posted totals and its proof. C absorbs J and the
 *    draws, J the closed epoch, and that the statics. So one hash binds columns, payees, binding, split, amount, seed and draws.
 *    Of several shards the statics hold lists, which the row's own shard and what the file has of the others open.
 * 2. A draw's receipt opens to a query for these statics. Query and columns give a commitment to the scores of all rows
 *    (areScoresOf). With all scores, their total and what a unit of score earns are computed as the settlement does.
 *    Of several shards those of the row's; the others' totals are in their links, which L1 has, and which the proofs share.
 * 3. The row's place and its payee are those of a path to the version's root, which the Datanet's leaf holds under a root of
 *    the ledger that L1 has accepted. Of several Datanets that is the row's own, whose version the recipe names: the file
 *    has it, and C holds its hash.
 *
 * Assumptions: those of the settlement's theorem (docs/explanation/attribution-proof.md), and that the Ethereum node which is
 * asked tells the truth. Needs `initPoseidon`.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { dataCommitment } from "@openledger/circuits/field/element-vector";
import {
  hashDatanetBody,
  hashLeaf,
  hashStatics,
  type Leaf,
  type ModelStatics,
  unpackBinding,
} from "@openledger/circuits/ledger/leaf";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { modelQueryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import {
  accruedSubroots,
  closedHash,
  listedOwners,
  type Payee,
  rootOfSubroots,
  settlementHash,
  shardOwners,
  unpackSplit,
} from "@openledger/circuits/ledger/rewards";
import { digestToField, hashVersionRow } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND, MAX_PAYEE_COUNT, TAG } from "@openledger/circuits/protocol";
import { featuresCommitment, shardFeatures } from "@openledger/circuits/settlement/feature-commitment";
import { areScoresOf } from "@openledger/circuits/settlement/scores/direct-matrix";
import {
  entryElements,
  type PostedSettlement,
  proofVector,
} from "@openledger/circuits/settlement/settlement-data";
import {
  type DrawShares,
  drawShares,
  rewardPerUnit,
  weightWei,
} from "@openledger/circuits/settlement/settlement-split";
import { shardLink } from "@openledger/circuits/settlement/shards/shard-link";
import { hex32 } from "@openledger/foundation/hex";
import * as z from "zod/mini";
import {
  type CertifiedDraw,
  type CertifiedShard,
  certificateFalse,
  type OtherShard,
  placeInVersion,
  type RowCertificate,
} from "./row-certificate.ts";

/** An entry's C, and how many places its circuit has for E. */
interface EntryFacts {
  readonly commitment: bigint;
  readonly placeCount: number;
}

/** What L1 has of the settlement and of the version. */
export interface CertificateFacts {
  readonly posted: PostedSettlement;
  /** Of its first entry: of several shards, that of the draws. */
  readonly settled: EntryFacts;
  /** Of the entry of the row's shard; null of a model of one shard. */
  readonly shard: EntryFacts | null;
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
  /** The row's own, of a model of several. */
  readonly datanetId: number;
  readonly version: number;
  /** Place in the version's order. */
  readonly row: number;
  readonly digest: Uint8Array;
  /** Place among the payees of all shards. */
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
  const { epoch, modelId } = certificate;
  const { posted } = facts;
  const { drawBits, furtherDatanets, rowCount } = unpackBinding(certificate.binding);
  const shards = shardsIn(certificate);
  const bound = staticsOf(certificate, shards);
  const statics = hashStatics(bound);
  requireSettled(certificate, facts, statics);
  const placed = payeeOfRow(certificate, shards);
  const version = namedVersion(certificate);
  // A further Datanet's version has the tables of its shard alone.
  const own = shards[certificate.shard?.index ?? 0]!;
  const tables =
    furtherDatanets.length === 0 ? bound : { ...own, payeeRoot: rootOfSubroots([own.payeeSubroot]) };
  requireVersion(certificate, {
    ...{ root: facts.root, tables, version },
    payee: certificate.payees[placed.payee]!,
  });

  const drawCount = 2 ** Number(drawBits);
  const drawn = drawsIn(certificate.privateElements, drawCount);
  const shares = drawShares(certificate.amountWei, drawCount, unpackSplit(certificate.split));
  requireLinks(certificate, { drawn, posted, shards, shares });
  const shown = new Set(certificate.draws.map(({ draw }) => draw));
  if (shown.size < certificate.draws.length) throw certificateFalse("a draw is there twice");
  const draws = certificate.draws.map((one): CheckedDraw => {
    const facts = drawn[one.draw];
    if (facts?.isValid !== true) throw certificateFalse("a draw is void, or none of the epoch's");
    const { payerId, receipt } = facts;
    requireReceipt(one, { statics, payerId, receipt });
    if (!areScoresOf(certificate.columns, one))
      throw certificateFalse("the scores are not those of the query", { draw: one.draw });
    const positive = BigInt(one.scores.reduce((sum, score) => sum + Math.max(0, score), 0));
    const total = positiveTotal(certificate, one.draw, positive);
    const unit = rewardPerUnit(shares, total === 0n ? rowCount : total);
    const score = one.scores[placed.row]!;
    const earnedParts = unit * BigInt(total === 0n ? 1 : Math.max(0, score));
    return { draw: one.draw, payerId, score, earnedParts, earnedWei: weightWei(earnedParts, shares) };
  });
  const { contributorId, validatorId } = certificate.payees[placed.payee]!;
  const payeeIndex = MAX_PAYEE_COUNT * (certificate.shard?.index ?? 0) + placed.payee;
  return {
    ...{ modelId, epoch, payeeIndex, contributorId, validatorId, draws },
    datanetId: version.id,
    version: version.version,
    row: placeInVersion(certificate).row,
    digest: certificate.digest,
    earnedWei: weightWei(
      draws.reduce((sum, { earnedParts }) => sum + earnedParts, 0n),
      shares,
    ),
    payeeEarnedWei: (posted.items[payeeIndex] ?? 0n) << shares.quantumBits,
    validDrawCount: drawn.filter(({ isValid }) => isValid).length,
  };
}

/** What the statics hold of each shard of the model: the row's own is computed. */
function shardsIn({ answeringHash, columns, payees, shard }: RowCertificate): OtherShard[] {
  const rowCounts = payees.map(({ rowCount }) => rowCount);
  const own: OtherShard = {
    featuresCommitment: featuresCommitment(columns, answeringHash),
    ownersCommitment: shardOwners(rowCounts),
    rowCount: rowCounts.reduce((sum, count) => sum + count, 0),
    payeeSubroot: accruedSubroots(payees, [])[0]!,
  };
  return shard === null ? [own] : shard.others.toSpliced(shard.index, 0, own);
}

const staticsOf = ({ binding, split }: RowCertificate, shards: readonly OtherShard[]) => ({
  featuresCommitment: shardFeatures(shards.map((shard) => shard.featuresCommitment)),
  ownersCommitment: listedOwners(shards),
  payeeRoot: rootOfSubroots(shards.map(({ payeeSubroot }) => payeeSubroot)),
  binding,
  split,
});

/** L1's C opens to these statics, amounts and draws. */
function requireSettled(certificate: RowCertificate, facts: CertificateFacts, statics: bigint): void {
  const { amountWei, modelId, newAccruedRoot, oldAccruedRoot, ownerWei, privateElements, seed, treasuryWei } =
    certificate;
  const { posted, settled } = facts;
  if (posted.epoch !== BigInt(certificate.epoch))
    throw certificateFalse("L1's settlement is of another epoch");
  if (posted.shardCount !== (certificate.shard?.links.length ?? 1))
    throw certificateFalse("L1's settlement is of another number of shards");
  const { voidCount } = posted;
  const closed = closedHash(statics, { ...posted, amountWei });
  const word = settlementHash({
    ...{ modelId, voidCount, closed, ownerWei, treasuryWei, oldAccruedRoot, newAccruedRoot },
  });
  const data = { ...posted, settlementHash: word, modelId, isActivation: false, cap: 0, seed };
  const { shard } = certificate;
  const [elements, ...ofShards] = entryElements(data) as [bigint[], ...bigint[][]];
  if (!opens(settled, elements, privateElements))
    throw certificateFalse("model, payees, amounts or draws are not those that L1's settlement has proven");
  if (shard !== null && !opens(facts.shard, ofShards[shard.index]!, shard.privateElements))
    throw certificateFalse("the shard's totals are not those that L1's settlement has proven");
}

/** C absorbs all places of E, then the private elements. */
function opens(
  entry: EntryFacts | null,
  elements: readonly bigint[],
  privateElements: readonly bigint[],
): boolean {
  if (entry === null || elements.length > entry.placeCount) return false;
  const { commitment, placeCount } = entry;
  return dataCommitment(proofVector({ elements, placeCount, privateElements })) === commitment;
}

/** L1's links, which the proofs of draws and of shards share, open to these shards and their totals. */
function requireLinks(
  { shard }: RowCertificate,
  given: {
    readonly drawn: readonly DrawFacts[];
    readonly posted: PostedSettlement;
    readonly shards: readonly OtherShard[];
    readonly shares: DrawShares;
  },
): void {
  if (shard === null) return;
  const { drawn, posted, shards, shares } = given;
  const rowCount = shards.reduce((sum, one) => sum + one.rowCount, 0);
  const totals = drawn.map((_, draw) => totalOf(shard, draw));
  const rewards = drawn.map(({ isValid }, draw) =>
    isValid ? rewardPerUnit(shares, totals[draw] || BigInt(rowCount)) : 0n,
  );
  // A void draw has no reward, so it adds nothing.
  const evenReward = rewards.reduce((sum, reward, draw) => (totals[draw] === 0n ? sum + reward : sum), 0n);
  for (const [s, { positiveTotals, ...link }] of shard.links.entries()) {
    const { featuresCommitment: features, ownersCommitment } = shards[s]!;
    const terms = {
      ...{ ...link, featuresCommitment: features, ownersCommitment, evenReward },
      quantumWei: 1n << shares.quantumBits,
      draws: rewards.map((reward, draw) => ({
        isValid: drawn[draw]!.isValid,
        queryCommitment: shard.queryCommitments[draw]!,
        positiveTotal: positiveTotals[draw]!,
        rewardPerUnit: reward,
      })),
    };
    if (shardLink(terms) !== posted.links![s])
      throw certificateFalse("what it has of a shard is not what L1's settlement has proven", { shard: s });
  }
}

/** Σ s⁺ of a draw over the rows of all shards. @param own of the row's shard, by its scores */
function positiveTotal({ shard }: RowCertificate, draw: number, own: bigint): bigint {
  if (shard === null) return own;
  if (shard.links[shard.index]!.positiveTotals[draw] !== own)
    throw certificateFalse("the scores are not those that the shard's proof has", { draw });
  return totalOf(shard, draw);
}

const totalOf = ({ links }: CertifiedShard, draw: number): bigint =>
  links.reduce((sum, { positiveTotals }) => sum + positiveTotals[draw]!, 0n);

/** The place of a row and of its payee in the row's shard: rows are sorted by payee. */
function payeeOfRow(
  { binding, payees, row: place, shard }: RowCertificate,
  shards: readonly OtherShard[],
): { readonly row: number; readonly payee: number } {
  const before = shards.slice(0, shard?.index ?? 0);
  const row = before.reduce((rest, { rowCount }) => rest - rowCount, place);
  let end = 0;
  const payee = payees.findIndex(({ rowCount }) => {
    end += rowCount;
    return row < end;
  });
  // The statics' counts add up to N since the activation.
  if (row < 0 || payee < 0 || place >= unpackBinding(binding).rowCount)
    throw certificateFalse("the version has no such row, or it is another shard's", { row: place });
  return { row, payee };
}

interface NamedVersion {
  readonly id: number;
  readonly version: number;
  /** null where the ledger's version has one rowsRoot alone. */
  readonly rowsRoot: string | null;
}

/**
 * Of Datanet 0 as the binding says. Of others as the recipe does, whose hash the statics have: without it any version with
 * the same payees could be shown.
 */
function namedVersion({ answeringHash, binding, recipe, shard }: RowCertificate): NamedVersion {
  const { datanetId, furtherDatanets, version } = unpackBinding(binding);
  const further = (shard?.index ?? 0) - 1;
  if (furtherDatanets.length === 0 || further < 0)
    return { id: Number(datanetId), version: Number(version), rowsRoot: null };
  // As attribution/model/answering-hash.ts makes it of a model that promises nothing: one of several Datanets never does.
  const opened = recipe && sha256(concatBytes(sha256(recipe.bytes), ...recipe.otherDigests));
  if (opened === null || digestToField(opened) !== answeringHash)
    throw certificateFalse("its recipe is not the one that the model's statics bind");
  const named = furtherOf(recipe!.bytes)[further];
  if (named === undefined || named.id !== furtherDatanets[further])
    throw certificateFalse("its recipe names other Datanets than the binding");
  return named;
}

const recipeSchema = z.object({
  furtherDatanets: z.array(
    z.object({
      id: z.int(),
      version: z.int().check(z.positive(), z.maximum(0xffffffff)),
      rowsRoot: z.string(),
    }),
  ),
});

/** Attack: statics bind whatever their owner wrote in the recipe. */
function furtherOf(recipe: Uint8Array): readonly NamedVersion[] {
  try {
    return recipeSchema.parse(JSON.parse(new TextDecoder().decode(recipe))).furtherDatanets;
  } catch {
    throw certificateFalse("its recipe names no further Datanets");
  }
}

interface VersionFacts {
  readonly payee: Payee;
  readonly root: bigint;
  readonly tables: Pick<ModelStatics, "ownersCommitment" | "payeeRoot">;
  readonly version: NamedVersion;
}

/** The row is at this place of the version, under the Datanet's leaf in a root that L1 holds. */
function requireVersion(certificate: RowCertificate, { payee, root, tables, version }: VersionFacts): void {
  const { digest, rowPath, version: of } = certificate;
  const { leaf, path, policy, publishedAt } = of;
  const { ownersCommitment, payeeRoot } = tables;
  const { datanetId, row, rowCount } = placeInVersion(certificate);
  const rowLeaf = hashVersionRow({ ...payee, rowHash: digestToField(digest) });
  const rowsRoot = rootFromPath(row, rowLeaf, rowPath, TAG.versionNode);
  if (version.rowsRoot !== null && version.rowsRoot !== hex32(rowsRoot))
    throw certificateFalse("the row is not at this place of the version that the recipe names");
  const body = hashDatanetBody({
    ...{ version: BigInt(version.version), rowCount: BigInt(rowCount), publishedAt, policy },
    ...{ rowsRoot, ownersCommitment, payeeRoot },
  });
  const [nonce, l1Owner, keyX, balance, chain, openAmount, counters] = leaf as Sequence;
  const datanet: Leaf = {
    ...{ kind: LEAF_KIND.datanet, nonce, l1Owner, keyX, balance, chain, openAmount, counters, body },
  };
  if (rootFromPath(datanetId, hashLeaf(datanet), path) !== root)
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
