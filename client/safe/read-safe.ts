/**
 * Reader of a Safe on L1: its owners, threshold and nonce, and what can act beside its owners. Proposals are judged by it, and
 * `leaf-owner.ts` says by it whose word a record is.
 */
import { isNodeRefusal, isNodeUnreachable } from "@openledger/contracts/l1/node-refusal";
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  getAddress,
  type Hex,
  keccak256,
  numberToHex,
  parseAbi,
  stringToHex,
} from "viem";
import { l1Error } from "../actions/l1/l1-result.ts";
import { clientError } from "../client-errors.ts";
import { isContractAt } from "../contract-wallet.ts";
import type { LedgerClient } from "../ledger-client.ts";

/**
 * Node of L1 to read from: a client's, or a page's without a wallet.
 * @internal
 */
export type L1Reader = Pick<
  LedgerClient["l1"],
  "getBlockNumber" | "getCode" | "getStorageAt" | "readContract"
>;

/**
 * Functions of a Safe that are called here.
 * @internal
 */
export const SAFE_ABI = parseAbi([
  "function VERSION() view returns (string)",
  "function nonce() view returns (uint256)",
  "function getThreshold() view returns (uint256)",
  "function getOwners() view returns (address[])",
  "function getModulesPaginated(address start, uint256 pageSize) view returns (address[] array, address next)",
  "function approvedHashes(address owner, bytes32 hash) view returns (uint256)",
  "function getTransactionHash(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, uint256 _nonce) view returns (bytes32)",
  "function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) payable returns (bool)",
]);

/** Versions whose hash of a transaction has the chain's number and the Safe's address in it, all of one form. */
const VERSIONS = /^(1\.3\.0|1\.4\.1|1\.5\.0)(\+L2)?$/;
/** Maximum owners of a Safe that is read. */
const MAX_OWNERS = 100;
/** Modules that are named; a Safe with one more has too many to trust by their names. */
const MAX_MODULES = 10;
/** First entry of a Safe's list of modules. */
const SENTINEL: Address = "0x0000000000000000000000000000000000000001";
const slotOf = (name: string): Hex => keccak256(stringToHex(name));
const GUARD_SLOTS = [slotOf("guard_manager.guard.address"), slotOf("module_manager.module_guard.address")];

/** A Safe as L1 has it, all of one block. */
export interface Safe {
  readonly address: Address;
  readonly version: string;
  /** Contract whose code the Safe runs. */
  readonly singleton: Address;
  readonly owners: readonly Address[];
  /** Number of owners who have to sign. */
  readonly threshold: number;
  /** Nonce of the next transaction. */
  readonly nonce: number;
  /** Contracts that act for the Safe without its owners' signatures; the first ten. */
  readonly modules: readonly Address[];
  /** Contracts that can refuse its transactions. */
  readonly guards: readonly Address[];
  readonly blockNumber: bigint;
}

export type ReadSafeErrorCode = "CLI_SAFE_UNKNOWN" | "CLI_L1_REFUSED" | "CLI_UNREACHABLE";

/**
 * Reads a Safe of version 1.3.0, 1.4.1 or 1.5.0. A contract can pretend to be one: the leaves that it owns are what it decides about.
 * @throws CLI_SAFE_UNKNOWN where the address has no code, or that of no such Safe; CLI_L1_REFUSED, CLI_UNREACHABLE
 * @internal
 */
export async function readSafe(l1: L1Reader, input: Address): Promise<Safe> {
  const address = getAddress(input);
  const { blockNumber, isContract } = await reachable(async () => ({
    blockNumber: await l1.getBlockNumber({ cacheTime: 0 }),
    isContract: await isContractAt(l1, address),
  }));
  if (!isContract) throw unknownSafe(address, "no-contract", "has no code");
  const at = { address, abi: SAFE_ABI, blockNumber } as const;
  const [version, nonce, threshold, owners, [modules], singleton, ...guards] = await reachable(
    () =>
      Promise.all([
        l1.readContract({ ...at, functionName: "VERSION" }),
        l1.readContract({ ...at, functionName: "nonce" }),
        l1.readContract({ ...at, functionName: "getThreshold" }),
        l1.readContract({ ...at, functionName: "getOwners" }),
        l1.readContract({
          ...at,
          functionName: "getModulesPaginated",
          args: [SENTINEL, BigInt(MAX_MODULES)],
        }),
        ...[numberToHex(0, { size: 32 }), ...GUARD_SLOTS].map((slot) =>
          l1.getStorageAt({ address, slot, blockNumber }),
        ),
      ]),
    () => unknownSafe(address, "other-contract", "does not answer as a Safe"),
  );
  if (!VERSIONS.test(version))
    throw unknownSafe(address, "version", `is a Safe of version ${version.slice(0, 20)}`);
  const isSound =
    owners.length > 0 &&
    owners.length <= MAX_OWNERS &&
    new Set(owners).size === owners.length &&
    threshold >= 1n &&
    threshold <= BigInt(owners.length) &&
    nonce <= BigInt(Number.MAX_SAFE_INTEGER);
  if (!isSound)
    throw unknownSafe(
      address,
      "other-contract",
      `names ${owners.length} owners and the threshold ${threshold}`,
    );
  return {
    address,
    version,
    singleton: addressIn(singleton)!,
    owners,
    threshold: Number(threshold),
    nonce: Number(nonce),
    modules,
    guards: guards.flatMap((word) => addressIn(word) ?? []),
    blockNumber,
  };
}

const unknownSafe = (address: Address, reason: "no-contract" | "other-contract" | "version", why: string) =>
  clientError("CLI_SAFE_UNKNOWN", `${address} ${why}`, { data: { address, reason } });

/** Address in a word of storage; null for none. */
function addressIn(word: Hex | undefined): Address | null {
  const value = BigInt(word ?? "0x0");
  return value === 0n ? null : getAddress(numberToHex(value % 2n ** 160n, { size: 20 }));
}

/**
 * Runs a read of L1.
 * @param otherwise error where the node answers and the contract does not do what is asked of it
 * @internal
 */
export async function reachable<T>(read: () => Promise<T>, otherwise?: () => Error): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    // viem tells a contract's revert and a node's refusal apart by an error of its own.
    const isNode =
      !(cause instanceof BaseError) ||
      isNodeUnreachable(cause) ||
      (isNodeRefusal(cause) &&
        cause.walk((error) => error instanceof ContractFunctionRevertedError) === null);
    throw isNode || otherwise === undefined ? l1Error(cause, "reading the Safe") : otherwise();
  }
}
