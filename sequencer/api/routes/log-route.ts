/**
 * The log for full nodes: what was executed, in order, with every preconfirmation. Sequences have gaps, and an entry may be made
 * again (a rebuild, a rebase); who follows compares a closed batch's hash with their own and reads again from the batch
 * before. The operator's standby has a route of its own: it gets entries before they are promised to anybody, and says what
 * it has.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Secret } from "@openledger/foundation/secret";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { unknownBatch } from "../../batches/batch-registry.ts";
import type { Sequencer } from "../../sequencer.ts";
import type { LogEntry, OperationEntry } from "../../store/log-entry.ts";
import type { ApiModules, ApiOptions, LedgerHost } from "../api-options.ts";
import { entryView } from "../log-views.ts";
import { operatorRoute, requireToken } from "../operator-token.ts";

const logFields = {
  from: countFromText.optional(),
  afterBatch: countFromText.optional(),
  limit: limit(500, 200),
};
const isOnePlace = ({ from, afterBatch }: { from?: unknown; afterBatch?: unknown }) =>
  (from === undefined) !== (afterBatch === undefined);
const logQuery = z.strictObject(logFields).refine(isOnePlace, "needs from or afterBatch");
type LogQuery = z.output<typeof logQuery>;

/** By the time that they take, at least; `answer-costs.ts` counts their bytes. */
const ENTRIES_PER_UNIT = 16;
const ENTRIES_AT_ONCE = 64;

/** Longest that the standby's question waits for an entry. */
const MAX_WAIT_MS = 20_000;
const replicaQuery = z
  .strictObject({
    ...logFields,
    /** Signed operations that the standby has on its disk, as the log of that generation has them. */
    operationCount: countFromText.default(0),
    generation: z.string().max(60).default(""),
    waitMs: countFromText.pipe(z.number().max(MAX_WAIT_MS)).default(0),
  })
  .refine(isOnePlace, "needs from or afterBatch");

export async function registerLogRoute(
  app: FastifyInstance,
  { deployment }: Pick<ApiOptions, "deployment">,
  { sequencer }: Pick<ApiModules, "sequencer">,
): Promise<void> {
  const route = routesOf(app);
  route(
    "GET /v1/log",
    {
      tag: "feed",
      summary: "What was executed, in order, with preconfirmations: for full nodes",
      querystring: logQuery,
      config: { maxCost: ({ query }) => (query as LogQuery).limit / ENTRIES_PER_UNIT },
    },
    async (request) => {
      const { query } = request;
      const page = await logPage(sequencer, deployment, query, (entry) => sequencer.preconfirmationOf(entry));
      setCost(request, page.entries.length / ENTRIES_PER_UNIT);
      return page;
    },
  );
}

export async function registerReplicaRoute(
  app: FastifyInstance,
  { deployment }: Pick<ApiOptions, "deployment">,
  token: Secret<string>,
  sequencer: Sequencer,
): Promise<void> {
  const { log, replica } = sequencer;
  requireToken(app, [token]);
  routesOf(app)(
    "GET /operator/log",
    operatorRoute("The log for the operator's standby, which says what it has", {
      querystring: replicaQuery,
    }),
    async ({ query: { generation, operationCount, waitMs, ...query } }) => {
      replica.note(operationCount, generation);
      const isNew = query.from === undefined || log.lastSequence >= query.from;
      if (!isNew && waitMs > 0) await replica.news(waitMs);
      await log.flushed();
      // Before the entries are read: what is replaced meanwhile is asked for again.
      const now = replica.generation;
      const page = await logPage(sequencer, deployment, query, (entry) => sequencer.signedFor(entry));
      const isAtEnd = page.nextSequence > log.lastSequence;
      return { ...page, generation: now, isReplicaRequired: replica.isRequired, isAtEnd };
    },
  );
}

async function logPage(
  sequencer: LedgerHost,
  deployment: ApiOptions["deployment"],
  { afterBatch, from, limit: maxCount }: LogQuery,
  sign: (entry: OperationEntry) => Promise<Preconfirmation>,
) {
  const { line, log } = sequencer;
  await line.idle();
  const base = afterBatch === undefined ? null : await positionAfter(sequencer, afterBatch);
  const first = base === null ? from! : base.sequence + 1;
  const viewOf = ([sequence, entry]: readonly [number, LogEntry]) =>
    entryView(sequencer, sequence, entry, sign).catch((error: unknown) => {
      // What is promised to nobody yet comes with a later page.
      if (isRollupError(error, "SEQ_REPLICA_SILENT")) return null;
      throw error;
    });
  const read: (readonly [sequence: number, entry: LogEntry])[] = [];
  for await (const one of log.entries(first)) if (read.push(one) >= maxCount) break;
  // Some together, so that what signs them gets them in few messages, and others have turns in between.
  const views: (object | null)[] = [];
  for (let at = 0; at < read.length; at += ENTRIES_AT_ONCE) {
    await nextTurn();
    const some = read.slice(at, at + ENTRIES_AT_ONCE);
    views.push(...(await Promise.all(some.map((one) => viewOf(one)))));
  }
  const end = views.indexOf(null);
  const entries = end < 0 ? views : views.slice(0, end);
  const nextSequence = entries.length === 0 ? first : read[entries.length - 1]![0] + 1;
  return {
    chainId: deployment.chainId,
    rollupAddress: deployment.rollupAddress,
    finalBatch: line.book.finalNumber,
    base:
      base === null
        ? null
        : { batchNumber: base.batchNumber, root: hex32(base.root), batchHash: base.batchHash },
    entries,
    nextSequence,
  };
}

/** Where the log is after a batch. @throws SEQ_UNKNOWN */
async function positionAfter({ line, log }: LedgerHost, batchNumber: number) {
  const { book } = line;
  const isKept = batchNumber >= book.finalNumber && batchNumber <= book.closedNumber;
  const record = await log.batch(batchNumber);
  const position = isKept ? book.positionAfter(batchNumber) : record?.position;
  if (position === undefined) throw unknownBatch(batchNumber);
  return { ...position, batchHash: record?.batchHash ?? null };
}
