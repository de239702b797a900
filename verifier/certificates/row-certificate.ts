/**
 * A certificate that a row earned an amount in a settled epoch: what a phone checks without the model's matrix. What it shows
 * and on what that rests is in check-certificate.ts, and in docs/explanation/attribution-proof.md.
 */
import { circuitError } from "@openledger/circuits/circuit-errors";
import { datanetIds, unpackBinding } from "@openledger/circuits/ledger/leaf";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import type { RollupError } from "@openledger/foundation/rollup-error";

/** Fits a shard of 2^18 rows and a draw. Larger files are refused before anything is read. */
export const MAX_CERTIFICATE_BYTES = 1 << 20;
/** What a phone is to load; more draws than fit are left out. */
export const USUAL_CERTIFICATE_BYTES = 50_000;

/** A drawn payment's answer, and what it scores all rows. */
export interface CertifiedDraw {
  /** 0 … K − 1. */
  readonly draw: number;
  readonly answerHash: bigint;
  readonly salt: bigint;
  readonly query: ModelQuery;
  /** Of each row of the row's shard. */
  readonly scores: Int32Array;
  /** Of a direct model; 0 of others. */
  readonly logit: number;
}

/** What the settlement's proofs show of a shard: the opening of its link, besides what all shards share. */
export interface CertifiedLink {
  /** Its subtree of the rewards tree before and after. */
  readonly oldSubroot: bigint;
  readonly newSubroot: bigint;
  /** Of all its payees. */
  readonly earnedWei: bigint;
  /** Σ s⁺ of its rows, of each draw; 0 of a void one. */
  readonly positiveTotals: readonly bigint[];
}

/** What the statics hold of a shard that the row is not in. */
export interface OtherShard {
  readonly featuresCommitment: bigint;
  readonly ownersCommitment: bigint;
  readonly rowCount: number;
  /** Its subtree of the payee tree. */
  readonly payeeSubroot: bigint;
}

/** What ties the row's shard to a model of several. */
export interface CertifiedShard {
  /** Place among the model's shards. */
  readonly index: number;
  /** The model's other shards, in their order. */
  readonly others: readonly OtherShard[];
  /** Of all shards, in their order. */
  readonly links: readonly CertifiedLink[];
  /** Of each draw; 0 of a void one. */
  readonly queryCommitments: readonly bigint[];
  /** What the C of the row's shard absorbs behind its elements. */
  readonly privateElements: readonly bigint[];
}

/** The Datanet's leaf in a root of the ledger, without what follows from the rest of the certificate. */
export interface CertifiedVersion {
  /** L1 holds the root after this batch. */
  readonly batchNumber: number;
  /** Where L1 took the batch. */
  readonly blockNumber: number;
  /** Nonce, L1 owner, key, balance, chain, open amount, counters. */
  readonly leaf: readonly bigint[];
  readonly publishedAt: bigint;
  readonly policy: bigint;
  /** Eight children a level. */
  readonly path: readonly (readonly bigint[])[];
}

/** What the statics' answering hash opens to: the recipe, which names the versions of further Datanets. */
export interface CertifiedRecipe {
  readonly bytes: Uint8Array;
  /** SHA-256 of parameters and of the query map. */
  readonly otherDigests: readonly [Uint8Array, Uint8Array];
}

export interface RowCertificate {
  readonly modelId: number;
  readonly epoch: number;
  /** Where L1 has the settlement. */
  readonly closingBatch: number;
  readonly batchNumber: number;
  /** What the model's statics open to, besides what the columns and payees below hash to. */
  readonly answeringHash: bigint;
  readonly binding: bigint;
  readonly split: bigint;
  /** Of the row's shard. */
  readonly payees: readonly Payee[];
  readonly columns: ColumnCommitments;
  /** null of a model of one shard. */
  readonly shard: CertifiedShard | null;
  /** null of a row of Datanet 0, whose version the binding names. */
  readonly recipe: CertifiedRecipe | null;
  /** What J opens to besides. */
  readonly amountWei: bigint;
  readonly seed: bigint;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly oldAccruedRoot: bigint;
  readonly newAccruedRoot: bigint;
  /** What the first entry's C absorbs behind the elements that L1 evaluates (docs/reference/settlement.md). */
  readonly privateElements: readonly bigint[];
  readonly draws: readonly CertifiedDraw[];
  /** Place among the model's rows: of Datanet 0 the version's order. */
  readonly row: number;
  /** SHA-256 of the row's content. */
  readonly digest: Uint8Array;
  /** From the row to the version's root: eight children a level. */
  readonly rowPath: readonly (readonly bigint[])[];
  readonly version: CertifiedVersion;
}

/**
 * The row's Datanet, and the row's place in its version: of several Datanets each has a shard, one has them all.
 * @throws CIR_SETTLEMENT_DIFFERS where the row is in another shard, or the shard no Datanet's
 */
export function placeInVersion({
  binding,
  payees,
  row,
  shard,
}: Pick<RowCertificate, "binding" | "payees" | "row" | "shard">) {
  const bound = unpackBinding(binding);
  const index = shard?.index ?? 0;
  if (bound.furtherDatanets.length === 0)
    return { datanetId: Number(bound.datanetId), row, rowCount: Number(bound.rowCount) };
  const before = (shard?.others ?? []).slice(0, index).reduce((sum, { rowCount }) => sum + rowCount, 0);
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  const datanetId = datanetIds(bound)[index];
  if (datanetId === undefined || row < before || row >= before + rowCount)
    throw certificateFalse("the version has no such row, or it is another shard's", { row });
  return { datanetId, row: row - before, rowCount };
}

/** `what` of a certificate is not as L1 or the rest of the certificate has it. */
export function certificateFalse(what: string, data: object = {}): RollupError {
  return circuitError("CIR_SETTLEMENT_DIFFERS", `the certificate is false: ${what}`, {
    data: { what, ...data },
  });
}
