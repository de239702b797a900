import { challenge, dataCommitment, evaluate } from "../../field/element-vector.ts";
import { sizeError } from "../settlement-size.ts";

/**
 * The public signals of a proof whose circuit has `placeCount` places for E: those behind the posted elements are 0, and C
 * absorbs the private elements behind them.
 * @throws CIR_SETTLEMENT_SIZE where the elements are more than the places
 */
export function paddedStatement(
  elements: readonly bigint[],
  placeCount: number,
  privateElements: readonly bigint[],
  circuitId: bigint,
): { readonly commitment: bigint; readonly y: bigint; readonly z: bigint } {
  const absentCount = placeCount - elements.length;
  if (absentCount < 0) throw sizeError("elements", elements.length, placeCount);
  const absent = Array<bigint>(absentCount).fill(0n);
  const commitment = dataCommitment([...elements, ...absent, ...privateElements]);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}
