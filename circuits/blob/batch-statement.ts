/**
 * Statement of a batch's proof for every shape: its public signals C, y, z, and two more with a blob. Prover,
 * sequencer and verifiers compute the same.
 */
import { type BatchData, batchElements } from "../batch/batch-data.ts";
import { challenge, evaluate } from "../field/element-vector.ts";
import { isBlobShape } from "../protocol.ts";
import { blobHalves, evaluateBlob } from "./blob-bytes.ts";
import { blobElements } from "./blob-elements.ts";

/** The public signals of a batch's proof. */
export interface BatchStatement {
  readonly commitment: bigint;
  readonly y: bigint;
  readonly z: bigint;
  /** The halves of the blob's value at z, 128 bits each; both absent if the shape has no blob. */
  readonly blobLow?: bigint;
  readonly blobHigh?: bigint;
}

/** The signals in the circuit's order: three, or five with a blob. */
export function signalsOf({ commitment, y, z, blobLow, blobHigh }: BatchStatement): bigint[] {
  const isBlob = blobLow !== undefined && blobHigh !== undefined;
  return isBlob ? [commitment, y, z, blobLow, blobHigh] : [commitment, y, z];
}

/**
 * @param commitment C, as its prover computed it or as L1 got it: it is no function of the batch's data
 * @param versionedHash of the batch's blob, 32 bytes. It depends on the data alone, so it is known before z.
 */
export function batchStatement(
  batch: BatchData,
  circuitId: bigint,
  commitment: bigint,
  versionedHash: bigint | null = null,
): BatchStatement {
  const elements = batchElements(batch);
  const isBlob = isBlobShape(batch.shape);
  if (isBlob !== (versionedHash !== null))
    throw new RangeError("a versioned hash has to be given where a batch has a blob, and only there");
  const z = challenge(circuitId, commitment, elements, versionedHash);
  const statement = { commitment, z, y: evaluate(elements, z) };
  return isBlob ? { ...statement, ...blobHalves(evaluateBlob(blobElements(batch), z)) } : statement;
}
