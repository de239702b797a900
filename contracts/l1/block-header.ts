/**
 * Encoder of a block header to the RLP that hashes to the block's hash: the argument of `recordRandomness`,
 * which the bridge calls.
 */
import { type Hex, keccak256, toRlp } from "viem";
import { contractError } from "../contract-errors.ts";

/** The header's fields in a node's answer to eth_getBlockByNumber; numbers are hex quantities. */
export interface RpcHeader {
  readonly hash: Hex | null;
  readonly parentHash: Hex;
  readonly sha3Uncles: Hex;
  readonly miner: Hex;
  readonly stateRoot: Hex;
  readonly transactionsRoot: Hex;
  readonly receiptsRoot: Hex;
  readonly logsBloom: Hex | null;
  readonly difficulty: Hex;
  readonly number: Hex | null;
  readonly gasLimit: Hex;
  readonly gasUsed: Hex;
  readonly timestamp: Hex;
  readonly extraData: Hex;
  /** prevRandao since EIP-4399. */
  readonly mixHash: Hex;
  readonly nonce: Hex | null;
  /** London (EIP-1559). */
  readonly baseFeePerGas?: Hex | null | undefined;
  /** Shanghai (EIP-4895). */
  readonly withdrawalsRoot?: Hex | undefined;
  /** Cancun (EIP-4844, EIP-4788). */
  readonly blobGasUsed?: Hex | undefined;
  readonly excessBlobGas?: Hex | undefined;
  readonly parentBeaconBlockRoot?: Hex | undefined;
  /** Prague (EIP-7685); Osaka adds none. */
  readonly requestsHash?: Hex | undefined;
}

type Field = readonly [name: keyof RpcHeader, isQuantity: boolean];

/** Fields in the header's order. A block ends with the last field of its fork. */
const FIELDS: readonly Field[] = [
  ["parentHash", false],
  ["sha3Uncles", false],
  ["miner", false],
  ["stateRoot", false],
  ["transactionsRoot", false],
  ["receiptsRoot", false],
  ["logsBloom", false],
  ["difficulty", true],
  ["number", true],
  ["gasLimit", true],
  ["gasUsed", true],
  ["timestamp", true],
  ["extraData", false],
  ["mixHash", false],
  ["nonce", false],
];
const FORK_FIELDS: readonly Field[] = [
  ["baseFeePerGas", true],
  ["withdrawalsRoot", false],
  ["blobGasUsed", true],
  ["excessBlobGas", true],
  ["parentBeaconBlockRoot", false],
  ["requestsHash", false],
];

/**
 * The header's RLP, for `recordRandomness`. Its keccak256 is the block's hash, or nothing is returned.
 * @throws RollupError CON_HEADER_UNKNOWN for a block that is not mined yet, or of a fork with other fields
 */
export function encodeHeader(block: RpcHeader): Hex {
  const isPresent = ([name]: Field) => block[name] !== undefined && block[name] !== null;
  const fields = [...FIELDS, ...FORK_FIELDS.filter(isPresent)];
  const header = FIELDS.every(isPresent)
    ? toRlp(
        fields.map(([name, isQuantity]) => (isQuantity ? encodeQuantity(block[name] as Hex) : block[name]!)),
      )
    : "0x";
  if (keccak256(header) === block.hash) return header;
  throw contractError("CON_HEADER_UNKNOWN", `the header of block ${block.number} does not give its hash`, {
    data: { blockNumber: block.number, hash: block.hash, encodedHash: keccak256(header) },
  });
}

/** RLP's integers have no leading zeros, and 0 is the empty string. */
function encodeQuantity(quantity: Hex): Hex {
  const value = BigInt(quantity);
  if (value === 0n) return "0x";
  const digits = value.toString(16);
  return `0x${digits.padStart(digits.length + (digits.length % 2), "0")}`;
}
