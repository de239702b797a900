/** The operator's routes of the sequencer (docs/api.md) that the bridge calls. */
import { type Hex, isHex, zeroHash } from "viem";
import { z } from "zod";
import { isRollupError } from "../../circuits/rollup-error.ts";
import { bridgeError } from "../bridge-errors.ts";
import type { ParkedSettlement } from "../l1/parked-settlement.ts";
import type { QueueEntry } from "../l1/queue-entry.ts";
import type { ContractProof } from "../l1/rollup-contract.ts";

/** A settlement that a batch's Settle or Genesis record takes. */
export interface ReadySettlement {
  /** Name of the circuit, "slot-table-64". */
  readonly circuit: string;
  readonly commitment: bigint;
  readonly data: Hex;
  readonly proof: ContractProof;
  /** The Settle record that takes it; null for a Genesis. */
  readonly settles: { readonly modelId: number; readonly word: bigint } | null;
}

/** A proven batch that L1 does not have yet. */
export interface ReadyBatch {
  readonly batchNumber: number;
  readonly batchHash: string;
  /** Name of the circuit, "batch-6-2". */
  readonly circuit: string;
  readonly commitment: bigint;
  readonly data: Hex;
  readonly proof: ContractProof;
  /** In the order of the records that take them. */
  readonly settlements: readonly ReadySettlement[];
}

/** Where L1 took the Seals of a batch, and what became of their randomness. */
export interface SealReport {
  readonly batchNumber: number;
  readonly blockNumber: number;
  readonly timestamp: number;
  /** As the contract recorded it; null as long as it did not. */
  readonly prevRandao: bigint | null;
  /** It was not recorded in time, and never will be. */
  readonly isMissed: boolean;
}

/** Where the sequencer's chain stands after its last final batch and after each later one. */
export interface ChainPositions {
  readonly finalNumber: number;
  /** L1's block that took the last final batch, where the sequencer knows it. */
  readonly finalBlockNumber?: number | undefined;
  /** A batch on L1 that breaks the ledger's rules; absent where there is none. */
  readonly malformedBatch?: number | undefined;
  /** Ascending, the final one's first. */
  readonly positions: readonly {
    readonly batchNumber: number;
    readonly root: bigint;
    readonly opIndex: number;
    readonly queueHead: number;
    /** Absent of the final one. */
    readonly batchHash?: string | undefined;
    readonly status?: string | undefined;
  }[];
}

/** A batch on L1 that the sequencer did not make. */
export interface ForeignBatchReport {
  readonly batchNumber: number;
  /** Index on L1. */
  readonly circuitIndex: number;
  readonly data: Hex;
  /** Posted data, in the order of the records that take them. */
  readonly settlements: readonly Hex[];
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

/** Why a batch that was on its way to L1 will not arrive as it is. */
export type DropReason =
  /** L1 forgot the transaction; the bridge sends it again. */
  | "reorganised"
  /** The batch's time is too old for L1: it has to be sealed again with a new one. */
  | "stale-timestamp"
  /** It leaves overdue queue entries to later batches: they have to go before what it holds. */
  | "queue-overdue"
  /** L1 took another batch in its place: the sequencer has to follow L1 first. */
  | "superseded"
  /** L1 refuses it for another reason, look after look. */
  | "refused";

export interface BatchReport {
  readonly batchHash: string;
  readonly status: "submitted" | "posted" | "final" | "dropped";
  /** Absent where the batch was dropped before it was ever sent. */
  readonly transactionHash?: Hex;
  readonly blockNumber?: number;
  /** Of the whole transaction, which may hold other batches too. */
  readonly gasUsed?: number;
  readonly reason?: DropReason;
}

/** What the bridge asks of the sequencer. */
export interface OperatorClient {
  reportL1Head(head: { blockNumber: number; timestamp: number; isFrozen: boolean }): Promise<void>;
  /** Idempotent. @returns the index of the entry that the sequencer wants next */
  addQueueEntries(entries: readonly QueueEntry[]): Promise<{ nextIndex: number }>;
  /** L1's entries from `fromIndex` on, in place of those that it took back. Idempotent. @returns as addQueueEntries */
  replaceQueueEntries(fromIndex: number, entries: readonly QueueEntry[]): Promise<{ nextIndex: number }>;
  readyBatches(limit: number): Promise<ReadyBatch[]>;
  reportBatch(batchNumber: number, report: BatchReport): Promise<void>;
  chain(): Promise<ChainPositions>;
  /** Idempotent, in order; none where L1 has taken back what others had posted. @throws BRG_BATCH_MALFORMED */
  reportForeignBatches(batches: readonly ForeignBatchReport[]): Promise<void>;
  /** Idempotent. */
  reportSeal(report: SealReport): Promise<void>;
  /** Idempotent. @returns of each, whether it is settled for good, or can never be */
  offerParkedSettlements(parked: readonly ParkedSettlement[]): Promise<{ isOver: boolean[] }>;
}

export interface OperatorClientOptions {
  readonly sequencerUrl: string;
  readonly operatorToken: string;
  readonly timeoutMs?: number;
}

const field = z
  .string()
  .regex(/^(0x[0-9a-f]{1,64}|\d{1,78})$/i)
  .transform(BigInt);
const swap = ([x, y]: readonly [bigint, bigint]): [bigint, bigint] => [y, x];
const pair = z.tuple([field, field]);
const hex = z.custom<Hex>((value) => isHex(value));
// The prover's order: the real part of G2's coordinates first.
const proof = z
  .object({ a: pair, b: z.tuple([pair, pair]), c: pair })
  .transform(({ a, b, c }): ContractProof => ({ a, b: [swap(b[0]), swap(b[1])], c }));
const posted = { circuit: z.string(), commitment: field, data: hex, proof };
const readySchema = z.array(
  z.object({
    batchNumber: z.int().positive(),
    batchHash: z.string().min(1),
    ...posted,
    settlements: z.array(
      z.object({ ...posted, settles: z.object({ modelId: z.int(), word: field }).nullable() }),
    ),
  }),
);
const chainSchema = z.object({
  finalNumber: z.int().nonnegative(),
  finalBlockNumber: z.int().nonnegative().optional(),
  malformedBatch: z.int().positive().optional(),
  positions: z
    .array(
      z.object({
        batchNumber: z.int(),
        root: field,
        opIndex: z.int(),
        queueHead: z.int(),
        batchHash: z.string().optional(),
        status: z.string().optional(),
      }),
    )
    .min(1),
});
const nextIndexSchema = z.object({ nextIndex: z.int().nonnegative() });
const parkedSchema = z.object({ isOver: z.array(z.boolean()) });

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

function codeOf(text: string): string | null {
  try {
    return errorSchema.parse(JSON.parse(text)).error.code;
  } catch {
    return null; // Not an answer of the sequencer: a proxy's, say.
  }
}

const hex32 = (value: bigint) => `0x${value.toString(16).padStart(64, "0")}`;

const entryBody = (entry: QueueEntry) => ({
  ...entry,
  amountWei: entry.amountWei.toString(),
  word1: hex32(entry.word1),
  word2: hex32(entry.word2),
});

function parkedBody({ commitment, proof, word, ...rest }: ParkedSettlement) {
  const pairOf = (point: readonly [bigint, bigint]) => point.map(hex32);
  const { a, b, c } = proof;
  return {
    ...rest,
    word: hex32(word),
    commitment: hex32(commitment),
    proof: { a: pairOf(a), b: [pairOf(swap(b[0])), pairOf(swap(b[1]))], c: pairOf(c) },
  };
}

/** @throws BRG_SEQUENCER_UNREACHABLE, BRG_SEQUENCER_REFUSED, BRG_CONFIG_INVALID (the token) from every method */
export function createOperatorClient(options: OperatorClientOptions): OperatorClient {
  const request = async (method: "GET" | "POST", path: string, body?: object): Promise<unknown> => {
    const url = new URL(path, options.sequencerUrl);
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${options.operatorToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(options.timeoutMs ?? 20_000),
      });
      text = await response.text();
    } catch (cause) {
      throw bridgeError("BRG_SEQUENCER_UNREACHABLE", `the sequencer at ${url.origin} does not answer`, {
        data: { method, path },
        cause,
      });
    }
    if (response.status === 401) {
      throw bridgeError("BRG_CONFIG_INVALID", `the sequencer at ${url.origin} does not take OPERATOR_TOKEN`, {
        data: { method, path },
      });
    }
    if (!response.ok) {
      // 429: the same call may succeed later, just as with a server's own failure.
      const code =
        response.status >= 500 || response.status === 429
          ? "BRG_SEQUENCER_UNREACHABLE"
          : "BRG_SEQUENCER_REFUSED";
      throw bridgeError(code, `${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`, {
        data: { method, path, httpStatus: response.status, sequencerCode: codeOf(text) },
      });
    }
    try {
      return text === "" ? null : (JSON.parse(text) as unknown);
    } catch (cause) {
      throw bridgeError("BRG_SEQUENCER_REFUSED", `${method} ${path} did not answer with JSON`, {
        data: { method, path },
        cause,
      });
    }
  };
  const parse = <T>(schema: z.ZodType<T>, value: unknown, path: string): T => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw bridgeError(
      "BRG_SEQUENCER_REFUSED",
      `${path} answers in another form than expected: ${z.prettifyError(parsed.error)}`,
      {
        data: { path },
      },
    );
  };

  return {
    async reportL1Head(head) {
      await request("POST", "/operator/l1-head", head);
    },
    async addQueueEntries(entries) {
      const path = "/operator/queue-entries";
      const body = { entries: entries.map(entryBody) };
      return parse(nextIndexSchema, await request("POST", path, body), path);
    },
    async replaceQueueEntries(fromIndex, entries) {
      const path = "/operator/queue-replacement";
      const body = { fromIndex, entries: entries.map(entryBody) };
      return parse(nextIndexSchema, await request("POST", path, body), path);
    },
    async readyBatches(limit) {
      const path = `/operator/batches/ready?limit=${limit}`;
      return parse(readySchema, await request("GET", path), path);
    },
    async reportBatch(batchNumber, report) {
      // The route wants a hash; a batch that was dropped before it was sent has none.
      await request("POST", `/operator/batches/${batchNumber}/l1`, {
        ...report,
        transactionHash: report.transactionHash ?? zeroHash,
      });
    },
    async chain() {
      const path = "/operator/chain";
      return parse(chainSchema, await request("GET", path), path);
    },
    async reportForeignBatches(batches) {
      try {
        await request("POST", "/operator/foreign-batches", { batches });
      } catch (error) {
        if (
          !isRollupError(error) ||
          (error.data as { sequencerCode?: string }).sequencerCode !== "SEQ_BATCH_MALFORMED"
        )
          throw error;
        throw bridgeError("BRG_BATCH_MALFORMED", error.message, { data: error.data, cause: error });
      }
    },
    async offerParkedSettlements(parked) {
      const path = "/operator/parked-settlements";
      const body = { settlements: parked.map(parkedBody) };
      return parse(parkedSchema, await request("POST", path, body), path);
    },
    async reportSeal({ prevRandao, ...report }) {
      await request("POST", "/operator/seals", {
        ...report,
        prevRandao: prevRandao === null ? null : hex32(prevRandao),
      });
    },
  };
}
