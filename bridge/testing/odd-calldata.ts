/** Calls of submitBatches that L1 takes and ABI libraries refuse, for tests. */

import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { concatHex, encodeFunctionData, type Hex, numberToHex, size, slice } from "viem";

export const word = (value: number | bigint): Hex =>
  numberToHex(BigInt.asUintN(256, BigInt(value)), { size: 32 });
type Arguments = Parameters<typeof encodeFunctionData<typeof rollupAbi, "submitBatches">>[0]["args"];
export const encodeSubmission = (args: Arguments) =>
  encodeFunctionData({ abi: rollupAbi, functionName: "submitBatches", args });

/** The same call, of one batch, with the batch in front of its array, so that its offset is negative. */
export function withNegativeOffset(canonical: Hex): Hex {
  const body = slice(canonical, 4);
  const at = (position: number) => Number(BigInt(slice(body, position, position + 32)));
  const [batches, settlements, proofs] = [at(0), at(32), at(64)];
  const tuple = slice(body, batches + 32 + at(batches + 32), settlements);
  const tupleAt = 96;
  const newBatches = tupleAt + size(tuple);
  const shift = newBatches + 64 - settlements;
  return concatHex([
    slice(canonical, 0, 4),
    word(newBatches),
    word(settlements + shift),
    word(proofs + shift),
    tuple,
    word(1),
    word(tupleAt - (newBatches + 32)),
    slice(body, settlements),
  ]);
}
