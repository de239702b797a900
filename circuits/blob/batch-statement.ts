/** What a batch's proof states, whatever the shape: with a blob, two more signals. */
import { type BatchData, batchElements, committedElements } from "../batch/batch-data.ts";
import { challenge, dataCommitment, evaluate } from "../field/element-vector.ts";
import { isBlobShape } from "../protocol.ts";
import { blobElements } from "./blob-elements.ts";
import { blobHalves, evaluateBlob } from "./blob-polynomial.ts";

/** The public signals of a batch's proof. */
export interface BatchStatement {
  readonly commitment: bigint;
  readonly y: bigint;
  readonly z: bigint;
  /** The halves of the blob's value at z, 128 bits each; both absent where the shape has no blob. */
  readonly blobLow?: bigint;
  readonly blobHigh?: bigint;
}

/** The signals in the circuit's order: three, or five with a blob. */
export function signalsOf({ commitment, y, z, blobLow, blobHigh }: BatchStatement): bigint[] {
  const isBlob = blobLow !== undefined && blobHigh !== undefined;
  return isBlob ? [commitment, y, z, blobLow, blobHigh] : [commitment, y, z];
}

/**
 * @param postedCommitment C as L1 got it. With a leaf table C is no function of the batch's data, so that L1's is the one;
 * else it is computed from the data and may be left out.
 * @param versionedHash of the batch's blob, 32 bytes. It depends on the data alone, so it is known before z.
 */
export function batchStatement(
  batch: BatchData,
  circuitId: bigint,
  postedCommitment: bigint | null = null,
  versionedHash: bigint | null = null,
): BatchStatement {
  const elements = batchElements(batch);
  const isTable = batch.shape.table !== undefined;
  if (isTable && postedCommitment === null) throw new RangeError("a table batch's C has to be given");
  const isBlob = isBlobShape(batch.shape);
  if (isBlob !== (versionedHash !== null))
    throw new RangeError("a versioned hash has to be given where a batch has a blob, and only there");
  const commitment = isTable ? postedCommitment! : dataCommitment(committedElements(batch));
  const z = challenge(circuitId, commitment, elements, versionedHash);
  const statement = { commitment, z, y: evaluate(elements, z) };
  return isBlob ? { ...statement, ...blobHalves(evaluateBlob(blobElements(batch), z)) } : statement;
}
