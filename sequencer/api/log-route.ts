/**
 * The log for followers: what was executed, in order, with every preconfirmation. Sequences have gaps, and an entry may be made
 * anew (a rebuild, a rebase); who follows compares a closed batch's hash with his own and reads again from the batch
 * before.
 */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { hex32 } from "../../circuits/hex.ts";
import { unknownBatch } from "../batches/batch-book.ts";
import type { ApiModules, ApiOptions } from "./api-options.ts";
import { countFromText, limit } from "./api-schemas.ts";
import { entryView } from "./log-views.ts";

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

export async function registerLogRoute(
  app: FastifyInstance,
  { deployment }: Pick<ApiOptions, "deployment">,
  { sequencer }: Pick<ApiModules, "sequencer">,
): Promise<void> {
  const { line, log } = sequencer;
  app.get<{ Querystring: z.output<typeof logQuery> }>(
    "/v1/log",
    {
      schema: {
        tags: ["feed"],
        summary: "What was executed, in order, with preconfirmations: for followers",
        querystring: logQuery,
      },
    },
    async ({ query: { afterBatch, from, limit: maxCount } }) => {
      await line.idle();
      const base = afterBatch === undefined ? null : await positionAfter(afterBatch);
      const first = base === null ? from! : base.sequence + 1;
      const entries: object[] = [];
      let nextSequence = first;
      for await (const [sequence, entry] of log.entries(first)) {
        const view = await entryView(sequencer, sequence, entry);
        if (view === null) break;
        entries.push(view);
        nextSequence = sequence + 1;
        if (entries.length >= maxCount) break;
      }
      return {
        chainId: deployment.chainId,
        rollupAddress: deployment.rollupAddress,
        finalBatch: line.book.finalNumber,
        base: base === null ? null : { batchNumber: base.batchNumber, root: hex32(base.root) },
        entries,
        nextSequence,
      };
    },
  );

  /** Where the log stands after a batch. @throws SEQ_UNKNOWN_BATCH */
  async function positionAfter(batchNumber: number) {
    const { book } = line;
    const isKept = batchNumber >= book.finalNumber && batchNumber <= book.closedNumber;
    const position = isKept ? book.positionAfter(batchNumber) : (await log.batch(batchNumber))?.position;
    if (position === undefined) throw unknownBatch(batchNumber);
    return position;
  }
}
