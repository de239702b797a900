/**
 * The rollup's contract as typed calls. Every write is simulated first, so that a refusal comes with the name
 * of the contract's error and costs nothing. Bridge, verifiers, full nodes and commands read and write L1
 * through it; amounts are wei.
 */

import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import {
  type ContractIc,
  type ContractProof,
  type G1Point,
  type G2ImaginaryFirst,
  imaginaryFirst,
} from "@openledger/circuits/wire/groth16-proof";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { RollupParameters } from "@openledger/contracts/build/rollup-parameters";
import { awaitReceipt } from "@openledger/contracts/l1/await-receipt";
import {
  type CappedTransaction,
  cappedTransaction,
  DEFAULT_SPENDING_CAP,
  type SpendingCap,
} from "@openledger/contracts/l1/capped-transaction";
import {
  type Abi,
  type Address,
  encodeFunctionData,
  type Hex,
  type LocalAccount,
  type TransactionReceipt,
} from "viem";
import { type BlobSource, NO_BLOBS } from "../blobs/blob-source.ts";
import { bridgeError } from "../bridge-errors.ts";
import { creditCountOf } from "./credit-count.ts";
import { type AtBlock, type L1Client, l1Call, type Reader, readerOf } from "./l1-client.ts";
import { namedBlobs } from "./submission/named-blobs.ts";

/** A batch as the contract takes it. */
interface ContractBatch {
  /** Index of the circuit on L1. */
  readonly circuit: number;
  readonly commitment: bigint;
  /** Wire form (docs/reference/ledger.md, "Batch data"). */
  readonly data: Hex;
}

/** A settlement as the contract takes it: for the next Settle or Activation record. */
export interface ContractSettlement {
  /** Index of the circuit on L1. */
  readonly circuit: number;
  readonly commitment: bigint;
  /** Wire form (docs/reference/settlement.md, "On L1"). */
  readonly data: Hex;
}

/** Empty data: the record takes its pre-verified settlement, and there is no proof. */
export const TAKE_PRE_VERIFIED: ContractSettlement = { circuit: 0, commitment: 0n, data: "0x" };

/** Arguments of one call of submitBatches. */
export interface ContractSubmission {
  readonly batches: readonly ContractBatch[];
  /** Settlements in the order of the records that take them, over all batches. */
  readonly settlements: readonly ContractSettlement[];
  /** Proofs of the batches, then of the settlements that are not pre-verified. */
  readonly proofs: readonly ContractProof[];
}

export interface RollupState {
  readonly root: bigint;
  readonly batchNumber: number;
  readonly nextId: number;
  readonly opIndex: number;
  readonly timestamp: number;
  readonly queueHead: number;
  /** True where the rollup is frozen: its root never changes again (docs/reference/exits.md). */
  readonly isFrozen: boolean;
}

export interface RegisteredKey {
  readonly alpha: G1Point;
  readonly beta: G2ImaginaryFirst;
  readonly delta: G2ImaginaryFirst;
  readonly ic: ContractIc;
}

export interface RegisteredCircuit extends CircuitSizes {
  readonly index: number;
  readonly isDevelopment: boolean;
  readonly circuitId: bigint;
  readonly key: RegisteredKey;
}

type SubmissionArgs = readonly [
  readonly ContractBatch[],
  readonly ContractSettlement[],
  readonly ContractProof[],
];

type Call =
  | { functionName: "submitBatches"; args: SubmissionArgs }
  | {
      functionName: "preVerifySettlement";
      args: readonly [number, bigint, readonly ContractSettlement[], readonly ContractProof[]];
    }
  | { functionName: "finalizeWithdrawal"; args: readonly [Address] };

const readRollup: Reader<typeof rollupAbi> = readerOf(rollupAbi, "rollup");

interface RollupContractOptions {
  readonly client: L1Client;
  readonly address: Address;
  /** Cap on fees of transactions that accounts sign here. Default: 200 gwei for a unit of gas, 10 of them a tip. */
  readonly spendingCap?: SpendingCap | undefined;
  /** Source of the blobs of its batches; absent: blobs are not read. */
  readonly blobs?: BlobSource | undefined;
}

/** A wallet elsewhere, which signs and sends in one step: a browser's, for example. */
export interface WalletSender {
  readonly type: "wallet";
  readonly address: Address;
  /** Sends within the limits that the transaction names; the wallet chooses the nonce. @throws the wallet's errors */
  sendTransaction(transaction: CappedTransaction): Promise<Hex>;
}

/** Payer of a transaction: a key of this process, or a wallet. */
export type L1Sender = LocalAccount | WalletSender;

/** A call of the rollup's contract, or of the token's. */
interface ContractCall {
  readonly abi: Abi;
  readonly address: Address;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

const submissionArgs = (submission: ContractSubmission): SubmissionArgs => [
  submission.batches,
  submission.settlements,
  submission.proofs,
];

export class RollupContract {
  readonly client: L1Client;
  readonly address: Address;
  readonly blobs: BlobSource;
  readonly #spendingCap: SpendingCap;
  /** A view of the contract, by its name there. */
  readonly read: ReturnType<Reader<typeof rollupAbi>>;

  constructor(options: RollupContractOptions) {
    this.client = options.client;
    this.address = options.address;
    this.blobs = options.blobs ?? NO_BLOBS;
    this.#spendingCap = options.spendingCap ?? DEFAULT_SPENDING_CAP;
    this.read = readRollup(options.client, options.address);
  }

  state(at: AtBlock = {}): Promise<RollupState> {
    return this.read("state", [], at);
  }

  ledgerWei(at: AtBlock = {}): Promise<bigint> {
    return this.read("ledgerWei", [], at);
  }

  burnableWei(at: AtBlock = {}): Promise<bigint> {
    return this.read("burnableWei", [], at);
  }

  pendingWithdrawalWei(owner: Address, at: AtBlock = {}): Promise<bigint> {
    return this.read("pendingWithdrawals", [owner], at);
  }

  queueTail(at: AtBlock = {}): Promise<bigint> {
    return this.read("queueTail", [], at);
  }

  /** Returns true if an entry waits for longer than the soft deadline: then anybody may take it. */
  isOverdue(queueIndex: number): Promise<boolean> {
    return this.read("isOverdue", [BigInt(queueIndex)]);
  }

  /** L1 timestamp from which a waiting entry is overdue, in seconds. */
  async queueDueAtSeconds(queueIndex: number): Promise<number> {
    const [stored, deadline] = await Promise.all([
      this.read("queueEntries", [BigInt(queueIndex)]),
      this.read("SOFT_DEADLINE", []),
    ]);
    // The lower 40 bits of a stored entry are its time.
    return Number(BigInt.asUintN(40, stored) + deadline);
  }

  queueFeeWei(): Promise<bigint> {
    return this.read("queueFeeWei", []);
  }

  async queuedDeposits(at: AtBlock = {}): Promise<{ count: bigint; amountWei: bigint }> {
    const [count, amountWei] = await this.read("queuedDeposits", [], at);
    return { count, amountWei };
  }

  domain(): Promise<bigint> {
    return this.read("domain", []);
  }

  idFeeWei(): Promise<bigint> {
    return this.read("idFeeWei", []);
  }

  queueBaseFeeWei(): Promise<bigint> {
    return this.read("queueBaseFeeWei", []);
  }

  /** Maximum entries that wait in the queue. It never changes. */
  queueCapacity(): Promise<number> {
    return this.read("queueCapacity", []);
  }

  /** Parameters that the deployer chose, and the token's supply. */
  async parameters(): Promise<RollupParameters> {
    const [idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity, token] = await Promise.all([
      this.idFeeWei(),
      this.minDepositWei(),
      this.queueBaseFeeWei(),
      this.queueCapacity(),
      this.token(),
    ]);
    const supplyWei = await l1Call("read the token's supply", () =>
      this.client.readContract({ address: token, abi: openTokenAbi, functionName: "totalSupply" }),
    );
    return { idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity, supplyWei };
  }

  minDepositWei(): Promise<bigint> {
    return this.read("minDepositWei", []);
  }

  sequencer(): Promise<Address> {
    return this.read("sequencer", []);
  }

  token(): Promise<Address> {
    return this.read("token", []);
  }

  /** The registered circuits, by their index on L1. They never change. */
  async circuits(): Promise<RegisteredCircuit[]> {
    const count = Number(await this.read("circuitCount", []));
    const read = async (index: number): Promise<RegisteredCircuit> => {
      const circuit = await this.read("circuits", [BigInt(index)]);
      const { beta, delta } = circuit.key;
      const key = { ...circuit.key, beta: imaginaryFirst(...beta), delta: imaginaryFirst(...delta) };
      return { ...circuit, index, circuitId: BigInt(circuit.circuitId), key };
    };
    return Promise.all(Array.from({ length: count }, (_, index) => read(index)));
  }

  /** Place on L1 of a batch that holds a CloseEpoch; zeros for any other number. */
  async closedAt(batchNumber: number, at: AtBlock = {}): Promise<{ blockNumber: number; timestamp: number }> {
    const [blockNumber, timestamp] = await this.read("closedAt", [BigInt(batchNumber)], at);
    return { blockNumber: Number(blockNumber), timestamp: Number(timestamp) };
  }

  /** prevRandao as it was recorded for a batch that holds a CloseEpoch, or 0. */
  randomness(batchNumber: number, at: AtBlock = {}): Promise<bigint> {
    return this.read("randomness", [BigInt(batchNumber)], at);
  }

  /**
   * Pre-verified settlement for the Settle record with this model and word: since when, and from when on anybody may
   * post a batch with the record, in seconds. null where there is none.
   */
  async preVerifiedSettlement(
    modelId: number,
    word: bigint,
    at: AtBlock = {},
  ): Promise<{ timestamp: number; postableFrom: number; burnedWei: bigint } | null> {
    const [[, timestamp, burnedWei], deadline] = await Promise.all([
      this.read("preVerifiedSettlements", [BigInt(modelId), word], at),
      this.read("SOFT_DEADLINE", []),
    ]);
    if (timestamp === 0n) return null;
    return { timestamp: Number(timestamp), postableFrom: Number(timestamp + deadline) + 1, burnedWei };
  }

  /** Pre-verifies a settlement, from any account, and waits until it is mined. @throws BRG_CONTRACT_REVERTED */
  preVerifySettlement(
    account: LocalAccount,
    record: { readonly modelId: number; readonly word: bigint },
    entries: readonly ContractSettlement[],
    proofs: readonly ContractProof[],
  ): Promise<TransactionReceipt> {
    const args = [record.modelId, record.word, entries, proofs] as const;
    return this.#write(account, { functionName: "preVerifySettlement", args });
  }

  /** Input of a transaction that records the randomness of a batch's CloseEpochs. */
  encodeRecordRandomness(batchNumber: number, header: Hex): Hex {
    return encodeFunctionData({
      abi: rollupAbi,
      functionName: "recordRandomness",
      args: [BigInt(batchNumber), header],
    });
  }

  /** Input of a transaction that submits these batches. */
  encodeSubmitBatches(submission: ContractSubmission): Hex {
    return encodeFunctionData({
      abi: rollupAbi,
      functionName: "submitBatches",
      args: submissionArgs(submission),
    });
  }

  /**
   * @param blobs of the transaction, in the order of the batches that take them
   * @throws BRG_CONTRACT_REVERTED
   */
  estimateSubmitBatchesGas(
    submission: ContractSubmission,
    from: Address,
    at: AtBlock = {},
    blobs: readonly { readonly versionedHash: Hex }[] = [],
  ): Promise<bigint> {
    return l1Call("take the batches", async () =>
      this.client.estimateContractGas({
        abi: rollupAbi,
        address: this.address,
        functionName: "submitBatches",
        args: submissionArgs(submission),
        account: from,
        // viem's types know calls with the blobs themselves alone.
        ...((await namedBlobs(this.client, blobs)) as object),
        ...at,
      }),
    );
  }

  /** Sends batches from any account, and waits until they are mined. @throws BRG_CONTRACT_REVERTED */
  submitBatches(account: LocalAccount, submission: ContractSubmission): Promise<TransactionReceipt> {
    const call = { functionName: "submitBatches", args: submissionArgs(submission) } as const;
    return this.#write(account, call, creditCountOf(submission.batches));
  }

  finalizeWithdrawal(account: L1Sender, owner: Address): Promise<TransactionReceipt> {
    return this.#write(account, { functionName: "finalizeWithdrawal", args: [owner] });
  }

  #write(account: L1Sender, call: Call, creditCount = 0): Promise<TransactionReceipt> {
    const target = { abi: rollupAbi, address: this.address };
    return this.send(account, `run ${call.functionName}`, { ...target, ...call }, creditCount);
  }

  /**
   * Simulates the call, requires that its fees are within the cap, signs, sends, and waits until it is mined.
   * @param creditCount payments that it credits, which strangers can make dearer meanwhile
   * @throws CON_L1_COST_ABOVE_CAP, BRG_CONTRACT_REVERTED, BRG_L1_*
   */
  async send(
    account: L1Sender,
    doing: string,
    call: ContractCall,
    creditCount = 0,
  ): Promise<TransactionReceipt> {
    const hash = await l1Call(doing, async () => {
      const simulated = account.type === "wallet" ? account.address : account;
      await this.client.simulateContract({ ...call, account: simulated });
      const transaction = await cappedTransaction(
        this.client,
        { from: account.address, to: call.address, data: encodeFunctionData(call), creditCount },
        this.#spendingCap,
      );
      if (account.type === "wallet") return account.sendTransaction(transaction);
      const serializedTransaction = await account.signTransaction(transaction);
      return this.client.sendRawTransaction({ serializedTransaction });
    });
    let isOther = false;
    const onReplaced = ({ reason }: { reason: string }) => {
      isOther = reason !== "repriced";
    };
    const receipt = await l1Call(`wait for ${hash}`, () => awaitReceipt(this.client, { hash, onReplaced }));
    if (isOther)
      throw bridgeError("BRG_L1_REFUSED", `${doing}: another transaction took the place of ${hash}`, {
        data: { doing, transactionHash: hash, replacedBy: receipt.transactionHash },
      });
    if (receipt.status !== "success") {
      throw bridgeError("BRG_CONTRACT_REVERTED", `${doing}: the transaction ${hash} was mined and reverted`, {
        data: { doing, errorName: null, operands: [], transactionHash: hash, from: account.address },
      });
    }
    return receipt;
  }
}
