/**
 * The arguments of submitBatches, read from a transaction's input as the contract reads them. Solidity follows
 * offsets modulo 2^256 and looks only at what it uses. So it takes encodings that ABI decoders refuse, for
 * example negative offsets. Attack: a stranger posts such a call, and a full node that refuses what L1 has
 * accepted stops for ever. l1-submission.ts decodes calls with it.
 */

import { type ContractProof, imaginaryFirst } from "@openledger/circuits/wire/groth16-proof";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Hex, hexToBytes, toFunctionSelector, toHex } from "viem";

interface CalledPart {
  readonly circuit: number;
  readonly commitment: bigint;
  readonly data: Hex;
}

interface SubmissionCall {
  readonly batches: readonly CalledPart[];
  readonly settlements: readonly CalledPart[];
  readonly proofs: readonly ContractProof[];
}

const WORD = 32n;
const SELECTOR_SIZE = 4n;
/** a, b, c: eight words, in place. */
const PROOF_SIZE = 8n * WORD;
const SUBMIT_BATCHES = toFunctionSelector(
  rollupAbi.find((item) => item.type === "function" && item.name === "submitBatches") as never,
);

/**
 * @param input of a transaction that the contract has executed
 * @returns null where it calls something else, or where the contract would have reverted
 */
export function decodeSubmission(input: Hex): SubmissionCall | null {
  if (!input.startsWith(SUBMIT_BATCHES)) return null;
  const calldata = new Calldata(hexToBytes(input));
  const array = (index: bigint) => {
    const position = SELECTOR_SIZE + calldata.word(SELECTOR_SIZE + WORD * index);
    return { first: position + WORD, count: calldata.word(position) };
  };
  const [batches, settlements, proofs] = [array(0n), array(1n), array(2n)];
  // Batches and settlements take a word of the input each, so more than these cannot have been there.
  if ([batches, settlements, proofs].some(({ count }) => count * WORD > calldata.size)) return null;
  const parts = ({ first, count }: typeof batches): CalledPart[] | null => {
    const read = positions(count, (i) => calldata.part(first + calldata.word(first + WORD * i)));
    return read.every((one) => one !== null) ? read : null;
  };
  const [calledBatches, calledSettlements] = [parts(batches), parts(settlements)];
  if (calledBatches === null || calledSettlements === null) return null;
  return {
    batches: calledBatches,
    settlements: calledSettlements,
    proofs: positions(proofs.count, (i) => calldata.proof(proofs.first + PROOF_SIZE * i)),
  };
}

const positions = <T>(count: bigint, read: (index: bigint) => T): T[] =>
  Array.from({ length: Number(count) }, (_, i) => read(BigInt(i)));

/** Calldata as the EVM has it: zeros behind its end, addresses modulo 2^256. */
class Calldata {
  readonly size: bigint;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = BigInt(bytes.length);
  }

  word(address: bigint): bigint {
    const position = BigInt.asUintN(256, address);
    if (position >= this.size) return 0n;
    const padded = new Uint8Array(32);
    padded.set(this.#bytes.subarray(Number(position), Number(position) + 32));
    return BigInt(toHex(padded));
  }

  /** A Batch or a Settlement: circuit, C, and where its bytes lie, as seen from its own place. */
  part(address: bigint): CalledPart | null {
    const lengthAt = address + this.word(address + 2n * WORD);
    const length = this.word(lengthAt);
    const start = BigInt.asUintN(256, lengthAt + WORD);
    if (length > 0n && start + length > this.size) return null;
    const data =
      length === 0n ? new Uint8Array() : this.#bytes.subarray(Number(start), Number(start + length));
    return { circuit: Number(this.word(address)), commitment: this.word(address + WORD), data: toHex(data) };
  }

  proof(address: bigint): ContractProof {
    const at = (i: bigint) => this.word(address + WORD * i);
    return {
      a: [at(0n), at(1n)],
      b: imaginaryFirst([at(2n), at(3n)], [at(4n), at(5n)]),
      c: [at(6n), at(7n)],
    };
  }
}
