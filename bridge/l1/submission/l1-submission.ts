/** What a transaction with batches held: from its own input, or from events where that may not hold it. */

import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { type Hex, isAddressEqual } from "viem";
import { bridgeError } from "../../bridge-errors.ts";
import { type L1Client, l1Call } from "../l1-client.ts";
import type { RollupLog } from "../log-reader.ts";
import { readPreVerifiedSettlement } from "./pre-verified-settlement.ts";
import { decodeSubmission } from "./submission-call.ts";
import type { SubmittedPart, SubmittedSettlement } from "./submitted-part.ts";

export interface Submission {
  readonly transactionHash: Hex;
  readonly batches: ReadonlyMap<bigint, SubmittedPart>;
  /** In the order of the records that took them, over all batches of the transaction. */
  readonly settlements: readonly SubmittedSettlement[];
}

/**
 * All batches and settlements of the transaction that `first` is an event of.
 * @throws BRG_BATCH_NOT_IN_CALL, BRG_L1_*
 */
export async function readSubmission(
  client: L1Client,
  first: RollupLog,
  logs: readonly RollupLog[],
): Promise<Submission> {
  const hash = first.transactionHash;
  const own = logs.filter((log) => log.transactionHash === hash);
  // The transaction is read by its place, not by its hash. Nodes forget hashes after about a year and keep the blocks
  // (geth: --history.transactions, 2,350,000 blocks).
  const { blockHash, transactionIndex: index } = first;
  const transaction = await l1Call(`read transaction ${hash}`, () =>
    client.getTransaction({ blockHash, index }),
  );
  // submitBatches calls no contract, so a call of it is the only one of its transaction.
  const isDirect = transaction.to !== null && isAddressEqual(transaction.to, first.address);
  const call = isDirect ? decodeSubmission(transaction.input) : null;
  const notInCall = (what: string, data: object) =>
    bridgeError(
      "BRG_BATCH_NOT_IN_CALL",
      `${what} came in through another contract, and no event holds its data`,
      {
        data: { ...data, transactionHash: hash, to: transaction.to },
      },
    );

  const numbers = own.flatMap((log) => (log.eventName === "BatchAccepted" ? [log.args.batchNumber] : []));
  const emittedBatches = new Map(
    own.flatMap((log) => (log.eventName === "BatchData" ? [[log.args.batchNumber, log.args.data]] : [])),
  );
  const batches = new Map<bigint, SubmittedPart>();
  for (const [i, number] of numbers.entries()) {
    const called = call?.batches.length === numbers.length ? call.batches[i]! : null;
    const data = emittedBatches.get(number) ?? called?.data;
    if (data === undefined) throw notInCall(`batch ${number}`, { batchNumber: Number(number) });
    batches.set(number, part(data, called, call?.proofs[i]));
  }

  const accepted = own.filter(takesSettlementOnL1);
  const emitted = own.flatMap((log) => (log.eventName === "SettlementData" ? [log.args.data] : []));
  const calledSettlements = call?.settlements.length === accepted.length ? call.settlements : null;
  const settlements: SubmittedSettlement[] = [];
  // Those that came with their batches: proofs and events count only them.
  let broughtCount = 0;
  for (const [i, log] of accepted.entries()) {
    if (log.eventName === "PreVerifiedSettlementTaken") {
      settlements.push(await readPreVerifiedSettlement(client, log));
      continue;
    }
    const { batchNumber, modelId } = log.args;
    const called = calledSettlements?.[i] ?? null;
    const data = emitted[broughtCount] ?? called?.data;
    if (data === undefined) {
      throw notInCall(`a settlement of batch ${batchNumber}`, {
        batchNumber: Number(batchNumber),
        modelId: Number(modelId),
      });
    }
    const proof = call?.proofs[numbers.length + broughtCount];
    settlements.push({
      circuitIndex: log.args.circuit,
      preVerifiedAtBlock: null,
      ...part(data, called, proof),
    });
    broughtCount += 1;
  }
  return { transactionHash: hash, batches, settlements };
}

export type SettlementLog = RollupLog & {
  eventName: "SettlementAccepted" | "ActivationAccepted" | "PreVerifiedSettlementTaken";
};

/** The events of records that took a settlement, one each, in their order. */
export const takesSettlementOnL1 = (log: RollupLog): log is SettlementLog =>
  log.eventName === "SettlementAccepted" ||
  log.eventName === "ActivationAccepted" ||
  log.eventName === "PreVerifiedSettlementTaken";

/** C and the proof count only where they were given with these very bytes. */
function part(
  data: Hex,
  called: { data: Hex; commitment: bigint } | null,
  proof: ContractProof | undefined,
): SubmittedPart {
  const isCalled = called !== null && called.data === data;
  return {
    data,
    commitment: isCalled ? called.commitment : null,
    proof: isCalled ? (proof ?? null) : null,
  };
}
