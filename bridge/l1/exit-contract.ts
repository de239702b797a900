/**
 * The part of the rollup's contract that freezes it and pays a frozen ledger out (docs/reference/exits.md), as
 * typed calls. The exit commands and pages send them.
 */

import type { ContractEntry } from "@openledger/circuits/ledger/operation";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { Address, TransactionReceipt } from "viem";
import type { AtBlock } from "./l1-client.ts";
import type { L1Sender, RollupContract } from "./rollup-contract.ts";

/** An exit as the contract takes it. */
export interface ContractExit {
  /** Index of the circuit on L1. */
  readonly circuit: number;
  readonly commitment: bigint;
  readonly key: bigint;
  readonly recipient: Address;
  readonly amountWei: bigint;
}

/** A waiting entry as `QueueEntryAdded` has it. */
interface RefundedQueueEntry {
  readonly index: bigint;
  readonly entry: ContractEntry;
  readonly sender: Address;
}

type Call =
  | { functionName: "freeze"; args: readonly [] }
  | { functionName: "exit"; args: readonly [readonly ContractExit[], readonly ContractProof[]] }
  | { functionName: "refund"; args: readonly [readonly RefundedQueueEntry[]] };

/** The lower 40 bits of a stored queue entry are its time. */
const QUEUE_TIME_BITS = 40;

export class ExitContract {
  readonly rollup: RollupContract;

  constructor(rollup: RollupContract) {
    this.rollup = rollup;
  }

  /** L1 timestamp at which a waiting entry was queued, in seconds; null for an entry that does not wait. */
  async queuedAtSeconds(queueIndex: number, at: AtBlock = {}): Promise<number | null> {
    const stored = await this.rollup.read("queueEntries", [BigInt(queueIndex)], at);
    return stored === 0n ? null : Number(BigInt.asUintN(QUEUE_TIME_BITS, stored));
  }

  /** Seconds that an entry has to wait until anybody may freeze. */
  async hardDeadlineSeconds(): Promise<number> {
    return Number(await this.rollup.read("HARD_DEADLINE", []));
  }

  /** Returns true if the key's balance was credited. */
  isExited(key: bigint, at: AtBlock = {}): Promise<boolean> {
    return this.rollup.read("isExited", [key], at);
  }

  /** @throws BRG_CONTRACT_REVERTED: FreezeTooEarly, FreezeNoWayOut, RollupFrozen */
  freeze(account: L1Sender): Promise<TransactionReceipt> {
    return this.#write(account, { functionName: "freeze", args: [] });
  }

  /** Exits all of them or none. @throws BRG_CONTRACT_REVERTED: ExitDone, VerifierProofRejected, RollupNotFrozen */
  exit(
    account: L1Sender,
    exits: readonly ContractExit[],
    proofs: readonly ContractProof[],
  ): Promise<TransactionReceipt> {
    return this.#write(account, { functionName: "exit", args: [exits, proofs] }, exits.length);
  }

  /** Refunds all of them or none. @throws BRG_CONTRACT_REVERTED: RefundEntryUnknown, RollupNotFrozen */
  refund(account: L1Sender, entries: readonly RefundedQueueEntry[]): Promise<TransactionReceipt> {
    return this.#write(account, { functionName: "refund", args: [entries] }, entries.length);
  }

  #target() {
    return { abi: rollupAbi, address: this.rollup.address } as const;
  }

  #write(account: L1Sender, call: Call, creditCount = 0): Promise<TransactionReceipt> {
    const target = { ...this.#target(), ...call };
    return this.rollup.send(account, `run ${call.functionName}`, target, creditCount);
  }
}
