/** Batches that stand in blobs, on a local node: their transactions, and a beacon node in front of it that can forget. */
import { createHash } from "node:crypto";
import { bytesToHex, encodeFunctionData, type Hex, type TransactionReceipt } from "viem";
import type { Operation } from "../../circuits/batch/slot-trace.ts";
import { signalsOf } from "../../circuits/blob/batch-statement.ts";
import { encodeBlob } from "../../circuits/blob/blob-bytes.ts";
import { blobElements } from "../../circuits/blob/blob-elements.ts";
import { readOpening, stateBatch } from "../../circuits/blob/blob-opening.ts";
import { BLOB_FIELD_ORDER } from "../../circuits/blob/blob-polynomial.ts";
import { openBlob } from "../../circuits/blob/kzg.ts";
import { fromBytesBe } from "../../circuits/field/element-vector.ts";
import type { Ledger } from "../../circuits/ledger/ledger.ts";
import { type BatchShape, shapeName } from "../../circuits/protocol.ts";
import { openBatch, sealedCommitment } from "../../circuits/table/sealed-batch.ts";
import { rollupAbi } from "../../contracts/build/rollup-abi.ts";
import type { VersionedHash } from "../blobs/blob-source.ts";
import { type BlobServer, serveBlobs } from "./blob-server.ts";
import { anvilAccount } from "./bridge-fixture.ts";
import type { HistoryFixture } from "./history-fixture.ts";

/** Who may submit in the contracts' fixture. */
const SEQUENCER_INDEX = 1;
/** EIP-4844, FIAT_SHAMIR_PROTOCOL_DOMAIN. */
const FIAT_SHAMIR_DOMAIN = "FSBLOBVERIFY_V1_";

/** Executes operations on the fixture's ledger and posts them in a batch whose narrow slots stand in a blob. */
export async function postBlobBatch(
  f: HistoryFixture,
  shape: BatchShape,
  operations: (ledger: Ledger) => readonly Operation[],
): Promise<{ receipt: TransactionReceipt; versionedHash: VersionedHash; blob: Uint8Array }> {
  const circuit = f.l1.shapes.findIndex((known) => shapeName(known) === shapeName(shape));
  const simulated = f.l1.circuits[circuit]!;
  const builder = openBatch(f.ledger, { ...(await f.l1.draft()), shape });
  for (const operation of operations(f.ledger)) builder.add(operation);
  const sealed = builder.close();
  const { data } = sealed.batch;
  const commitment = sealedCommitment(sealed);
  const { statement, versionedHash, wire } = await stateBatch(data, simulated.circuitId, commitment);
  const elements = blobElements(data);
  const blob = encodeBlob(elements);
  const sidecar = {
    blob: bytesToHex(blob),
    commitment: bytesToHex(readOpening(wire).commitment),
    proof: bytesToHex(await blobProof(blob, elements, readOpening(wire).commitment)),
  };
  const args = [
    [{ circuit, commitment, data: bytesToHex(wire) }],
    [],
    [simulated.forge(signalsOf(statement) as never)],
  ] as const;
  const account = anvilAccount(SEQUENCER_INDEX);
  const { client } = f.l1;
  const serializedTransaction = await account.signTransaction({
    type: "eip4844",
    chainId: await client.getChainId(),
    nonce: await client.getTransactionCount({ address: account.address }),
    to: f.rollup.address,
    data: encodeFunctionData({ abi: rollupAbi, functionName: "submitBatches", args }),
    gas: 3_000_000n,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 1n,
    maxFeePerBlobGas: 10n ** 10n,
    blobVersionedHashes: [versionedHash as Hex],
    sidecars: [sidecar],
  });
  const hash = await client.sendRawTransaction({ serializedTransaction });
  const receipt = await client.waitForTransactionReceipt({ hash });
  if (receipt.status !== "success") throw new Error(`transaction ${hash} with a blob reverted`);
  return { receipt, versionedHash: versionedHash as VersionedHash, blob };
}

/** That a blob is its commitment's, as nodes took it before EIP-7594 and anvil still does; cells would take seconds. */
async function blobProof(
  blob: Uint8Array,
  elements: readonly bigint[],
  commitment: Uint8Array,
): Promise<Uint8Array> {
  const degree = Buffer.alloc(16);
  degree.writeUInt32BE(blob.length / 32, 12);
  const hash = createHash("sha256").update(FIAT_SHAMIR_DOMAIN).update(degree).update(blob).update(commitment);

  return (await openBlob(elements, fromBytesBe(hash.digest()) % BLOB_FIELD_ORDER)).proof;
}

export interface ForgetfulBeacon extends BlobServer {
  /** From now on no blob is there, as 18 days later. */
  prune(): void;
}

/** The node's own beacon routes, until it is told to forget. */
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
