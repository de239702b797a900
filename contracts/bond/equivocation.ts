/**
 * Evidence of an equivocation for the bond's contract (contracts/bond/): two preconfirmations, the sequencer's signed promises,
 * that give one place to different operations. Each check of the contract is here in TypeScript, so that nobody pays for a
 * transaction that would be refused.
 */
import type {
  Preconfirmation,
  PreconfirmationRollup,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import {
  type Address,
  bytesToHex,
  encodeAbiParameters,
  type Hex,
  hexToBytes,
  isAddressEqual,
  keccak256,
  pad,
  slice,
} from "viem";
import { contractError } from "../contract-errors.ts";
import { recoverPreconfirmationSigner } from "../l1/preconfirmation-signer.ts";
import {
  preconfirmationBondAbi,
  preconfirmationBondCodeHash,
  preconfirmationBondImmutables,
} from "./bond-abi.ts";

interface SignedPromise {
  readonly operationHash: Hex;
  readonly deadline: bigint;
  readonly r: Hex;
  readonly s: Hex;
  readonly v: number;
}

/** Argument of the contract's `show`. */
export interface Equivocation {
  readonly opIndex: bigint;
  readonly first: SignedPromise;
  readonly second: SignedPromise;
}

/** Rollup, and the signer of its preconfirmations, as the bond's contract names them. */
export interface BondedRollup extends PreconfirmationRollup {
  readonly sequencerAddress: Address;
}

/**
 * Checks that both preconfirmations are the sequencer's, of one place, and of different operations.
 * @throws CON_EQUIVOCATION_INVALID
 */
export async function equivocationOf(
  rollup: BondedRollup,
  first: Preconfirmation,
  second: Preconfirmation,
): Promise<Equivocation> {
  const invalid = (reason: string, why: string, cause?: unknown) =>
    contractError("CON_EQUIVOCATION_INVALID", `the preconfirmations ${why}`, {
      data: { reason, first, second, rollupAddress: rollup.rollupAddress },
      cause,
    });
  if (first.opIndex !== second.opIndex)
    throw invalid("other-place", `are of places ${first.opIndex} and ${second.opIndex}`);
  if (BigInt(first.operationHash) === BigInt(second.operationHash))
    throw invalid("same-operation", "are of one operation, which may be signed as often as anybody likes");
  const promiseOf = async (preconfirmation: Preconfirmation): Promise<SignedPromise> => {
    const operationHash = pad(preconfirmation.operationHash, { size: 32 });
    const { deadlineSeconds, opIndex, signature } = preconfirmation;
    let signer: Address;
    try {
      signer = await recoverPreconfirmationSigner(rollup, {
        operationHash,
        deadlineSeconds,
        opIndex,
        signature,
      });
    } catch (cause) {
      throw invalid("not-signed", "have no signature in canonical form", cause);
    }
    if (!isAddressEqual(signer, rollup.sequencerAddress))
      throw invalid("not-signed", `are signed by ${signer}, not by ${rollup.sequencerAddress}`);
    return {
      operationHash,
      deadline: BigInt(deadlineSeconds),
      r: slice(signature, 0, 32),
      s: slice(signature, 32, 64),
      v: Number(slice(signature, 64)),
    };
  };
  return {
    opIndex: BigInt(first.opIndex),
    first: await promiseOf(first),
    second: await promiseOf(second),
  };
}

/** Computes the contract's `commitmentOf`. @param salt 32 random bytes, kept until the equivocation is shown */
export function equivocationCommitment(equivocation: Equivocation, beneficiary: Address, salt: Hex): Hex {
  const { inputs } = preconfirmationBondAbi.find(
    (item) => item.type === "function" && item.name === "commitmentOf",
  )!;
  return keccak256(encodeAbiParameters(inputs, [equivocation, beneficiary, salt]));
}

/**
 * True if this is the code of contracts/bond/ for this rollup and sequencer, and none beside. Each place of an address is
 * compared: with another word in one alone, the sequencer could withdraw, and no signature of its would count.
 */
export function isBondCode(
  code: Hex | undefined,
  { rollupAddress, sequencerAddress }: BondedRollup,
): boolean {
  if (code === undefined) return false;
  const { rollup, sequencer } = preconfirmationBondImmutables;
  const words = [
    ...rollup.map((start) => ({ start, address: rollupAddress })),
    ...sequencer.map((start) => ({ start, address: sequencerAddress })),
  ];
  const bytes = hexToBytes(code);
  for (const { address, start } of words) {
    const word = bytes.subarray(start, start + 32);
    if (bytesToHex(word) !== pad(address, { size: 32 }).toLowerCase()) return false;
    word.fill(0);
  }
  return keccak256(bytes) === preconfirmationBondCodeHash;
}

/** The bond's contract at one block. */
export interface BondState {
  readonly bondWei: bigint;
  readonly announcedWei: bigint;
  /** Seconds of L1 time from which the announced amount may be withdrawn; 0 where none is announced. */
  readonly availableAt: bigint;
  readonly isForfeited: boolean;
  /** Time of the block. */
  readonly timeSeconds: bigint;
}

/** The contract's WITHDRAWAL_DELAY, in seconds. */
export const WITHDRAWAL_DELAY_SECONDS = 45n * 86_400n;
/** The contract's WITHDRAWAL_WINDOW, in seconds. */
export const WITHDRAWAL_WINDOW_SECONDS = 7n * 86_400n;
/** The contract's REVEAL_DELAY, in blocks. */
export const REVEAL_DELAY_BLOCKS = 10n;

/** Computes the contract's `securedWei`: what is bonded until `untilSeconds`, unless it is taken before. */
export function securedWei(state: BondState, untilSeconds: bigint): bigint {
  const { announcedWei, availableAt, bondWei, isForfeited, timeSeconds } = state;
  if (isForfeited || untilSeconds >= timeSeconds + WITHDRAWAL_DELAY_SECONDS) return 0n;
  return untilSeconds < availableAt ? bondWei : bondWei - announcedWei;
}
