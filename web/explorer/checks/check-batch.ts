/**
 * Checks a batch in the page: reads it from Ethereum, computes C, z and y again, and verifies the proof with the key of the
 * page's own build. The operator's server is asked only where to look; whatever it says is compared. The card "Check it
 * yourself" of a batch's page runs it.
 */

import { EMPTY_BLOB_HASH, type VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { type ReadBatch, readPostedBatch } from "@openledger/bridge/blobs/read-batch";
import { type L1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import type { RollupLog } from "@openledger/bridge/l1/log-reader";
import { readSubmission } from "@openledger/bridge/l1/submission/l1-submission";
import type { SubmittedPart } from "@openledger/bridge/l1/submission/submitted-part";
import { decodeWire, type L1Header } from "@openledger/circuits/batch/batch-data";
import { batchStatement, signalsOf } from "@openledger/circuits/blob/batch-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { FIELD_ORDER, GENESIS_NEXT_ID, KIND } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import type { LedgerBatch } from "@openledger/client/sequencer/sequencer-schemas";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { computeDomain } from "@openledger/contracts/build/verifying-key";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { type Hex, hexToBytes } from "viem";
import type { PageBlobs } from "../../blobs/page-blobs.ts";
import { firstDifference } from "./batch-differences.ts";
import { type CheckedKey, findKey, type L1Request, proofValues, readOwnLogs } from "./check-parts.ts";
import { attemptsOf, type CheckStep, hex } from "./check-steps.ts";

export interface BatchToCheck extends L1Request {
  /** Batch as the operator's server shows it. */
  readonly batch: LedgerBatch;
  /** The transaction with the batch before; null for the first. */
  readonly transactionBefore: Hex | null;
  /** Source of the batch's blob, if it is in one. */
  readonly blobs: PageBlobs;
}

interface OnL1 {
  readonly accepted: RollupLog & { eventName: "BatchAccepted" };
  readonly part: SubmittedPart;
  readonly blockNumber: bigint;
}

/** Reports each step as soon as it is done. Ends after a failed step that the next ones need. */
export async function checkBatch(question: BatchToCheck, tell: (step: CheckStep) => void): Promise<void> {
  await initPoseidon();
  const attempt = attemptsOf(tell);
  const { batch: shown } = question;

  const found = await attempt("found", () => findOnL1(question, shown.number, shown.l1TransactionHash!));
  if (found === null) return;
  tell({
    name: "found",
    state: "done",
    text: `The contract took batch ${shown.number} in block ${found.blockNumber}.`,
    values: [
      ["contract", question.rollupAddress],
      ["transaction", shown.l1TransactionHash!],
    ],
  });

  const key = await attempt("key", () => findKey(question, found.accepted.args.circuit));
  if (key === null) return;
  tell({
    name: "key",
    state: "done",
    text: "The contract verifies with the same key that came with this page.",
    values: [["circuit id", hex(key.circuitId)]],
  });

  const { blobs } = question;
  blobs.onProgress = (text) => tell({ name: "data", state: "current", text: `Now ${text} …` });
  const read = await attempt("data", () => decode(question, found, key));
  blobs.end();
  if (read === null) return;
  const { batch, versionedHash } = read;
  // Empty slots may stand between the sections of a leaf table.
  const count = [...batch.narrow, ...batch.wide].filter(({ kind }) => kind !== KIND.null).length;
  tell({
    name: "data",
    state: "done",
    text: `${count === 1 ? "One operation" : `${count} operations`} in ${(found.part.data.length - 2) / 2} bytes${versionedHash === null ? "" : " and a blob"}; the roots before and after are the contract's.${blobText(versionedHash)}`,
    values: [
      ["root before", hex(batch.oldRoot)],
      ["root after", hex(batch.newRoot)],
      ...(versionedHash === null ? [] : [["blob", versionedHash] as const]),
    ],
  });
  const difference = firstDifference(shown, batch);
  tell(
    difference === null
      ? {
          name: "shown",
          state: "done",
          text: "The operations that this page shows are those on Ethereum, word for word.",
        }
      : {
          name: "shown",
          state: "failed",
          text: `This server shows other data than Ethereum has: ${difference.what}.`,
          values: [
            ["shown here", difference.shown],
            ["on Ethereum", difference.onL1],
          ],
        },
  );
  await attempt("commitment", () => checkStatement(read, found.part, key, tell));
}

function blobText(versionedHash: VersionedHash | null): string {
  if (versionedHash === null) return "";
  return versionedHash === EMPTY_BLOB_HASH
    ? " The blob has only zeros, so no server was asked for it."
    : " The blob came from a server; its commitment, computed here, is the one that Ethereum holds.";
}

/** The batch's event in its transaction, and its bytes. */
async function findOnL1(question: BatchToCheck, number: number, transactionHash: Hex): Promise<OnL1> {
  const { client } = question;
  const { blockNumber, logs } = await readOwnLogs(question, transactionHash);
  const accepted = logs.find(
    (log) => log.eventName === "BatchAccepted" && Number(log.args.batchNumber) === number,
  ) as OnL1["accepted"] | undefined;
  if (accepted === undefined)
    throw new Error(`the contract took no batch ${number} in the transaction ${transactionHash}`);
  const submission = await readSubmission(client as unknown as L1Client, accepted, logs);
  return { accepted, part: submission.batches.get(accepted.args.batchNumber)!, blockNumber };
}

/** Decodes the posted batch with the contract's state before it. The two must fit together. */
async function decode(
  question: BatchToCheck,
  { accepted, part, blockNumber }: OnL1,
  { sizes }: CheckedKey,
): Promise<ReadBatch> {
  const { blobs, client, rollupAddress, transactionBefore } = question;
  const { batchNumber, oldRoot, newRoot, opIndex } = accepted.args;
  const at = { address: rollupAddress, abi: rollupAbi } as const;
  const [chainId, idFeeWei, oldNextId] = await Promise.all([
    l1Call("read the chain's id", () => client.getChainId()),
    l1Call("read the contract's fee", () => client.readContract({ ...at, functionName: "idFeeWei" })),
    transactionBefore === null ? GENESIS_NEXT_ID : nextIdBefore(question, transactionBefore, accepted),
  ]);
  const header: L1Header = {
    domain: computeDomain(chainId, rollupAddress, FIELD_ORDER),
    oldRoot,
    batchNumber,
    firstOpIndex: 0n,
    oldNextId,
    idFeeWei,
  };
  const blockTimeSeconds = async () =>
    Number((await l1Call(`read block ${blockNumber}`, () => client.getBlock({ blockNumber }))).timestamp);
  const where = {
    batchNumber: Number(batchNumber),
    blockNumber: Number(blockNumber),
    blockTimeSeconds,
    blobs,
  };
  const read = await readPostedBatch(hexToBytes(part.data), batchShape(sizes), header, where);
  const { batch } = read;
  if (batch.newRoot !== newRoot)
    throw new Error(
      `the posted data has the root ${hex(batch.newRoot)}, the contract's event ${hex(newRoot)}: the data is not what the contract took`,
    );
  return { ...read, batch: { ...batch, firstOpIndex: BigInt(opIndex) - BigInt(batch.signedCount) } };
}

const NOTHING_BEFORE: L1Header = {
  domain: 0n,
  oldRoot: 0n,
  batchNumber: 0n,
  firstOpIndex: 0n,
  oldNextId: 0,
  idFeeWei: 0n,
};

/** The first free leaf after the batch before, from that batch's own posted bytes. */
async function nextIdBefore(question: BatchToCheck, hash: Hex, accepted: OnL1["accepted"]): Promise<number> {
  const number = Number(accepted.args.batchNumber) - 1;
  const before = await findOnL1(question, number, hash);
  if (before.accepted.args.newRoot !== accepted.args.oldRoot)
    throw new Error(`batch ${number} ended with another root than this one begins with`);
  const { sizes } = await findKey(question, before.accepted.args.circuit);
  return decodeWire(hexToBytes(before.part.data), batchShape(sizes), NOTHING_BEFORE).newNextId;
}

function checkStatement(
  { batch, versionedHash }: ReadBatch,
  { commitment: posted, proof }: SubmittedPart,
  { circuitId, key }: CheckedKey,
  tell: (step: CheckStep) => void,
): void {
  if (posted === null || proof === null) {
    tell({
      name: "commitment",
      state: "skipped",
      text: "The batch came in through another contract, so the transaction does not show its proof. The contract verified it when it took the batch; it cannot be verified again here.",
    });
    return;
  }
  const blob = versionedHash === null ? null : BigInt(versionedHash);
  const statement = batchStatement(batch, circuitId, posted, blob);
  const { z, y } = statement;
  // C covers what only its prover knows; what the data has of it is y.
  tell({
    name: "commitment",
    state: "done",
    text: "The commitment is read as it was posted, not computed from the data. The proof binds it to the data.",
    values: [["commitment", hex(posted)]],
  });
  tell({
    name: "challenge",
    state: "done",
    text:
      blob === null
        ? "The challenge follows from the circuit, the commitment and the data; the value is the data's at that point. Both computed here."
        : "The challenge follows from the circuit, the commitment, the data and the blob's hash; the values are those of the data and of the blob's two halves. All computed here.",
    values: [
      ["challenge", hex(z)],
      ["value", hex(y)],
    ],
  });
  const isValid = verifyProof(key, fromContractProof(proof), signalsOf(statement));
  const values = proofValues(proof);
  tell(
    isValid
      ? {
          name: "proof",
          state: "done",
          text: "The proof is valid: this batch leads from the root before to the root after by the rules.",
          values,
        }
      : {
          name: "proof",
          state: "failed",
          text: "The proof does not fit this data. The contract cannot have accepted both; ask another Ethereum node.",
          values,
        },
  );
}
