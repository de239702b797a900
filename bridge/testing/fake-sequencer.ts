/**
 * Stand-in for the sequencer in the bridge's tests: the operator routes of docs/reference/api.md over a state in memory,
 * with the sequencer's rules about reports. It does not execute, close or check anything. The end-to-end test uses the
 * real one.
 */

import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { blobElements } from "@openledger/circuits/blob/blob-elements";
import { isBlobShape, KIND, kindRule, shapeName } from "@openledger/circuits/protocol";
import { entryCount } from "@openledger/circuits/settlement/settlement-data";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import type { ClosedBatch } from "@openledger/contracts/testing/rollup-fixture";
import { SHARDED } from "@openledger/contracts/testing/settlement-fixture";
import { hex32 } from "@openledger/foundation/hex";
import Fastify, { type FastifyInstance } from "fastify";
import { hexToBytes } from "viem";
import type { QueueEntry } from "../l1/queue-entry.ts";
import type { BatchReport, ForeignBatchReport } from "../operator/operator-client.ts";

export const OPERATOR_TOKEN = "a-token-for-tests-alone";
const STATUSES = ["proven", "submitted", "posted", "final"] as const;
type Status = (typeof STATUSES)[number];

interface FakeBatch {
  readonly closed: ClosedBatch;
  readonly batchHash: string;
  status: Status;
  transactionHash: string | null;
  blockNumber?: number | undefined;
}

/** Real parts of G2's coordinates first. */
function proverForm({ a, b: [x, y], c }: ContractProof) {
  return {
    a: a.map(String),
    b: [[x[1], x[0]].map(String), [y[1], y[0]].map(String)],
    c: c.map(String),
  };
}

const elementsText = (content: BatchData) =>
  `0x${blobElements(content)
    .map((element) => hex32(element).slice(2))
    .join("")}`;

type PreVerifiedBody = Record<"commitment" | "data", string> & { circuitIndex: number };

const settlesOf = ({ b: modelId, kind, words }: SlotRecord) =>
  kind === KIND.settle ? { modelId, word: `0x${words[0]!.toString(16)}` } : null;

/**
 * Settlements, each with its entries in L1's order: a settlement of more than one shard has an entry more than shards
 * where it is by draws.
 */
function settlementsOf({ content, settlements = [] }: ClosedBatch) {
  const entries = settlements.map(({ proof, settlement: { circuit, commitment, data } }) => ({
    circuit: `circuit-${circuit}`,
    commitment: hex32(commitment),
    data,
    proof: proverForm(proof),
  }));
  return content.wide
    .filter(({ kind }) => kindRule(kind)?.isSettlement)
    .map((record) => {
      const first = entries.shift()!;
      const isByDraws = first.circuit === `circuit-${SHARDED}`;
      const further = entries.splice(0, entryCount(hexToBytes(first.data), isByDraws) - 1);
      return { settles: settlesOf(record), ...first, ...(further.length > 0 && { further }) };
    });
}

export class FakeSequencer {
  readonly batches = new Map<number, FakeBatch>();
  readonly reports: (BatchReport & { batchNumber: number })[] = [];
  readonly entries: QueueEntry[] = [];
  /** Entries that final batches hold. */
  finalQueueHead = 0;
  /** CloseEpoch reports as they came: prevRandao in hexadecimal. */
  readonly closes: {
    batchNumber: number;
    blockNumber: number;
    prevRandao: string | null;
    isMissed: boolean;
  }[] = [];
  /** Batches whose CloseEpochs it reports as waiting. */
  awaitedCloses: number[] = [];
  unsettledCloses: number[] = [];
  /** Reported foreign batches, which are not followed. */
  readonly foreign: ForeignBatchReport[] = [];
  /** Offered pre-verified settlements, and J of those that are settled or can never be. */
  readonly offered: (PreVerifiedBody & { modelId: number; word: string; further?: PreVerifiedBody[] })[] = [];
  readonly over = new Set<bigint>();
  /** Position of the chain before the first batch. */
  origin = { batchNumber: 0, root: "0x0", opIndex: 0, queueHead: 0 };
  readonly heads: { blockNumber: number; timestamp: number }[] = [];
  /** False after a start, until the next head. */
  isPlaceKnown = true;
  /** True: every route answers 503. */
  isDown = false;
  readonly #app: FastifyInstance = Fastify();
  url = "";

  async start(): Promise<this> {
    const app = this.#app;
    app.addHook("onRequest", async (request, reply) => {
      if (this.isDown) await reply.code(503).send({ error: { code: "SRV_STOPPING" } });
      else if (request.headers.authorization !== `Bearer ${OPERATOR_TOKEN}`)
        await reply.code(401).send({ error: { code: "SRV_UNAUTHORIZED" } });
    });
    app.post<{ Body: { blockNumber: number; timestamp: number } }>("/operator/l1-head", async (request) => {
      this.heads.push(request.body);
      this.isPlaceKnown = true;
      return {};
    });
    app.post<{ Body: { entries: QueueEntry[] } }>("/operator/queue-entries", async (request, reply) => {
      for (const entry of request.body.entries) {
        const known = this.entries[entry.queueIndex];
        if (known === undefined && entry.queueIndex === this.entries.length) this.entries.push(entry);
        else if (known === undefined) return reply.code(409).send({ error: { code: "SEQ_QUEUE_GAP" } });
        else if (known.amountWei !== entry.amountWei || known.word1 !== entry.word1) {
          return reply.code(409).send({ error: { code: "SEQ_QUEUE_CONFLICT" } });
        }
      }
      return { nextIndex: this.entries.length, isPlaceKnown: this.isPlaceKnown };
    });
    app.post<{ Body: { fromIndex: number; entries: QueueEntry[] } }>(
      "/operator/queue-replacement",
      async ({ body: { entries, fromIndex } }, reply) => {
        if (fromIndex < this.finalQueueHead)
          return reply.code(409).send({ error: { code: "SEQ_QUEUE_FINAL" } });
        this.entries.splice(fromIndex, this.entries.length, ...entries);
        return { nextIndex: this.entries.length };
      },
    );
    app.get<{ Querystring: { limit: string } }>("/operator/batches/ready", async (request) =>
      this.#ready(Number(request.query.limit)),
    );
    app.post<{ Params: { n: string }; Body: BatchReport }>(
      "/operator/batches/:n/l1",
      async (request, reply) => {
        const batchNumber = Number(request.params.n);
        const batch = this.batches.get(batchNumber);
        if (batch?.batchHash !== request.body.batchHash)
          return reply.code(409).send({ error: { code: "SEQ_BATCH_CONFLICT" } });
        this.reports.push({ batchNumber, ...request.body });
        this.#take(batchNumber, batch, request.body);
        return {};
      },
    );
    app.get("/operator/epoch-closes", async () => ({
      batchNumbers: this.awaitedCloses,
      unsettled: this.unsettledCloses,
    }));
    app.get("/operator/chain", async () => this.#chain());
    app.post<{ Body: { batches: ForeignBatchReport[] } }>("/operator/foreign-batches", async (request) => {
      this.foreign.push(...request.body.batches);
      return { finalNumber: this.#chain().finalNumber };
    });
    app.post<{ Body: { settlements: FakeSequencer["offered"] } }>(
      "/operator/pre-verified-settlements",
      async ({ body: { settlements } }) => {
        this.offered.push(...settlements);
        return { isOver: settlements.map(({ word }) => this.over.has(BigInt(word))) };
      },
    );
    app.post<{ Body: FakeSequencer["closes"][number] }>("/operator/epoch-closes", async (request, reply) => {
      const { batchNumber, prevRandao } = request.body;
      const known = this.closes.find(
        (close) => close.batchNumber === batchNumber && close.prevRandao !== null,
      );
      if (known !== undefined && known.prevRandao !== prevRandao)
        return reply.code(409).send({ error: { code: "SEQ_CLOSE_CONFLICT" } });
      this.closes.push(request.body);
      return {};
    });
    this.url = await app.listen({ port: 0, host: "127.0.0.1" });
    return this;
  }

  stop(): Promise<void> {
    return this.#app.close();
  }

  /** A batch that was closed and proven; one of the same number is replaced. */
  add(closed: ClosedBatch): void {
    const batchNumber = Number(closed.content.batchNumber);
    this.batches.set(batchNumber, {
      closed,
      batchHash: `0x${closed.batch.commitment.toString(16)}`,
      status: "proven",
      transactionHash: null,
    });
  }

  /** Numbers of the batches that have exactly this status. */
  with(status: Status): number[] {
    return [...this.batches].filter(([, batch]) => batch.status === status).map(([number]) => number);
  }

  statuses(): Status[] {
    return [...this.batches.values()].map((batch) => batch.status);
  }

  #chain() {
    let { queueHead } = this.origin;
    const positions = [...this.batches].map(([batchNumber, { batchHash, closed, status }]) => {
      const { firstOpIndex, newRoot, signedCount, wide } = closed.content;
      queueHead += wide.filter(({ kind }) => kindRule(kind)?.isQueue).length;
      const opIndex = Number(firstOpIndex) + signedCount;
      return { batchNumber, root: `0x${newRoot.toString(16)}`, opIndex, queueHead, batchHash, status };
    });
    const finalNumber = Math.max(this.origin.batchNumber, ...this.with("final"));
    const open = positions.filter(({ batchNumber }) => batchNumber > finalNumber);
    const final = positions.find(({ batchNumber }) => batchNumber === finalNumber) ?? this.origin;
    const finalBlockNumber = this.batches.get(finalNumber)?.blockNumber;
    return { finalNumber, finalBlockNumber, positions: [final, ...open] };
  }

  #ready(limit: number) {
    const open = [...this.batches].filter(([, { status }]) => status === "proven" || status === "submitted");
    return open.slice(0, limit).map(([batchNumber, { batchHash, closed, status }]) => {
      const { batch, content } = closed;
      return {
        batchNumber,
        batchHash,
        status,
        circuit: shapeName(content.shape),
        ...(isBlobShape(content.shape) ? { blobElements: elementsText(content) } : {}),
        commitment: hex32(batch.commitment),
        data: batch.data,
        proof: proverForm(closed.proof),
        settlements: settlementsOf(closed),
      };
    });
  }

  #take(batchNumber: number, batch: FakeBatch, report: BatchReport): void {
    if (report.status === "dropped") {
      for (const [number, later] of this.batches)
        if (number >= batchNumber && later.status !== "final") later.status = "proven";
      return;
    }
    if (STATUSES.indexOf(report.status) < STATUSES.indexOf(batch.status)) return;
    batch.status = report.status;
    batch.transactionHash = report.transactionHash ?? null;
    batch.blockNumber = report.blockNumber ?? batch.blockNumber;
  }
}
