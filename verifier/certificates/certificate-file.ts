/** A certificate as bytes: numbers big-endian, one after the other, without names. */

import { compressPoints, expandPoints } from "@openledger/circuits/field/curve/generators";
import { fromBytesBe, toBytesBe } from "@openledger/circuits/field/element-vector";
import { bucketsOfShape } from "@openledger/circuits/ledger/direct-query";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { modelQueryBytes, modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import { treeDepth } from "@openledger/circuits/ledger/version-rows";
import { BINDING, FIELD_ORDER, MAX_PAYEE_COUNT, TREE_ARITY, TREE_DEPTH } from "@openledger/circuits/protocol";
import { columnCount, modelShape } from "@openledger/circuits/settlement/settlement-size";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type CertifiedDraw,
  type CertifiedRecipe,
  type CertifiedShard,
  certificateFalse,
  MAX_CERTIFICATE_BYTES,
  placeInVersion,
  type RowCertificate,
} from "./row-certificate.ts";

const MAGIC = new TextEncoder().encode("olcert1\n");
const ELEMENT_BYTES = 32;
/** Scores of all circuits: 8^9 / 2 at most. */
const MAX_SCORE_BITS = 28;
const LEAF_FIELD_COUNT = 7;
/** What a shard has earned, and Σ s⁺ of its rows. */
const [EARNED_BYTES, TOTAL_BYTES] = [12, 7];
/** Beside the number of payees: shards but one, and the row's shard. Both are 0 of a model of one shard. */
const SHARD_COUNT_BIT = 10;
const SHARD_INDEX_BIT = 13;
/** In the binding's 16 bytes: the ids of further Datanets follow. */
const JOINT = 1n << BINDING.further;
const FURTHER_BYTES = 15;

class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  number(value: bigint | number, byteCount: number): void {
    this.#parts.push(toBytesBe(BigInt(value), byteCount));
  }
  bytes(part: Uint8Array): void {
    this.#parts.push(part);
  }
  elements(values: readonly bigint[]): void {
    for (const value of values) this.number(value, ELEMENT_BYTES);
  }
  /** The child on the way is left out: it follows. */
  path(rows: readonly (readonly bigint[])[], index: number): void {
    let place = index;
    for (const children of rows) {
      this.elements(children.filter((_, i) => i !== place % TREE_ARITY));
      place = Math.floor(place / TREE_ARITY);
    }
  }
  done(): Uint8Array {
    const out = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws CIR_SETTLEMENT_DIFFERS behind the end: nothing is made of a length before it is known to be there */
  bytes(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw certificateFalse("it ends too early");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
  big(byteCount: number): bigint {
    return fromBytesBe(this.bytes(byteCount));
  }
  number(byteCount: number): number {
    return Number(this.big(byteCount));
  }
  element(): bigint {
    const value = this.big(ELEMENT_BYTES);
    if (value >= FIELD_ORDER) throw certificateFalse("a field element is not below r");
    return value;
  }
  elements(count: number): bigint[] {
    return Array.from({ length: count }, () => this.element());
  }
  path(depth: number, index: number): bigint[][] {
    return Array.from({ length: depth }, (_, level) => {
      const siblings = this.elements(TREE_ARITY - 1);
      siblings.splice(Math.floor(index / TREE_ARITY ** level) % TREE_ARITY, 0, 0n);
      return siblings;
    });
  }
  requireEnd(): void {
    if (this.#at < this.#bytes.length) throw certificateFalse("bytes are left over");
  }
}

/** The scores' bits are as many as the largest needs, and a sign. */
function writeScores(out: ByteWriter, scores: Int32Array): void {
  const most = scores.reduce((max, score) => Math.max(max, score < 0 ? ~score : score), 0);
  const width = 33 - Math.clz32(most);
  const packed = new Uint8Array(Math.ceil((scores.length * width) / 8));
  for (const [k, score] of scores.entries()) {
    for (let bit = 0; bit < width; bit++) {
      const at = k * width + bit;
      if ((score >> bit) & 1) packed[at >> 3]! |= 1 << (at & 7);
    }
  }
  out.number(width, 1);
  out.bytes(packed);
}

function readScores(from: ByteReader, rowCount: number): Int32Array {
  const width = from.number(1);
  if (width < 1 || width > MAX_SCORE_BITS + 1) throw certificateFalse("its scores are too wide", { width });
  const packed = from.bytes(Math.ceil((rowCount * width) / 8));
  const scores = new Int32Array(rowCount);
  for (let k = 0; k < rowCount; k++) {
    let value = 0;
    for (let bit = 0; bit < width; bit++) {
      const at = k * width + bit;
      value |= ((packed[at >> 3]! >> (at & 7)) & 1) << bit;
    }
    scores[k] = (value << (32 - width)) >> (32 - width);
  }
  return scores;
}

function writeShard(
  out: ByteWriter,
  { links, others, privateElements, queryCommitments }: CertifiedShard,
): void {
  for (const other of others) {
    out.elements([other.featuresCommitment, other.ownersCommitment, other.payeeSubroot]);
    out.number(other.rowCount, 4);
  }
  for (const { earnedWei, newSubroot, oldSubroot, positiveTotals } of links) {
    out.elements([oldSubroot, newSubroot]);
    out.number(earnedWei, EARNED_BYTES);
    for (const total of positiveTotals) out.number(total, TOTAL_BYTES);
  }
  out.elements(queryCommitments);
  out.number(privateElements.length, 2);
  out.elements(privateElements);
}

function readShard(
  from: ByteReader,
  { drawCount, index, shardCount }: { drawCount: number; index: number; shardCount: number },
): CertifiedShard | null {
  if (index >= shardCount) throw certificateFalse("its shard is none of the model's", { index, shardCount });
  if (shardCount === 1) return null;
  const others = Array.from({ length: shardCount - 1 }, () => {
    const [featuresCommitment, ownersCommitment, payeeSubroot] = from.elements(3) as [bigint, bigint, bigint];
    return { featuresCommitment, ownersCommitment, payeeSubroot, rowCount: from.number(4) };
  });
  const links = Array.from({ length: shardCount }, () => {
    const [oldSubroot, newSubroot] = from.elements(2) as [bigint, bigint];
    const earnedWei = from.big(EARNED_BYTES);
    const positiveTotals = Array.from({ length: drawCount }, () => from.big(TOTAL_BYTES));
    return { oldSubroot, newSubroot, earnedWei, positiveTotals };
  });
  const queryCommitments = from.elements(drawCount);
  return { index, others, links, queryCommitments, privateElements: from.elements(from.number(2)) };
}

/** @returns bytes that `decodeCertificate` reads */
export function encodeCertificate(certificate: RowCertificate): Uint8Array {
  const { draws, payees, recipe, row, shard, version } = certificate;
  const own = placeInVersion(certificate);
  const out = new ByteWriter();
  out.bytes(MAGIC);
  out.number(certificate.modelId, 3);
  out.number(certificate.epoch, 3);
  out.number(certificate.closingBatch, 5);
  out.number(certificate.batchNumber, 5);
  out.elements([certificate.answeringHash]);
  const further = certificate.binding >> BINDING.further;
  out.number((certificate.binding % JOINT) | (further === 0n ? 0n : JOINT), 16);
  if (further !== 0n) out.number(further, FURTHER_BYTES);
  out.number(certificate.split, 4);
  const place = ((shard?.others.length ?? 0) << SHARD_COUNT_BIT) | ((shard?.index ?? 0) << SHARD_INDEX_BIT);
  out.number(payees.length | place, 2);
  for (const { contributorId, rowCount, validatorId } of payees) {
    out.number(contributorId, 3);
    out.number(validatorId, 3);
    out.number(rowCount, 4);
  }
  if (shard !== null) writeShard(out, shard);
  if (recipe !== null) {
    out.number(recipe.bytes.length, 3);
    for (const part of [recipe.bytes, ...recipe.otherDigests]) out.bytes(part);
  }
  const columns = compressPoints(certificate.columns);
  out.number(columns.length, 2);
  for (const column of columns) out.number(column, ELEMENT_BYTES);
  for (const name of ["amountWei", "seed", "ownerWei", "treasuryWei"] as const)
    out.number(certificate[name], 16);
  out.elements([certificate.oldAccruedRoot, certificate.newAccruedRoot]);
  out.number(certificate.privateElements.length, 2);
  out.elements(certificate.privateElements);
  out.number(row, 4);
  out.bytes(certificate.digest);
  out.path(certificate.rowPath, own.row);
  out.number(version.batchNumber, 5);
  out.number(version.blockNumber, 5);
  out.elements([...version.leaf, version.publishedAt, version.policy]);
  out.path(version.path, own.datanetId);
  out.number(draws.length, 1);
  for (const { answerHash, draw, logit, query, salt, scores } of draws) {
    const bytes = modelQueryBytes(query);
    out.number(draw, 1);
    out.elements([answerHash, salt]);
    out.number(bytes.length, 2);
    out.bytes(bytes);
    out.number(logit >>> 0, 4);
    writeScores(out, scores);
  }
  return out.done();
}

/**
 * What bytes from anyone say; nothing of it is checked beyond its form. Takes time by the file's length alone.
 * @throws CIR_SETTLEMENT_DIFFERS for other bytes than `encodeCertificate` writes
 */
export function decodeCertificate(bytes: Uint8Array): RowCertificate {
  if (bytes.length > MAX_CERTIFICATE_BYTES) throw certificateFalse("it is too large", { size: bytes.length });
  const from = new ByteReader(bytes);
  if (from.bytes(MAGIC.length).some((byte, i) => byte !== MAGIC[i]))
    throw certificateFalse("it is no certificate of this version");
  const head = {
    modelId: from.number(3),
    epoch: from.number(3),
    closingBatch: from.number(5),
    batchNumber: from.number(5),
    answeringHash: from.element(),
    binding: readBinding(from),
    split: from.big(4),
  };
  const { drawBits, featureCount, furtherDatanets } = unpackBinding(head.binding);
  const counts = from.number(2);
  const payeeCount = counts & ((1 << SHARD_COUNT_BIT) - 1);
  if (payeeCount > MAX_PAYEE_COUNT) throw certificateFalse("it has too many payees", { payeeCount });
  const payees = Array.from({ length: payeeCount }, () => ({
    contributorId: from.number(3),
    validatorId: from.number(3),
    rowCount: from.number(4),
  }));
  const shard = readShard(from, {
    drawCount: 2 ** Number(drawBits),
    index: counts >> SHARD_INDEX_BIT,
    shardCount: ((counts >> SHARD_COUNT_BIT) & 7) + 1,
  });
  const isFurther = furtherDatanets.length > 0 && shard !== null && shard.index > 0;
  const recipe = isFurther ? readRecipe(from) : null;
  const packedColumns = Array.from({ length: from.number(2) }, () => from.big(ELEMENT_BYTES));
  const terms = {
    amountWei: from.big(16),
    seed: from.big(16),
    ownerWei: from.big(16),
    treasuryWei: from.big(16),
    oldAccruedRoot: from.element(),
    newAccruedRoot: from.element(),
  };
  const privateElements = from.elements(from.number(2));
  const isDirect = bucketsOfShape(Number(featureCount)) !== null;
  const scoreCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const row = from.number(4);
  const own = placeInVersion({ ...head, payees, row, shard });
  const placed = {
    row,
    digest: from.bytes(32).slice(),
    rowPath: from.path(treeDepth(own.rowCount), own.row),
  };
  const version = {
    batchNumber: from.number(5),
    blockNumber: from.number(5),
    leaf: from.elements(LEAF_FIELD_COUNT),
    publishedAt: from.element(),
    policy: from.element(),
    path: from.path(TREE_DEPTH, own.datanetId),
  };
  const draws = Array.from({ length: from.number(1) }, (): CertifiedDraw => {
    const [draw, answerHash, salt] = [from.number(1), from.element(), from.element()];
    const query = readQuery(from.bytes(from.number(2)), isDirect);
    const logit = from.number(4) | 0;
    return { draw, answerHash, salt, query, logit, scores: readScores(from, scoreCount) };
  });
  from.requireEnd();
  // Attack: 32,000 points, seconds of work before anything is bound. The binding says how many there are.
  if (packedColumns.length !== columnCount(modelShape(head, null)))
    throw certificateFalse("it has other columns than its model");
  const columns = expandPoints(packedColumns);
  if (columns === null) throw certificateFalse("a column's commitment is no point");
  return { ...head, ...terms, ...placed, payees, shard, recipe, columns, privateElements, draws, version };
}

function readBinding(from: ByteReader): bigint {
  const low = from.big(16);
  if (low < JOINT) return low;
  const further = from.big(FURTHER_BYTES);
  if (further === 0n) throw certificateFalse("it says that Datanets follow, and has none");
  return (low % JOINT) | (further << BINDING.further);
}

function readRecipe(from: ByteReader): CertifiedRecipe {
  const bytes = from.bytes(from.number(3)).slice();
  return { bytes, otherDigests: [from.bytes(32).slice(), from.bytes(32).slice()] };
}

function readQuery(bytes: Uint8Array, isOfDirect: boolean): CertifiedDraw["query"] {
  try {
    return modelQueryOfBytes(bytes, isOfDirect);
  } catch (cause) {
    if (isRollupError(cause)) throw certificateFalse("a query is of no model of this kind");
    throw cause;
  }
}
