import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import * as wire from "../../circuits/wire/operator-api.ts";
import { noteSealOnL1 } from "../batches/seal-on-l1.ts";
import type { Sequencer } from "../sequencer.ts";
import { sequencerError } from "../sequencer-errors.ts";
import { type ApiOptions, MAX_OPERATOR_BODY_BYTES } from "./api-options.ts";
import * as schemas from "./api-schemas.ts";
import { chainView, readyView } from "./api-views.ts";

/** Digests have one length, so the comparison tells nothing about the token's. */
const digest = (text: string) => createHash("sha256").update(text).digest();

export async function registerOperatorRoutes(
  app: FastifyInstance,
  options: Required<Pick<ApiOptions, "operatorToken">>,
  sequencer: Sequencer,
): Promise<void> {
  const { line } = sequencer;
  const expected = digest(`Bearer ${options.operatorToken.reveal()}`);
  // Before the body is read.
  app.addHook("onRequest", async (request) => {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) {
      throw sequencerError("SEQ_UNAUTHORIZED", "this route takes the operator's token");
    }
  });
  const route = (summary: string, parts: object = {}) => ({
    bodyLimit: MAX_OPERATOR_BODY_BYTES,
    config: { rateLimit: false as const },
    schema: { tags: ["operator"], summary, security: [{ operator: [] }], ...parts },
  });

  app.post<{ Body: z.output<typeof wire.l1HeadBody> }>(
    "/operator/l1-head",
    route("L1's head", { body: wire.l1HeadBody }),
    async ({ body }) => {
      sequencer.door.noteFrozen(body.isFrozen);
      sequencer.news.fromBridge(body.alarms);
      await line.setL1Head(body);
      return {};
    },
  );

  app.post<{ Body: z.output<typeof wire.queueEntriesBody> }>(
    "/operator/queue-entries",
    route("Entries of the L1 queue, in order", { body: wire.queueEntriesBody }),
    ({ body }) => line.addQueueEntries(body.entries),
  );

  app.post<{ Body: z.output<typeof wire.queueReplacementBody> }>(
    "/operator/queue-replacement",
    route("L1's entries from an index on, in place of those that it took back", {
      body: wire.queueReplacementBody,
    }),
    ({ body }) => line.replaceQueueEntries(body.fromIndex, body.entries),
  );

  app.get<{ Querystring: z.output<typeof schemas.proveJobQuery> }>(
    "/operator/prove-jobs/next",
    route("The next batch to prove", { querystring: schemas.proveJobQuery }),
    async ({ query }, reply) => {
      sequencer.news.fromProver(query.prover);
      const job = sequencer.door.leadsToL1 ? await line.nextProveJob(query.prover) : null;
      if (job === null) return reply.code(204).send();
      const { batch, inputs } = job;
      const text = (_key: string, value: unknown) =>
        typeof value === "bigint" ? `0x${value.toString(16)}` : value;
      return reply
        .serializer((body: object) => JSON.stringify(body, text))
        .send({
          batchNumber: batch.number,
          batchHash: batch.batchHash,
          circuit: batch.circuit,
          inputs,
        });
    },
  );

  app.post<{ Params: z.output<typeof schemas.numberParams>; Body: z.output<typeof wire.proofBody> }>(
    "/operator/batches/:number/proof",
    route("A batch's proof", { params: schemas.numberParams, body: wire.proofBody }),
    async ({ params, body }) => {
      const { batchHash, publicSignals, proof, timings, backend } = body;
      await line.addProof(params.number, batchHash, publicSignals, { proof, timings, backend });
      return {};
    },
  );

  app.get<{ Querystring: z.output<typeof schemas.readyQuery> }>(
    "/operator/batches/ready",
    route("Consecutive proven batches that L1 does not have", { querystring: schemas.readyQuery }),
    async ({ query }) => {
      await line.idle();
      return line.book.ready(query.limit).map(readyView);
    },
  );

  app.post<{ Params: z.output<typeof schemas.numberParams>; Body: z.output<typeof wire.l1ReportBody> }>(
    "/operator/batches/:number/l1",
    route("What L1 did with a batch", { params: schemas.numberParams, body: wire.l1ReportBody }),
    async ({ params, body }) => {
      const { batchHash, status, transactionHash, blockNumber, gasUsed, reason } = body;
      const inclusion = { transactionHash, blockNumber: blockNumber ?? null, gasUsed: gasUsed ?? null };
      await line.reportBatch(params.number, { batchHash, status, inclusion }, reason ?? null);
      return {};
    },
  );

  app.get(
    "/operator/chain",
    route("The last final batch, and where the chain stands after later ones"),
    async () => {
      await line.idle();
      const final = await line.batch(line.book.finalNumber);
      return chainView(line, final?.l1?.blockNumber ?? null);
    },
  );

  app.post<{ Body: z.output<typeof wire.foreignBatchesBody> }>(
    "/operator/foreign-batches",
    route("Batches of somebody else on L1, in order", { body: wire.foreignBatchesBody }),
    ({ body }) => sequencer.takeForeignBatches(body.batches),
  );

  app.post<{ Body: z.output<typeof wire.sealReportBody> }>(
    "/operator/seals",
    route("Where L1 took the Seals of a batch, and their randomness", { body: wire.sealReportBody }),
    async ({ body }) => {
      await noteSealOnL1(sequencer.log, body);
      return {};
    },
  );

  app.post<{ Body: z.output<typeof wire.parkedSettlementsBody> }>(
    "/operator/parked-settlements",
    route("Settlements that somebody parked on L1", { body: wire.parkedSettlementsBody }),
    async ({ body }) => {
      const isOver: boolean[] = [];
      for (const parked of body.settlements) isOver.push(await sequencer.takeParkedSettlement(parked));
      return { isOver };
    },
  );

  app.post("/operator/close", route("Seals the open batch now"), async () => ({
    batchNumber: await line.closeNow(),
  }));
}
