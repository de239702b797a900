/**
 * Settles a model's epoch on L1 without the operator, in two steps. The ledger is rebuilt from L1, the
 * settlement is proven and pre-verified: the contract takes it from anybody 3 days after the CloseEpoch, the
 * default split after 14, and the sequencer's next batch executes it. Where it does not for 24 hours, the same
 * call proves a batch of one Settle record and posts it. What it needs beyond an L1 node is public: the
 * circuits, and for a sampled settlement the model's features and the openings of its answers. `openledger
 * models settle` calls it where the operator does not settle.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { bridgeError } from "@openledger/bridge/bridge-errors";
import { createPatientL1Client, l1Call } from "@openledger/bridge/l1/l1-client";
import { requireRunning } from "@openledger/bridge/l1/require-running";
import {
  type ContractSettlement,
  RollupContract,
  TAKE_PRE_VERIFIED,
} from "@openledger/bridge/l1/rollup-contract";
import {
  DEFAULT_SPLIT_DELAY_SECONDS,
  OPEN_SETTLEMENT_DELAY_SECONDS,
} from "@openledger/bridge/l1/settlement-times";
import { encodeWire } from "@openledger/circuits/batch/batch-data";
import { settlementOperationOf } from "@openledger/circuits/batch/settlement-operation";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { GENESIS_FEE_ACCOUNT_ID, KIND, TREE_DEPTH } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import type { AnswerOpening, ModelFeatures } from "@openledger/circuits/settlement/divide-epoch";
import { defaultSplit } from "@openledger/circuits/settlement/payee-table-rules";
import type { PreparedSettlement } from "@openledger/circuits/settlement/settled-model";
import { encodeEntries, proofStatement } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { closedInputs, closedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { gasCostWei, type SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import { type Address, bytesToHex, type Hex, type LocalAccount, type TransactionReceipt } from "viem";
import {
  type ChosenCircuit,
  chooseBatchCircuit,
  choosePayeeTable,
  chooseSettlementCircuit,
  type KnownCircuit,
} from "../replay/settlement-circuits.ts";
import { restoreLedger } from "../restore/restore-ledger.ts";
import { type ProveStatement, proveStatement } from "./prove-statement.ts";

const SETTLE_STAGES = ["restore", "settle", "prove-settlement", "pre-verify", "prove-batch", "send"] as const;
export type SettleStage = (typeof SETTLE_STAGES)[number];

/** Division of the epoch: by its draws, or, after 14 days, by row counts. */
export type Division =
  | {
      readonly kind: "draws";
      readonly features: ModelFeatures;
      /** Returns the opening of a receipt that the model published; undefined if it published none. */
      readonly openingOf: (receipt: bigint) => AnswerOpening | undefined;
    }
  | { readonly kind: "row-counts" };

interface SubmitSettlementOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Block of the rollup's deployment. Default: it is searched for. */
  readonly fromBlock?: bigint;
  /** Source of the batches' blobs. Default: none. */
  readonly blobs?: BlobSource | undefined;
  /** Account that pays for the transaction, anybody's. */
  readonly account: LocalAccount;
  /** Cap on the account's spending. Default: RollupContract's. */
  readonly spendingCap?: SpendingCap | undefined;
  readonly modelId: number;
  readonly division: Division;
  /** Circuits that `prove` can prove: names of the registry, ids of their keys. */
  readonly circuits: readonly KnownCircuit[];
  readonly prove: ProveStatement;
  readonly onStage?: (stage: SettleStage) => void;
}

interface SubmitSettlementResult {
  /** waiting: it was pre-verified before, and the sequencer still has time; nothing was sent. */
  readonly status: "pre-verified" | "waiting" | "settled";
  /** Hash of the transaction; null if none was sent. */
  readonly transactionHash: Hex | null;
  /** The batch that settles the epoch; null while it is pre-verified. */
  readonly batchNumber: number | null;
  /** L1 time in seconds from which anybody may post a batch with it; null once it is settled. */
  readonly postableFrom: number | null;
  readonly epoch: number;
  readonly gasUsed: number;
  /** Cost of the transaction in wei of ether. */
  readonly gasCostWei: bigint;
  /** Earnings of each payee, in wei. */
  readonly earnedWei: readonly bigint[];
}

/**
 * Pre-verifies the settlement, or posts it if it was pre-verified long enough ago. Call it again until the
 * epoch is settled.
 * @throws BRG_FROZEN, BRG_NOTHING_TO_DO, BRG_TOO_EARLY, BRG_OPENING_MISSING, BRG_NO_CIRCUIT,
 * BRG_PROOF_OF_ANOTHER; BRG_CONTRACT_REVERTED if L1 moved meanwhile; BRG_L1_*, CIR_SETTLEMENT_*, and what
 * `prove` throws
 */
export async function submitSettlement(options: SubmitSettlementOptions): Promise<SubmitSettlementResult> {
  await initPoseidon();
  const { account, circuits, division, modelId, prove, rpcUrl } = options;
  const stage = options.onStage ?? (() => {});
  const client = createPatientL1Client({ rpcUrl });
  const rollup = new RollupContract({
    client,
    address: options.rollupAddress,
    spendingCap: options.spendingCap,
    blobs: options.blobs,
  });

  await requireRunning(rollup);
  stage("restore");
  const restored = await restoreLedger(rollup, { fromBlock: options.fromBlock });
  const { ledger, registered, replay, state } = restored;
  const record = ledger.leaf(modelId);
  const closed = record?.rewards?.closed ?? null;
  if (record === undefined || closed === null) {
    throw bridgeError("BRG_NOTHING_TO_DO", `model ${modelId} has no closed epoch on L1`, {
      data: { reason: "nothing-to-settle", modelId },
    });
  }
  const closingBatch = Number(closed.closingBatch);
  await requireTime(rollup, division, closingBatch);

  stage("settle");
  const { rewards } = record;
  const model = { modelId, statics: record.model!.statics, ...rewards! };
  let prepared: PreparedSettlement;
  let circuit: ChosenCircuit;
  let shard: ChosenCircuit | null = null;
  if (division.kind === "row-counts") {
    circuit = choosePayeeTable(registered, circuits, model.payees);
    prepared = defaultSplit(model, closed, circuit.size1);
  } else {
    const prevRandao = await rollup.randomness(closingBatch);
    if (prevRandao === 0n) {
      throw bridgeError("BRG_TOO_EARLY", `batch ${closingBatch}'s randomness is not on L1`, {
        data: { reason: "randomness-not-recorded", modelId, closingBatch },
      });
    }
    const payments = replay.payments.closed(modelId)!.payments;
    const { features, openingOf } = division;
    const chosen = chooseSettlementCircuit(registered, circuits, {
      ...modelShape(model.statics, model.payees),
      payments: payments.length,
    });
    ({ circuit, shard } = chosen);
    prepared = settleEpoch({
      size: chosen.size,
      model,
      closed,
      payments,
      openingOf: (index) =>
        requireOpening(openingOf(payments[index]!.receipt), modelId, payments[index]!.receipt),
      features,
      seed: drawSeed({ ...closed, prevRandao, modelId }),
    });
  }
  const { data, earnedWei } = prepared;
  const epoch = Number(closed.epoch);
  const nothingSent = { transactionHash: null, gasUsed: 0, gasCostWei: 0n };
  const key = { modelId, word: data.settlementHash };
  const preVerified = await rollup.preVerifiedSettlement(modelId, key.word);
  if (preVerified === null) {
    const receipt = await preVerify(options, rollup, {
      prepared,
      stage,
      circuits: [circuit, ...prepared.proofs.slice(1).map(() => shard ?? circuit)],
    });
    const { postableFrom } = (await rollup.preVerifiedSettlement(modelId, key.word)) ?? {
      postableFrom: null,
    };
    return { status: "pre-verified", batchNumber: null, postableFrom, epoch, earnedWei, ...costOf(receipt) };
  }
  const head = await l1Call("read the newest block", () => client.getBlock());
  const { postableFrom } = preVerified;
  if (Number(head.timestamp) < postableFrom)
    return { status: "waiting", batchNumber: null, postableFrom, epoch, earnedWei, ...nothingSent };

  stage("prove-batch");
  const batchCircuit = chooseBatchCircuit(registered, circuits);
  const [domain, idFeeWei] = await Promise.all([rollup.domain(), rollup.idFeeWei()]);
  const builder = new TableBuilder(ledger, {
    shape: batchShape(batchCircuit),
    domain,
    idFeeWei,
    oldRoot: state.root,
    batchNumber: BigInt(state.batchNumber) + 1n,
    firstOpIndex: BigInt(state.opIndex),
    oldNextId: state.nextId,
    timestamp: head.timestamp,
    feeAccountId: GENESIS_FEE_ACCOUNT_ID,
    feePerUnitWei: 0n,
  });
  const settleRecord = { kind: KIND.settle, b: modelId, words: [data.settlementHash] };
  builder.add(settlementOperationOf(settleRecord, data, record));
  const made = builder.close();
  const { batch } = made;
  const batchSigned = closedStatement(made, batchCircuit.circuitId);
  const inputs = closedInputs(made, batchSigned.z, TREE_DEPTH);
  const proven = await proveStatement(prove, batchCircuit.name, inputs, batchSigned);

  stage("send");
  const receipt = await rollup.submitBatches(account, {
    batches: [
      {
        circuit: batchCircuit.index,
        commitment: batchSigned.commitment,
        data: bytesToHex(encodeWire(batch.data)),
      },
    ],
    settlements: [TAKE_PRE_VERIFIED],
    proofs: [proven],
  });
  const batchNumber = Number(batch.data.batchNumber);
  return { status: "settled", batchNumber, postableFrom: null, epoch, earnedWei, ...costOf(receipt) };
}

async function preVerify(
  { account, modelId, prove }: SubmitSettlementOptions,
  rollup: RollupContract,
  {
    circuits,
    prepared,
    stage,
  }: {
    prepared: PreparedSettlement;
    /** Circuits of its proofs. */
    circuits: readonly ChosenCircuit[];
    stage: (stage: SettleStage) => void;
  },
): Promise<TransactionReceipt> {
  const { data } = prepared;
  const wires = encodeEntries(data);
  stage("prove-settlement");
  const settlements: ContractSettlement[] = [];
  const proofs: ContractProof[] = [];
  for (const [i, entry] of prepared.proofs.entries()) {
    const circuit = circuits[i]!;
    const statement = proofStatement(entry, circuit.circuitId);
    proofs.push(await proveStatement(prove, circuit.name, entry.inputs, statement));
    const { commitment } = statement;
    settlements.push({ circuit: circuit.index, commitment, data: bytesToHex(wires[i]!) });
  }
  stage("pre-verify");
  return rollup.preVerifySettlement(account, { modelId, word: data.settlementHash }, settlements, proofs);
}

const costOf = (receipt: TransactionReceipt) => ({
  transactionHash: receipt.transactionHash,
  gasUsed: Number(receipt.gasUsed),
  gasCostWei: gasCostWei(receipt),
});

/** L1 would refuse it only after an hour of proving. */
async function requireTime(rollup: RollupContract, division: Division, closingBatch: number): Promise<void> {
  const { timestamp } = await rollup.closedAt(closingBatch);
  const isDefault = division.kind === "row-counts";
  const earliestSeconds =
    timestamp + (isDefault ? DEFAULT_SPLIT_DELAY_SECONDS : OPEN_SETTLEMENT_DELAY_SECONDS);
  const head = await l1Call("read the newest block", () => rollup.client.getBlock());
  if (Number(head.timestamp) >= earliestSeconds) return;
  throw bridgeError(
    "BRG_TOO_EARLY",
    `L1 takes ${isDefault ? "a default split" : "a stranger's settlement"} of batch ${closingBatch} from ${earliestSeconds} on`,
    {
      data: {
        reason: "settlement-too-early",
        closingBatch,
        earliestSeconds,
        nowSeconds: Number(head.timestamp),
      },
    },
  );
}

/** Requires an opening. A void draw needs the model's signature, which a stranger does not have. */
function requireOpening(opening: AnswerOpening | undefined, modelId: number, receipt: bigint): AnswerOpening {
  if (opening !== undefined) return opening;
  throw bridgeError(
    "BRG_OPENING_MISSING",
    `model ${modelId} has not published what receipt ${receipt} opens to`,
    {
      data: { modelId, receipt },
    },
  );
}
