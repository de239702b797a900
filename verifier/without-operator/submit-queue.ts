/**
 * Carries on the L1 queue without the operator: the ledger is rebuilt from L1, batches of overdue entries are
 * proven here, and the contract takes them from anybody. Queue entries need no signatures, so an L1 node and
 * the circuits are all that it takes. `openledger submit-queue` calls it.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { bridgeError } from "@openledger/bridge/bridge-errors";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import type { QueueEntryEvent } from "@openledger/bridge/l1/l1-history";
import { requireRunning } from "@openledger/bridge/l1/require-running";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { encodeWire } from "@openledger/circuits/batch/batch-data";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { GENESIS_FEE_ACCOUNT_ID, TREE_DEPTH } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { closedInputs, closedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import { gasCostWei, type SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import { type Address, bytesToHex, type Hex, type LocalAccount } from "viem";
import { chooseQueueCircuit, type KnownCircuit } from "../replay/settlement-circuits.ts";
import { restoreLedger } from "../restore/restore-ledger.ts";
import { type ProveStatement, proveStatement } from "./prove-statement.ts";

export type QueueStage = "restore" | "prove" | "send";

interface SubmitQueueOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Block of the rollup's deployment. Default: it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** Source of the batches' blobs. Default: none. */
  readonly blobs?: BlobSource | undefined;
  /** Account that pays for the transactions, anybody's. */
  readonly account: LocalAccount;
  /** Cap on the account's spending. Default: RollupContract's. */
  readonly spendingCap?: SpendingCap | undefined;
  /** Circuits that `prove` can prove: names of the registry, ids of their keys. */
  readonly circuits: readonly KnownCircuit[];
  readonly prove: ProveStatement;
  readonly onStage?: (stage: QueueStage, batchNumber: number | null) => void;
}

interface SubmittedQueueBatch {
  readonly batchNumber: number;
  readonly transactionHash: Hex;
  readonly gasUsed: number;
  /** Cost of the transaction in wei of ether. */
  readonly gasCostWei: bigint;
  /**
   * Entries in the queue's order. An invalid one changes nothing, and a deposit then goes back to its sender
   * on L1.
   */
  readonly entries: readonly {
    readonly queueIndex: number;
    readonly kind: number;
    readonly isValid: boolean;
  }[];
}

/**
 * Submits batches, one a transaction, until no entry is overdue.
 * @throws BRG_FROZEN, BRG_NOTHING_TO_DO, BRG_TOO_EARLY, BRG_NO_CIRCUIT, BRG_PROOF_OF_ANOTHER; BRG_CONTRACT_REVERTED
 * where L1 moved meanwhile; BRG_BATCH_MALFORMED, BRG_VERIFY_DIFFERS, BRG_L1_*, and what `prove` throws
 */
export async function submitQueue(options: SubmitQueueOptions): Promise<SubmittedQueueBatch[]> {
  await initPoseidon();
  const { account, circuits, prove, rpcUrl } = options;
  const stage = options.onStage ?? (() => {});
  const client = createPatientL1Client({ rpcUrl });
  const rollup = new RollupContract({
    client,
    address: options.rollupAddress,
    spendingCap: options.spendingCap,
    blobs: options.blobs,
  });
  // Before the ledger is rebuilt: that takes long.
  await requireRunning(rollup);
  await requireOverdue(rollup);

  stage("restore", null);
  const { ledger, registered, replay, state } = await restoreLedger(rollup, { fromBlock: options.fromBlock });
  const { opIndex } = state;
  let { batchNumber, queueHead } = state;
  const circuit = chooseQueueCircuit(registered, circuits);
  const shape = batchShape(circuit);
  const [domain, idFeeWei] = await Promise.all([rollup.domain(), rollup.idFeeWei()]);
  const submitted: SubmittedQueueBatch[] = [];
  for (;;) {
    const overdue: QueueOperation[] = [];
    for (const entry of replay.entries.slice(queueHead, queueHead + shape.wide)) {
      if (!(await rollup.isOverdue(entry.queueIndex))) break;
      overdue.push(toOperation(entry));
    }
    if (overdue.length === 0) return submitted;
    batchNumber += 1;
    stage("prove", batchNumber);
    const head = await l1Call("read the newest block", () => client.getBlock());
    const builder = new TableBuilder(ledger, {
      shape,
      domain,
      idFeeWei,
      oldRoot: ledger.root,
      batchNumber: BigInt(batchNumber),
      firstOpIndex: BigInt(opIndex),
      oldNextId: ledger.nextId,
      timestamp: head.timestamp,
      feeAccountId: GENESIS_FEE_ACCOUNT_ID,
      feePerUnitWei: 0n,
    });
    for (const operation of overdue) builder.add(operation);
    const closed = builder.close();
    const { batch } = closed;
    const statement = closedStatement(closed, circuit.circuitId);
    const inputs = closedInputs(closed, statement.z, TREE_DEPTH);
    const proof = await proveStatement(prove, circuit.name, inputs, statement);
    stage("send", batchNumber);
    const data = bytesToHex(encodeWire(batch.data));
    const receipt = await rollup.submitBatches(account, {
      batches: [{ circuit: circuit.index, commitment: statement.commitment, data }],
      settlements: [],
      proofs: [proof],
    });
    const entries = overdue.map(({ kind, queueIndex }, i) => ({
      queueIndex,
      kind,
      isValid: batch.data.wide[i]!.isValid,
    }));
    const { gasUsed, transactionHash } = receipt;
    submitted.push({
      batchNumber,
      transactionHash,
      gasUsed: Number(gasUsed),
      gasCostWei: gasCostWei(receipt),
      entries,
    });
    queueHead += overdue.length;
  }
}

const toOperation = ({ l1BlockNumber, l1TransactionHash, sender, ...entry }: QueueEntryEvent) => ({
  ...entry,
  sender: BigInt(sender),
});

/** @throws BRG_NOTHING_TO_DO, BRG_TOO_EARLY */
async function requireOverdue(rollup: RollupContract): Promise<void> {
  const [{ queueHead }, queueTail] = await Promise.all([rollup.state(), rollup.queueTail()]);
  if (queueHead >= Number(queueTail))
    throw bridgeError("BRG_NOTHING_TO_DO", "no entry waits in the queue", {
      data: { reason: "queue-empty", queueHead },
    });
  if (await rollup.isOverdue(queueHead)) return;
  const dueAtSeconds = await rollup.queueDueAtSeconds(queueHead);
  throw bridgeError(
    "BRG_TOO_EARLY",
    `queue entry ${queueHead} is the sequencer's to take until ${new Date(1_000 * dueAtSeconds).toISOString()}`,
    { data: { reason: "queue-not-overdue", queueIndex: queueHead, dueAtSeconds } },
  );
}
