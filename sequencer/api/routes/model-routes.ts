/** Routes about models: data for settlers, claimable rewards of contributors, and the settlements themselves. */

import { requireKind, unpackCounters } from "@openledger/circuits/ledger/leaf";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { readCloseOnL1 } from "../../batches/from-l1/epoch-close-on-l1.ts";
import { readEpoch, readPayments } from "../../batches/settling/stored-epochs.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { type ApiModules, MAX_SETTLEMENT_BODY_BYTES } from "../api-options.ts";
import { leafView } from "../api-views.ts";
import {
  closedView,
  payeesView,
  paymentsView,
  preVerifiedView,
  rewardsView,
  settlementView,
} from "../model-views.ts";
import * as schemas from "../settlement-schemas.ts";

/** A pairing for each entry takes 30 ms of the only thread, up to the first that is wrong; anyone who settles sends one an epoch. */
const SETTLEMENTS_PER_MINUTE = 30;

/** Payments, and Datanets and models that are gone through, in the time of a unit. */
const PAYMENTS_PER_UNIT = 32;
const BODIES_PER_UNIT = 1_000;

export async function registerModelRoutes(
  app: FastifyInstance,
  { sequencer }: Pick<ApiModules, "sequencer">,
): Promise<void> {
  const route = routesOf(app);
  const { pipeline, log, settlements } = sequencer;
  const { ledger } = pipeline.head;
  const requireModel = (id: number) => {
    const record = ledger.requireLeaf(id);
    requireKind(record, LEAF_KIND.model, id);
    return record;
  };

  route(
    "GET /v1/models/:id",
    { tag: "models", summary: "A model with its closed epoch and its payees", params: schemas.modelParams },
    async ({ params: { id } }) => {
      await pipeline.idle();
      const record = requireModel(id);
      const closed = record.rewards?.closed ?? null;
      const close = closed === null ? undefined : await readCloseOnL1(log, Number(closed.closingBatch));
      return {
        ...leafView(sequencer, id, record),
        closedEpoch: closedView(id, record, close),
        payees: payeesView(record),
      };
    },
  );

  route(
    "GET /v1/models/:id/payments",
    {
      tag: "models",
      summary: "Payments of an epoch in the order of their chain; the open one by default",
      params: schemas.modelParams,
      querystring: schemas.paymentsQuery,
      config: {
        maxCost: ({ query }) => (query as z.output<typeof schemas.paymentsQuery>).limit / PAYMENTS_PER_UNIT,
      },
    },
    async ({ params: { id }, query: { epoch: requestedEpoch, from, limit } }) => {
      await pipeline.idle();
      const record = requireModel(id);
      const counters = unpackCounters(record.leaf.counters);
      const openEpoch = Number(counters.epoch);
      const epoch = requestedEpoch ?? openEpoch;
      if (epoch < 1 || epoch > openEpoch) {
        throw sequencerError("SEQ_UNKNOWN", `model ${id} has had no epoch ${epoch}`, {
          data: { reason: "epoch", id, epoch, openEpoch },
        });
      }
      // Operations executed before the record was read are on the disk then; later ones are left out.
      await log.flushed();
      const epochRecord = epoch < openEpoch ? await readEpoch(log, id, epoch) : undefined;
      const paymentCount = epochRecord?.paymentCount ?? Number(counters.paymentCount);
      const page = { from, limit: Math.max(0, Math.min(limit, paymentCount - from)) };
      const payments = await readPayments(log, id, epoch, page);
      if (payments.length < page.limit && log.prunedTo !== null)
        throw log.prunedError(`the payments of model ${id} in epoch ${epoch}`, { id, epoch });
      const close =
        epochRecord === undefined ? undefined : await readCloseOnL1(log, epochRecord.closingBatch);
      return paymentsView(id, record, epoch, { record: epochRecord, close, payments });
    },
  );

  route(
    "GET /v1/leaves/:id/rewards",
    {
      tag: "models",
      summary: "What a leaf has earned and can claim, of every model",
      params: schemas.leafParams,
      config: { maxCost: () => ledger.base.bodyCount / BODIES_PER_UNIT },
    },
    async (request) => {
      const { id } = request.params;
      setCost(request, ledger.base.bodyCount / BODIES_PER_UNIT);
      await pipeline.idle();
      ledger.requireLeaf(id);
      return rewardsView(ledger.leaves.withMore(), id);
    },
  );

  route(
    "POST /v1/settlements",
    {
      bodyLimit: MAX_SETTLEMENT_BODY_BYTES,
      config: { rateLimit: { max: SETTLEMENTS_PER_MINUTE, timeWindow: 60_000 } },
      tag: "models",
      summary: "Send a proven settlement",
      body: schemas.settlementBody,
    },
    async ({ body }, reply) => {
      const known = await sequencer.submitSettlement(body);
      reply.code(202);
      return settlementView(known);
    },
  );

  route(
    "GET /v1/settlements",
    {
      tag: "models",
      summary: "A model's settlements, its activation included, newest first",
      querystring: schemas.settlementsQuery,
      config: { maxCost: ({ query }) => (query as z.output<typeof schemas.settlementsQuery>).limit },
    },
    async ({ query: { limit, model } }) => {
      requireModel(model);
      return (await settlements.settlementsOf(model, limit)).map(settlementView);
    },
  );

  route(
    "GET /v1/pre-verified-settlements",
    {
      tag: "models",
      summary: "Settlements that wait on L1 for a batch, as the bridge offered them last",
      querystring: schemas.preVerifiedQuery,
    },
    async ({ query: { model } }) => {
      if (model !== undefined) requireModel(model);
      return (await settlements.preVerifiedSettlements(model ?? null)).map(preVerifiedView);
    },
  );

  route(
    "GET /v1/settlements/:model/:epoch",
    {
      tag: "models",
      summary: "The settlement of one epoch; 0 is the activation",
      params: schemas.settlementParams,
    },
    async ({ params: { epoch, model } }) => settlementView(await settlements.settlement(model, epoch)),
  );
}
