/** Batches that stand in blobs, on a local node: their transactions, and a beacon node in front of it that can forget. */

import type { Operation } from "@openledger/circuits/batch/slot-trace";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { blobWithProof } from "@openledger/circuits/blob/blob-sidecar";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import type { BatchShape } from "@openledger/circuits/protocol";
import { TableBuilder } from "@openledger/circuits/table/table-builder";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { signBlobTransaction } from "@openledger/contracts/l1/blob-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { closeWithBlob } from "@openledger/contracts/testing/blob-batches";
import { submission } from "@openledger/contracts/testing/rollup-fixture";
import { encodeFunctionData, hexToBytes, type TransactionReceipt } from "viem";
import type { VersionedHash } from "../blobs/blob-source.ts";
import { type BlobServer, serveBlobs } from "./blob-server.ts";
import type { HistoryFixture } from "./history-fixture.ts";

/** Index of the account that may submit in the contracts' fixture. */
const SEQUENCER_INDEX = 1;

/** Executes operations on the fixture's ledger and posts them in a batch whose narrow slots stand in a blob. */
export async function postBlobBatch(
  f: HistoryFixture,
  shape: BatchShape,
  operations: (ledger: Ledger) => readonly Operation[],
): Promise<{ receipt: TransactionReceipt; versionedHash: VersionedHash; blob: Uint8Array }> {
  const builder = new TableBuilder(f.ledger, { ...(await f.l1.draft()), shape });
  for (const operation of operations(f.ledger)) builder.add(operation);
  const { data } = builder.close().batch;
  const closed = await closeWithBlob(f.l1 as never, data);
  const versionedHash = closed.versionedHash as VersionedHash;
  const sidecar = await blobWithProof(blobElements(data));
  const args = submission([closed]);
  const account = anvilAccount(SEQUENCER_INDEX);
  const { client } = f.l1;
  const transaction = {
    chainId: await client.getChainId(),
    nonce: await client.getTransactionCount({ address: account.address }),
    to: f.rollup.address,
    data: encodeFunctionData({ abi: rollupAbi, functionName: "submitBatches", args }),
    gas: 3_000_000n,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 1n,
    maxFeePerBlobGas: 10n ** 10n,
  };
  const { raw } = await signBlobTransaction(account, transaction, [sidecar]);
  const hash = await client.sendRawTransaction({ serializedTransaction: raw });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`transaction ${hash} with a blob reverted`);
  return { receipt, versionedHash, blob: hexToBytes(sidecar.blob) };
}

export interface ForgetfulBeacon extends BlobServer {
  /** Removes all blobs, as nodes do after 18 days. */
  prune(): void;
}

/** Starts the node's own beacon routes, until `prune` is called. */
export async function startForgetfulBeacon(rpcUrl: string): Promise<ForgetfulBeacon> {
  let isPruned = false;
  const server = await serveBlobs((path) => {
    if (isPruned && path.startsWith("/eth/v1/beacon/blob")) return 404;
    return async (_request, response) => {
      const answer = await fetch(`${rpcUrl}${path}`);
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    };
  });
  return {
    ...server,
    prune: () => {
      isPruned = true;
    },
  };
}
