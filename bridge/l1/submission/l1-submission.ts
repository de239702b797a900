/**
 * Reader of a transaction with batches: the submitted batches and settlements, from its own input, or from
 * events where the input may not hold them. l1-history.ts and pages call it.
 */
import { entryCount } from "@openledger/circuits/settlement/settlement-data";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { type Hex, hexToBytes, isAddressEqual } from "viem";
import { bridgeError } from "../../bridge-errors.ts";
import { type L1Client, l1Call } from "../l1-client.ts";
import { logsIncomplete, type RollupLog } from "../log-reader.ts";
import { readPreVerifiedSettlement } from "./pre-verified-settlement.ts";
import { decodeSubmission } from "./submission-call.ts";
import type { SubmittedEntry, SubmittedPart, SubmittedSettlement } from "./submitted-part.ts";

export interface Submission {
  readonly transactionHash: Hex;
  readonly batches: ReadonlyMap<bigint, SubmittedPart>;
  /** Settlements in the order of the records that took them, over all batches of the transaction. */
  readonly settlements: readonly SubmittedSettlement[];
}

/**
 * All batches and settlements of the transaction that `first` is an event of.
 * @throws BRG_L1_LOGS_INCOMPLETE where the call has more than its events, since the contract takes all of a call or nothing
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
  const requireAll = (what: string, eventCount: number, calledParts: readonly unknown[] | undefined) => {
    if (calledParts === undefined || calledParts.length === eventCount) return;
    throw logsIncomplete(`events of ${what} in transaction ${hash}`, first.blockNumber, first.blockNumber);
  };
  requireAll("batches", numbers.length, call?.batches);
  const batches = new Map<bigint, SubmittedPart>();
  for (const [i, number] of numbers.entries()) {
    const called = call?.batches[i] ?? null;
    const data = emittedBatches.get(number) ?? called?.data;
    if (data === undefined) throw notInCall(`batch ${number}`, { batchNumber: Number(number) });
    batches.set(number, part(data, called, call?.proofs[i]));
  }

  const emitted = own.flatMap((log) => (log.eventName === "SettlementData" ? [log.args.data] : []));
  const settlements: SubmittedSettlement[] = [];
  // Entries of the call so far, and those of them that came with their batches: proofs and events count only these.
  let calledCount = 0;
  let broughtCount = 0;
  for (const log of own.filter(takesSettlementOnL1)) {
    if (log.eventName === "PreVerifiedSettlementTaken") {
      settlements.push(await readPreVerifiedSettlement(client, log));
      calledCount += 1;
      continue;
    }
    const { batchNumber, modelId } = log.args;
    const next = (): SubmittedEntry => {
      const called = call?.settlements[calledCount] ?? null;
      const data = emitted[broughtCount] ?? called?.data;
      if (data === undefined) {
        throw notInCall(`a settlement of batch ${batchNumber}`, {
          batchNumber: Number(batchNumber),
          modelId: Number(modelId),
        });
      }
      const proof = call?.proofs[numbers.length + broughtCount];
      calledCount += 1;
      broughtCount += 1;
      const read = part(data, called, proof);
      return { ...read, circuitIndex: read.commitment === null ? null : called!.circuit };
    };
    const first = next();
    const isByDraws = log.eventName === "SettlementAccepted" && !log.args.isDefault;
    const count = entryCount(hexToBytes(first.data), isByDraws);
    const further = Array.from({ length: count - 1 }, next);
    settlements.push({ ...first, circuitIndex: log.args.circuit, preVerifiedAtBlock: null, further });
  }
  requireAll("settlements", calledCount, call?.settlements);
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

/** C and the proof count only where the call has them with these very bytes. */
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
