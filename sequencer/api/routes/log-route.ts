/**
 * The log for full nodes: what was executed, in order, with every preconfirmation. Sequences have gaps, and an entry may be made
 * again (a rebuild, a rebase); who follows compares a closed batch's hash with their own and reads again from the batch
 * before.
 */

import { hex32 } from "@openledger/foundation/hex";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { unknownBatch } from "../../batches/batch-registry.ts";
import type { ApiModules, ApiOptions, LedgerHost } from "../api-options.ts";
import { entryView } from "../log-views.ts";

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
    },
    ({ query }) => logPage(sequencer, deployment, query),
  );
}

async function logPage(
  sequencer: LedgerHost,
  deployment: ApiOptions["deployment"],
  { afterBatch, from, limit: maxCount }: LogQuery,
) {
  const { line, log } = sequencer;
  await line.idle();
  const base = afterBatch === undefined ? null : await positionAfter(sequencer, afterBatch);
  const first = base === null ? from! : base.sequence + 1;
  const entries: object[] = [];
  let nextSequence = first;
  for await (const [sequence, entry] of log.entries(first)) {
    const view = await entryView(sequencer, sequence, entry);
    // Its batch is being made again: it comes with a later page.
    if (view === null) break;
    entries.push(view);
    nextSequence = sequence + 1;
    if (entries.length >= maxCount) break;
  }
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
