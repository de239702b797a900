/**
 * Checks of the sequencer's data against L1: a leaf by its Merkle path to the root of the contract, a batch by the contract's
 * event. Pages show such a leaf as verified.
 */
import { hashLeaf, type Leaf } from "@openledger/circuits/ledger/leaf";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { type Hex, isAddressEqual, parseEventLogs } from "viem";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, rollupContract } from "../ledger-client.ts";
import { getBatch, getInfo } from "./ledger-reads.ts";
import { requestSequencer } from "./sequencer-request.ts";
import { postedLeafSchema } from "./sequencer-schemas.ts";

export interface ProvenLeaf {
  readonly leaf: Leaf;
  /** Number of the batch after which L1 holds the root that the leaf leads to. */
  readonly batchNumber: number;
  /** Path from the leaf up to that root: eight children a level. */
  readonly path: readonly (readonly bigint[])[];
}

/**
 * Reads a leaf as L1 has it. The sequencer gives the leaf and its path, the contract the root, and both are compared
 * here.
 * @returns null where L1 does not have the batch yet that the sequencer calls posted
 * @throws CLI_LEAF_UNPROVEN where the path does not lead to that root; OP_UNKNOWN_LEAF, CLI_UNREACHABLE
 */
export async function getProvenLeaf(client: LedgerClient, id: number): Promise<ProvenLeaf | null> {
  const { batchNumber, leaf, rows } = await requestSequencer(
    client,
    `/v1/leaves/${id}/path`,
    postedLeafSchema,
  );
  const elements = [...Object.values(leaf).map(BigInt), ...rows.flat()];
  const isInField = elements.every((element) => element < FIELD_ORDER);
  const root = await rootOnL1(client, batchNumber);
  if (root === null) return null;
  if (isInField && rootFromPath(id, hashLeaf(leaf), rows) === root) return { leaf, batchNumber, path: rows };
  throw clientError(
    "CLI_LEAF_UNPROVEN",
    `the path of leaf ${id} does not lead to the root that L1 holds after batch ${batchNumber}`,
    { data: { id, batchNumber, root } },
  );
}

/** The root after a batch, by the contract or by the event of its transaction; null where L1 does not have the batch. */
async function rootOnL1(client: LedgerClient, batchNumber: number): Promise<bigint | null> {
  try {
    const state = await client.l1.readContract({ ...rollupContract(client), functionName: "state" });
    if (state.batchNumber === batchNumber) return state.root;
    if (state.batchNumber < batchNumber) return null;
    const batch = await getBatch(client, batchNumber);
    if (batch?.l1TransactionHash == null) return null;
    return (await acceptedBatch(client, batch.l1TransactionHash, batchNumber))?.newRoot ?? null;
  } catch (cause) {
    throw clientError("CLI_UNREACHABLE", "cannot read the rollup's root", { data: { server: "L1" }, cause });
  }
}

/** The contract's event about a batch in that transaction; null where it did not take the batch there. */
async function acceptedBatch(client: LedgerClient, hash: Hex, batchNumber: number) {
  const { blockNumber, logs } = await client.l1.getTransactionReceipt({ hash });
  // Another contract can emit an event of the same name.
  const own = logs.filter(({ address }) => isAddressEqual(address, client.rollupAddress));
  const accepted = parseEventLogs({ abi: rollupUserAbi, logs: own, eventName: "BatchAccepted" });
  const args = accepted.find((event) => Number(event.args.batchNumber) === batchNumber)?.args;
  return args === undefined ? null : { ...args, blockNumber };
}

export interface VerifiedBatch {
  /** True if all of `checks` hold. */
  readonly isVerified: boolean;
  /** Result of each check: true if the sequencer's value is the one that the contract accepted with a proof. */
  readonly checks: Readonly<Record<"oldRoot" | "newRoot" | "circuit", boolean>>;
  /** True where anyone can forge proofs of its circuit, because its key is a development key. */
  readonly isDevelopmentKey: boolean;
  readonly newRoot: bigint;
  readonly blockNumber: bigint;
  readonly transactionHash: Hex;
}

/**
 * Compares a batch, as the sequencer shows it, with the one that the contract has accepted. The contract checks every
 * proof itself; `openledger verify` checks them again, and executes every operation.
 * @returns null where L1 does not have the batch, or not in the transaction that the sequencer names
 * @throws CLI_UNREACHABLE, CLI_WRONG_ROLLUP
 * @example
 * ```ts
 * const verified = await verifyBatch(client, 3);
 * if (verified?.isVerified !== true) console.log("Ethereum has another batch 3, or none", verified?.checks);
 * ```
 */
export async function verifyBatch(client: LedgerClient, number: number): Promise<VerifiedBatch | null> {
  const [batch, { circuits }] = await Promise.all([getBatch(client, number), getInfo(client)]);
  const transactionHash = batch?.l1TransactionHash;
  if (batch == null || transactionHash == null) return null;
  const accepted = await acceptedBatch(client, transactionHash, number).catch((cause: unknown) => {
    throw clientError("CLI_UNREACHABLE", `cannot read ${transactionHash}`, { data: { server: "L1" }, cause });
  });
  if (accepted === null) return null;
  const { blockNumber, newRoot, oldRoot } = accepted;
  const circuit = circuits[accepted.circuit];
  const checks = {
    oldRoot: batch.oldRoot === oldRoot,
    newRoot: batch.newRoot === newRoot,
    circuit: circuit !== undefined && batch.circuit === circuit.name,
  };
  const isVerified = Object.values(checks).every(Boolean);
  const isDevelopmentKey = circuit?.isDevelopment !== false;
  return { isVerified, checks, isDevelopmentKey, newRoot, blockNumber, transactionHash };
}
