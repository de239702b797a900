/** Batches with blobs on a local node: stated with forged proofs, sent with their blobs or only tried with the blobs' names. */

import type { BatchData } from "@openledger/circuits/batch/batch-data";
import { signalsOf } from "@openledger/circuits/blob/batch-statement";
import { versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { stateBatch } from "@openledger/circuits/blob/blob-opening";
import { blobWithProof } from "@openledger/circuits/blob/blob-sidecar";
import { commitBlob, openBlob } from "@openledger/circuits/blob/kzg";
import { toBytesBe } from "@openledger/circuits/field/element-vector";
import { shapeName } from "@openledger/circuits/protocol";
import {
  bytesToHex,
  concat,
  decodeErrorResult,
  encodeFunctionData,
  type Hex,
  type TransactionReceipt,
} from "viem";
import { signBlobTransaction } from "../l1/blob-transaction.ts";
import { anvilAccount } from "./anvil-account.ts";
import {
  type ClosedBatch,
  type Fixture,
  ROLES,
  type Role,
  randomElement,
  submission,
} from "./rollup-fixture.ts";

export interface ClosedBlobBatch extends ClosedBatch {
  /** Versioned hash of the blob; null for a batch without one. */
  readonly versionedHash: Hex | null;
}

const accountOf = (role: Role) => anvilAccount(ROLES.indexOf(role));

/** Follows the fixture's `close`, with a blob if the shape has one. `change` alters the proven signals. */
export async function closeWithBlob(
  f: Fixture,
  content: BatchData,
  change: (signals: bigint[]) => bigint[] = (signals) => signals,
): Promise<ClosedBlobBatch> {
  const circuit = f.shapes.findIndex((shape) => shapeName(shape) === shapeName(content.shape));
  const { circuitId, forge } = f.circuits[circuit]!;
  const { statement, versionedHash, wire } = await stateBatch(content, circuitId, randomElement());
  return {
    batch: { circuit, commitment: statement.commitment, data: bytesToHex(wire) },
    proof: forge(change(signalsOf(statement))),
    content,
    versionedHash,
  };
}

/** anvil reads Ethereum's setup at the first use of the precompile, for seconds; no test's call should wait for it. */
export async function warmUpKzg({ client }: Pick<Fixture, "client">): Promise<void> {
  const commitment = await commitBlob([5n]);
  const { y, proof } = await openBlob([5n], 9n);
  const numbers = [9n, y].map((n) => toBytesBe(n, 32));
  const data = concat([
    versionedHashOf(commitment),
    ...numbers.map((number) => bytesToHex(number)),
    bytesToHex(commitment),
    bytesToHex(proof),
  ]);
  await client.call({ to: "0x000000000000000000000000000000000000000a", data });
}

const inputOf = (f: Fixture, closed: readonly ClosedBatch[]): Hex =>
  encodeFunctionData({ abi: f.rollup.abi, functionName: "submitBatches", args: submission(closed) });

const hashesOf = (closed: readonly ClosedBlobBatch[]): Hex[] =>
  closed.flatMap(({ versionedHash }) => (versionedHash === null ? [] : [versionedHash]));

/** Outcome of the call in a transaction with these blobs: "accepted", or the error's name and operands. */
export async function tryWithBlobs(
  f: Fixture,
  closed: readonly ClosedBlobBatch[],
  blobVersionedHashes: readonly Hex[] = hashesOf(closed),
): Promise<{ name: string; args: readonly unknown[] }> {
  const { address } = accountOf("sequencer");
  const call = { from: address, to: f.rollup.address, data: inputOf(f, closed) };
  const blobs =
    blobVersionedHashes.length === 0 ? {} : { blobVersionedHashes, maxFeePerBlobGas: "0x3b9aca00" };
  try {
    await f.client.request({ method: "eth_call", params: [{ ...call, ...blobs }, "latest"] } as never);
    return { name: "accepted", args: [] };
  } catch (error) {
    const data = /0x[0-9a-f]{8,}/.exec(JSON.stringify(error, Object.getOwnPropertyNames(error)))?.[0] as Hex;
    const { args, errorName } = decodeErrorResult({ abi: f.rollup.abi, data: dataOf(error) ?? data });
    return { name: errorName, args: args ?? [] };
  }
}

/** Data of a revert, from any place where the client may have put it. */
function dataOf(error: unknown): Hex | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { data } = cause as { data?: unknown };
    if (typeof data === "string" && data.startsWith("0x")) return data as Hex;
  }
  return null;
}

interface BlobReceipt {
  readonly receipt: TransactionReceipt;
  /** Used blob gas, which has a price of its own. */
  readonly blobGasUsed: bigint;
}

/** Sends the batches with their blobs in one transaction. */
export async function submitWithBlobs(f: Fixture, closed: readonly ClosedBlobBatch[]): Promise<BlobReceipt> {
  const account = accountOf("sequencer");
  const sidecars = [];
  for (const { content, versionedHash } of closed)
    if (versionedHash !== null) sidecars.push(await blobWithProof(blobElements(content)));
  const transaction = {
    chainId: f.client.chain.id,
    nonce: await f.client.getTransactionCount({ address: account.address }),
    to: f.rollup.address,
    data: inputOf(f, closed),
    gas: 16_000_000n,
    maxFeePerGas: 10n ** 10n,
    maxPriorityFeePerGas: 1n,
    maxFeePerBlobGas: 10n ** 10n,
  };
  const { raw, transactionHash } = await signBlobTransaction(account, transaction, sidecars);
  try {
    await f.client.sendRawTransaction({ serializedTransaction: raw as never });
  } catch (error) {
    // A node that checks for longer than the client waits is asked again.
    if (!/already (imported|known)/.test((error as Error).message.slice(-200))) throw new Error("not sent");
  }
  const receipt = await f.client.waitForTransactionReceipt({ hash: transactionHash });
  if (receipt.status !== "success") throw new Error(`${transactionHash} reverted`);
  return { receipt, blobGasUsed: receipt.blobGasUsed ?? 0n };
}
