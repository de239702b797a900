/**
 * Route GET /v1/log, which full nodes follow: executed entries in order, with every preconfirmation. Sequences have gaps, and
 * an entry may be made again (a rebuild, a rebase). A follower compares a closed batch's hash with its own, and on a difference
 * reads again from the batch before.
 */

import { setImmediate as nextTurn } from "node:timers/promises";
import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { unknownBatch } from "../../batches/batch-registry.ts";
import type { LogEntry } from "../../store/log-entry.ts";
import type { ApiModules, ApiOptions, LedgerHost } from "../api-options.ts";
import { entryView } from "../log-views.ts";

/** Entries in a unit of the rate limit, by the time that they take. It is a minimum: `answer-costs.ts` counts their bytes. */
const ENTRIES_PER_UNIT = 16;
const ENTRIES_AT_ONCE = 16;

const logQuery = z
  .strictObject({
    from: countFromText.optional(),
    afterBatch: countFromText.optional(),
    limit: limit(500, 200),
  })
  .refine(
    ({ from, afterBatch }) => (from === undefined) !== (afterBatch === undefined),
    "needs from or afterBatch",
  );
type LogQuery = z.output<typeof logQuery>;

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
      const page = await logPage(sequencer, deployment, query);
      setCost(request, page.entries.length / ENTRIES_PER_UNIT);
      return page;
    },
  );
}

async function logPage(
  sequencer: LedgerHost,
  deployment: ApiOptions["deployment"],
  { afterBatch, from, limit: maxCount }: LogQuery,
) {
  const { pipeline, log } = sequencer;
  await pipeline.idle();
  const base = afterBatch === undefined ? null : await positionAfter(sequencer, afterBatch);
  const first = base === null ? from! : base.sequence + 1;
  const read: (readonly [sequence: number, entry: LogEntry])[] = [];
  for await (const one of log.entries(first)) if (read.push(one) >= maxCount) break;
  // Several at once, so that the signer gets them in few messages, and other requests run in between.
  const views: (object | null)[] = [];
  for (let at = 0; at < read.length; at += ENTRIES_AT_ONCE) {
    await nextTurn();
    const some = read.slice(at, at + ENTRIES_AT_ONCE);
    views.push(
      ...(await Promise.all(some.map(([sequence, entry]) => entryView(sequencer, sequence, entry)))),
    );
  }
  const end = views.indexOf(null);
  const entries = end < 0 ? views : views.slice(0, end);
  const nextSequence = entries.length === 0 ? first : read[entries.length - 1]![0] + 1;
  return {
    chainId: deployment.chainId,
    rollupAddress: deployment.rollupAddress,
    finalBatch: pipeline.registry.finalNumber,
    base:
      base === null
        ? null
        : { batchNumber: base.batchNumber, root: hex32(base.root), batchHash: base.batchHash },
    entries,
    nextSequence,
  };
}

/** Position of the log after a batch. @throws SEQ_UNKNOWN */
async function positionAfter({ pipeline, log }: LedgerHost, batchNumber: number) {
  const { registry } = pipeline;
  const isInRegistry = batchNumber >= registry.finalNumber && batchNumber <= registry.closedNumber;
  const record = await log.batch(batchNumber);
  const position = isInRegistry ? registry.positionAfter(batchNumber) : record?.position;
  if (position === undefined) throw unknownBatch(batchNumber);
  return { ...position, batchHash: record?.batchHash ?? null };
}
