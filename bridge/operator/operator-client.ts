/**
 * HTTP client of the sequencer's operator routes (docs/reference/api.md), as the bridge calls them: L1's head
 * and queue in, proven batches out, reports back.
 */
import type { LedgerPosition } from "@openledger/circuits/ledger/ledger";
import {
  type ContractProof,
  fromContractProof,
  type Groth16Proof,
  toContractProof,
} from "@openledger/circuits/wire/groth16-proof";
import {
  awaitedClosesAnswer,
  chainAnswer,
  type foreignBatchesBody,
  type l1HeadBody,
  nextIndexAnswer,
  preVerifiedSettlementsAnswer,
  type preVerifiedSettlementsBody,
  type queueEntriesBody,
  readyBatchesAnswer,
} from "@openledger/circuits/wire/operator-api";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import type { DataPrices } from "@openledger/contracts/l1/data-cost";
import { hex32 } from "@openledger/foundation/hex";
import type { RollupError } from "@openledger/foundation/rollup-error";
import {
  askSequencer,
  type SequencerEndpoint,
  type SequencerFailure,
} from "@openledger/foundation/wire/sequencer-request";
import { type Hex, zeroHash } from "viem";
import { z } from "zod";
import { bridgeError } from "../bridge-errors.ts";
import type { QueueEntry } from "../l1/queue-entry.ts";
import type { PreVerifiedEntry, PreVerifiedSettlement } from "../l1/submission/pre-verified-settlement.ts";

interface ReadyEntry {
  /** Name of the circuit, "payee-table-64". */
  readonly circuit: string;
  readonly commitment: bigint;
  readonly data: Hex;
  readonly proof: ContractProof;
}

/** A settlement that a batch's Settle or Activation record takes; its own fields are those of its first entry. */
export interface ReadySettlement extends ReadyEntry {
  /** Further entries in L1's order; empty for a settlement of one shard. */
  readonly further: readonly ReadyEntry[];
  /** The Settle record that takes it; null for an Activation. */
  readonly settles: { readonly modelId: number; readonly word: bigint } | null;
}

/** A proven batch that L1 does not have yet. */
export interface ReadyBatch {
  readonly batchNumber: number;
  readonly batchHash: string;
  /** Name of the circuit, "table-4-2-2-8-2-2-1". */
  readonly circuit: string;
  readonly commitment: bigint;
  readonly data: Hex;
  readonly proof: ContractProof;
  /** Coefficients of its blob, 32 bytes each; absent where it has none. */
  readonly blobElements?: Hex | undefined;
  /** Settlements in the order of the records that take them. */
  readonly settlements: readonly ReadySettlement[];
}

/** Place on L1 of the CloseEpochs of a batch, and the state of their randomness. */
export interface CloseReport {
  readonly batchNumber: number;
  readonly blockNumber: number;
  readonly timestamp: number;
  /** prevRandao as the contract recorded it; null as long as it did not. */
  readonly prevRandao: bigint | null;
  /** True where it was not recorded in time: it never will be. */
  readonly isMissed: boolean;
}

/** Positions of the sequencer's chain after its last final batch and after each later one. */
export interface ChainPositions {
  readonly finalNumber: number;
  /** L1's block that took the last final batch, where the sequencer knows it. */
  readonly finalBlockNumber?: number | undefined;
  /** A batch on L1 that breaks the ledger's rules; absent where there is none. */
  readonly malformedBatch?: number | undefined;
  /** Positions in ascending order, the final one's first. */
  readonly positions: readonly {
    readonly batchNumber: number;
    readonly root: bigint;
    readonly opIndex: number;
    readonly queueHead: number;
    /** Hash of the batch; absent for the final one. */
    readonly batchHash?: string | undefined;
    readonly status?: string | undefined;
  }[];
}

/** A batch on L1 that the sequencer did not make. */
export interface ForeignBatchReport {
  readonly batchNumber: number;
  /** Index on L1. */
  readonly circuitIndex: number;
  /** C of the call; null where the batch came in through another contract. */
  readonly commitment: bigint | null;
  readonly data: Hex;
  /** Posted data of each settlement's entries, in the order of the records that take them. */
  readonly settlements: readonly (readonly Hex[])[];
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** The reason that a batch on its way to L1 will not arrive as it is. */
export type DropReason =
  /** L1 forgot the transaction; the bridge sends it again. */
  | "reorganised"
  /** The batch's time is too old for L1: it has to be closed again with a new one. */
  | "stale-timestamp"
  /** The batch leaves overdue queue entries to later batches: they have to go before its own operations. */
  | "queue-overdue"
  /** L1 took another batch in its place: the sequencer has to follow L1 first. */
  | "superseded"
  /** L1 refuses it for another reason, at several blocks. */
  | "refused";

export interface BatchReport {
  readonly batchHash: string;
  readonly status: "submitted" | "posted" | "final" | "dropped";
  /** Hash of the transaction; absent where the batch was dropped before it was ever sent. */
  readonly transactionHash?: Hex;
  readonly blockNumber?: number;
  /** Gas of the whole transaction, which may hold other batches too. */
  readonly gasUsed?: number;
  /** Wei paid for a unit of gas. */
  readonly gasPriceWei?: bigint;
  readonly reason?: DropReason;
}

/** Requests of the bridge to the sequencer. */
export interface OperatorClient {
  reportL1Head(head: {
    blockNumber: number;
    timestamp: number;
    baseFeePerGasWei: bigint | null;
    /** Prices of calldata and blobs; null where L1 names none. */
    dataPrices: DataPrices | null;
    isFrozen: boolean;
    /** Place of the ledger on L1 at this block. */
    place: LedgerPosition;
    /** Blocks after which the bridge counts a batch as final. */
    finalityDepthBlocks: number;
    alarms: readonly string[];
  }): Promise<void>;
  /**
   * Hands over entries; idempotent.
   * @returns the index of the next entry, and whether the sequencer knows L1's place
   */
  addQueueEntries(entries: readonly QueueEntry[]): Promise<{ nextIndex: number; isPlaceKnown: boolean }>;
  /**
   * Hands over L1's entries from `fromIndex` on, in place of those that it took back; idempotent. @returns as
   * addQueueEntries
   */
  replaceQueueEntries(fromIndex: number, entries: readonly QueueEntry[]): Promise<{ nextIndex: number }>;
  readyBatches(limit: number): Promise<ReadyBatch[]>;
  reportBatch(batchNumber: number, report: BatchReport): Promise<void>;
  chain(): Promise<ChainPositions>;
  /**
   * Hands over batches in order; idempotent. An empty list where L1 has taken back others' batches. @throws
   * BRG_BATCH_MALFORMED
   */
  reportForeignBatches(batches: readonly ForeignBatchReport[]): Promise<void>;
  /** Reports a CloseEpoch; idempotent. */
  reportClose(report: CloseReport): Promise<void>;
  /** Batches whose CloseEpochs wait for their randomness, by the ledger. */
  awaitedCloses(): Promise<readonly number[]>;
  /** Batches with closed epochs that wait for their settlement. */
  unsettledCloses(): Promise<readonly number[]>;
  /** Offers settlements; idempotent. @returns for each, whether it is settled for good, or can never be */
  offerPreVerifiedSettlements(preVerified: readonly PreVerifiedSettlement[]): Promise<{ isOver: boolean[] }>;
}

type OperatorClientOptions = Omit<SequencerEndpoint, "token"> & { readonly operatorToken: string };

const forContract = <Posted extends { readonly proof: Groth16Proof }>(posted: Posted) => ({
  ...posted,
  proof: toContractProof(posted.proof),
});

const entryBody = (entry: QueueEntry): z.input<typeof queueEntriesBody>["entries"][number] => ({
  ...entry,
  amountWei: entry.amountWei.toString(),
  word1: hex32(entry.word1),
  word2: hex32(entry.word2),
  word3: hex32(entry.word3),
  word4: hex32(entry.word4),
});

type ForeignBody = z.input<typeof foreignBatchesBody>["batches"][number];
const foreignBody = ({ commitment, settlements, ...rest }: ForeignBatchReport): ForeignBody => ({
  ...rest,
  commitment: commitment === null ? null : hex32(commitment),
  settlements: settlements.map((entries) => [...entries]),
});

type PreVerifiedBody = z.input<typeof preVerifiedSettlementsBody>["settlements"][number];
function preVerifiedBody({ further, modelId, word, ...first }: PreVerifiedSettlement): PreVerifiedBody {
  const entryOf = ({ commitment, proof, ...rest }: PreVerifiedEntry) => ({
    ...rest,
    commitment: hex32(commitment),
    proof: proofJson(fromContractProof(proof)),
  });
  return {
    modelId,
    word: hex32(word),
    ...entryOf(first),
    ...(further.length > 0 && { further: further.map(entryOf) }),
  };
}

/** @throws SRV_SEQUENCER_UNREACHABLE, SRV_SEQUENCER_REFUSED, SRV_CONFIG_INVALID (the token) from every method */
export function createOperatorClient({ operatorToken, ...place }: OperatorClientOptions): OperatorClient {
  const endpoint = { ...place, token: operatorToken };
  const ask = async <Schema extends z.ZodType>(path: string, schema: Schema, body?: object) => {
    const answer = await askSequencer(endpoint, { path, ...(body === undefined ? {} : { body }) }, schema);
    if (answer.failure !== null) throw toError(answer.failure);
    return answer.value;
  };

  return {
    async reportL1Head({ alarms, baseFeePerGasWei, dataPrices, place, ...head }) {
      const body: z.input<typeof l1HeadBody> = {
        ...head,
        alarms: [...alarms],
        place: { ...place, root: hex32(place.root) },
        baseFeePerGasWei: baseFeePerGasWei?.toString() ?? null,
        dataPrices: dataPrices && {
          gasPriceWei: dataPrices.gasPriceWei.toString(),
          blobGasPriceWei: dataPrices.blobGasPriceWei.toString(),
        },
      };
      await ask("/operator/l1-head", z.unknown(), body);
    },
    addQueueEntries: (entries) =>
      ask("/operator/queue-entries", nextIndexAnswer, { entries: entries.map(entryBody) }),
    replaceQueueEntries: (fromIndex, entries) =>
      ask("/operator/queue-replacement", nextIndexAnswer, { fromIndex, entries: entries.map(entryBody) }),
    async readyBatches(limit) {
      const batches = await ask(`/operator/batches/ready?limit=${limit}`, readyBatchesAnswer);
      return batches.map((batch) => ({
        ...forContract(batch),
        settlements: batch.settlements.map(({ further = [], ...first }) => ({
          ...forContract(first),
          further: further.map(forContract),
        })),
      }));
    },
    async reportBatch(batchNumber, { gasPriceWei, ...report }) {
      // The route requires a hash; a batch that was dropped before it was sent has none.
      const transactionHash = report.transactionHash ?? zeroHash;
      const price = gasPriceWei === undefined ? {} : { gasPriceWei: gasPriceWei.toString() };
      const body = { ...report, ...price, transactionHash };
      await ask(`/operator/batches/${batchNumber}/l1`, z.unknown(), body);
    },
    chain: () => ask("/operator/chain", chainAnswer),
    async reportForeignBatches(batches) {
      const body: z.input<typeof foreignBatchesBody> = { batches: batches.map(foreignBody) };
      await ask("/operator/foreign-batches", z.unknown(), body);
    },
    offerPreVerifiedSettlements: (preVerified) =>
      ask("/operator/pre-verified-settlements", preVerifiedSettlementsAnswer, {
        settlements: preVerified.map(preVerifiedBody),
      }),
    awaitedCloses: async () => (await ask("/operator/epoch-closes", awaitedClosesAnswer)).batchNumbers,
    unsettledCloses: async () => (await ask("/operator/epoch-closes", awaitedClosesAnswer)).unsettled,
    async reportClose({ prevRandao, ...report }) {
      const body = { ...report, prevRandao: prevRandao === null ? null : hex32(prevRandao) };
      await ask("/operator/epoch-closes", z.unknown(), body);
    },
  };
}

function toError({ cause, error, kind, method, path, reason, status, url }: SequencerFailure): RollupError {
  const data = {
    method,
    path,
    ...(status === null ? {} : { httpStatus: status, sequencerCode: error?.code ?? null }),
  };
  if (kind === "unauthorized") {
    const { origin } = new URL(url);
    return bridgeError(
      "SRV_CONFIG_INVALID",
      `the sequencer at ${origin} does not take BRIDGE_OPERATOR_TOKEN`,
      {
        data,
      },
    );
  }
  // L1 has a batch that the sequencer cannot follow: its remedy goes with it.
  if (error?.code === "SEQ_BATCH_MALFORMED")
    return bridgeError("BRG_BATCH_MALFORMED", error.message, { data: { ...error.data, ...data } });
  const isPassing = kind === "unreachable" || kind === "aborted" || kind === "passing";
  return bridgeError(isPassing ? "SRV_SEQUENCER_UNREACHABLE" : "SRV_SEQUENCER_REFUSED", reason, {
    data,
    cause,
  });
}
