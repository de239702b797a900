/**
 * Routes /operator/… of the API, for the operator's own processes by its token: the bridge reports L1's head,
 * queue entries and batches, and asks for proven batches (docs/reference/api.md).
 */
import * as wire from "@openledger/circuits/wire/operator-api";
import type { Secret } from "@openledger/foundation/secret";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { awaitedCloses, unsettledCloses } from "../../batches/from-l1/epoch-close-on-l1.ts";
import type { Sequencer } from "../../sequencer.ts";
import { MAX_FOREIGN_BODY_BYTES } from "../api-options.ts";
import * as schemas from "../api-schemas.ts";
import { chainView, readyView } from "../api-views.ts";
import { operatorRoute, requireToken } from "../operator-token.ts";

/** Registers the routes. */
export async function registerOperatorRoutes(
  app: FastifyInstance,
  token: Secret<string>,
  sequencer: Sequencer,
): Promise<void> {
  const route = routesOf(app);
  const { pipeline } = sequencer;
  requireToken(app, [token]);

  route("POST /operator/l1-head", operatorRoute("L1's head", { body: wire.l1HeadBody }), async ({ body }) => {
    sequencer.admission.noteFrozen(body.isFrozen);
    sequencer.news.fromBridge(body.alarms);
    if (body.baseFeePerGasWei != null) pipeline.fee.noteGasPrice(body.baseFeePerGasWei);
    pipeline.data.notePrices(body.dataPrices ?? null);
    const { alarms, blockNumber, finalityDepthBlocks = null } = body;
    sequencer.l1Stall.note(blockNumber);
    await sequencer.noteL1Position(body.place ?? null, { alarms, blockNumber, finalityDepthBlocks });
    await pipeline.setL1Head(body);
    return {};
  });

  route(
    "POST /operator/queue-entries",
    operatorRoute("Entries of the L1 queue, in order", { body: wire.queueEntriesBody }),
    async ({ body }) => ({
      ...(await pipeline.addQueueEntries(body.entries)),
      isPlaceKnown: sequencer.place.isKnown,
    }),
  );

  route(
    "POST /operator/queue-replacement",
    operatorRoute("L1's entries from an index on, in place of those that it took back", {
      body: wire.queueReplacementBody,
    }),
    ({ body }) => pipeline.replaceQueueEntries(body.fromIndex, body.entries),
  );

  route(
    "GET /operator/batches/ready",
    operatorRoute("Consecutive proven batches that L1 does not have", { querystring: schemas.readyQuery }),
    async ({ query }) => {
      await pipeline.idle();
      return pipeline.registry.ready(query.limit).map(readyView);
    },
  );

  route(
    "POST /operator/batches/:number/l1",
    operatorRoute("What L1 did with a batch", { params: schemas.numberParams, body: wire.l1ReportBody }),
    async ({ params, body }) => {
      const { batchHash, status, transactionHash, blockNumber, gasPriceWei, gasUsed, reason } = body;
      const inclusion = {
        transactionHash,
        blockNumber: blockNumber ?? null,
        gasUsed: gasUsed ?? null,
        gasPriceWei: gasPriceWei ?? null,
      };
      await pipeline.reportBatch(params.number, { batchHash, status, inclusion }, reason ?? null);
      return {};
    },
  );

  route(
    "GET /operator/chain",
    operatorRoute("The last final batch, and the state of the chain after later ones"),
    async () => {
      await pipeline.idle();
      const final = await pipeline.batch(pipeline.registry.finalNumber);
      return chainView(pipeline, final?.l1?.blockNumber ?? null);
    },
  );

  route(
    "POST /operator/foreign-batches",
    {
      ...operatorRoute("Batches on L1 that another account posted, in order", {
        body: wire.foreignBatchesBody,
      }),
      bodyLimit: MAX_FOREIGN_BODY_BYTES,
    },
    ({ body }) => sequencer.takeForeignBatches(body.batches),
  );

  route(
    "POST /operator/epoch-closes",
    operatorRoute("Where L1 took the CloseEpochs of a batch, and their randomness", {
      body: wire.closeReportBody,
    }),
    async ({ body }) => {
      await sequencer.takeCloseOnL1(body);
      return {};
    },
  );

  route(
    "GET /operator/epoch-closes",
    operatorRoute(
      "Batches whose CloseEpochs wait for their randomness, or whose epochs for their settlement",
    ),
    async () => {
      const unsettled = unsettledCloses(pipeline.head.ledger);
      return { batchNumbers: await awaitedCloses(sequencer.log, unsettled), unsettled };
    },
  );

  route(
    "POST /operator/pre-verified-settlements",
    operatorRoute("Settlements pre-verified on L1", { body: wire.preVerifiedSettlementsBody }),
    async ({ body }) => {
      const isOver: boolean[] = [];
      for (const preVerified of body.settlements)
        isOver.push(await sequencer.takePreVerifiedSettlement(preVerified));
      return { isOver };
    },
  );

  route(
    "POST /operator/notice",
    operatorRoute("What the pages tell every reader; null for nothing", { body: wire.noticeBody }),
    ({ body }) => {
      sequencer.news.notice = body.notice;
      return {};
    },
  );

  route(
    "POST /operator/close",
    operatorRoute("Closes the open batch now, its data in the named place", { body: wire.closeBody }),
    async ({ body }): Promise<z.input<typeof wire.closeAnswer>> => ({
      batchNumber: await pipeline.closeNow(body?.place),
    }),
  );
}
