/**
 * Routes of the factory to choose and plan a job: bases, rows, the form, and an estimate of time and fees. factory-app.ts
 * registers them.
 */

import { estimateFees } from "@openledger/client/sequencer/fees";
import { whyUnapprovable } from "@openledger/datanets/terms/terms-rule";
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { checkForm, chooseCircuit, defaultForm, useOf } from "../default-form.ts";
import {
  baseRequestSchema,
  datasetRequestSchema,
  type FactoryEstimate,
  formRequestSchema,
  jobRequestSchema,
  nameId,
  signaturesRequestSchema,
} from "../factory-api.ts";
import { type FactoryContext, requireSignedRequest, signerOf, whileWaitedFor } from "../factory-context.ts";
import { requireDatanet, uploadsGone } from "../store/dataset-store.ts";
import type { StoredJob } from "../store/factory-records.ts";
import type { PlanOrder } from "../tasks/task-messages.ts";

/** Maximum bytes of a request for a data set: it names versions, and has signed requests for 1,024 pages of records. */
const MAX_REQUEST_BYTES = 2 ** 22;

export const idParams = z.object({ id: nameId });

export function registerChoiceRoutes(app: FastifyInstance, context: FactoryContext): void {
  const route = routesOf(app);
  const { bases, config, control, datasets, side } = context;

  app.get("/v1/bases", { config: { maxCost: () => entriesCost(bases.seenCount) } }, async (request) => {
    const list = await bases.list();
    setCost(request, entriesCost(list.length));
    return list;
  });
  route("POST /v1/bases", { body: baseRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    return bases.add(request.body.place, (task) => side.run(leafId, task));
  });
  route("POST /v1/bases/plans", { body: baseRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    return bases.plan(request.body.place, (task) => side.run(leafId, task));
  });

  app.get(
    "/v1/datasets",
    { config: { maxCost: () => entriesCost(config.maxDatasetsPerAccount) } },
    async (request) => {
      const own = await datasets.list(await signerOf(context, request));
      setCost(request, entriesCost(own.length));
      return own.map((dataset) => datasets.listed(dataset));
    },
  );
  route(
    "POST /v1/datasets",
    {
      body: datasetRequestSchema,
      bodyLimit: MAX_REQUEST_BYTES,
      onRequest: async (request) => requireSignedRequest(context, request),
    },
    async (request) => {
      const leafId = await signerOf(context, request);
      if (request.body.kind === "upload") throw uploadsGone();
      await context.requireRoom();
      return datasets.add(request.body, leafId);
    },
  );
  route("GET /v1/datasets/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    return datasets.view(await datasets.require(request.params.id, leafId));
  });
  route(
    "POST /v1/datasets/:id/signatures",
    { params: idParams, body: signaturesRequestSchema },
    async (request) => {
      const leafId = await signerOf(context, request);
      await context.requireRoom();
      return datasets.sign(request.params.id, leafId, request.body.headers);
    },
  );
  route("DELETE /v1/datasets/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    await datasets.delete(request.params.id, leafId);
    return {};
  });

  route("POST /v1/forms", { body: formRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    const { baseId, datasetId } = request.body;
    const dataset = requireDatanet(await datasets.require(datasetId, leafId));
    const base = baseId === null ? null : await bases.require(baseId);
    const choice = chooseCircuit(await context.circuitSizes(), dataset, useOf(dataset, base));
    return defaultForm(base, dataset, choice, await datasets.hasQuestions(datasetId));
  });
  route(
    "POST /v1/estimates",
    { body: jobRequestSchema },
    async (request, reply): Promise<FactoryEstimate> => {
      const leafId = await signerOf(context, request);
      const queuedBefore = await control.queuedBeforeNext();
      const { order, size, view } = await orderOf(context, request.body, leafId);
      const measured = await side.take(
        leafId,
        (compute) => context.withTask(view, (task) => compute({ mode: "measure", ...task, order })),
        { signal: whileWaitedFor(reply) },
      );
      return {
        ...measured,
        queuedBefore,
        registerFeeWei:
          size === null ? null : String((await estimateFees(context.client)).operations.createModel!.feeWei),
      };
    },
  );
}

type PlannedView =
  | "baseId"
  | "baseName"
  | "datasetId"
  | "rowCount"
  | "isRegistrable"
  | "whyNot"
  | "form"
  | "leafId";
interface OrderedJob extends Pick<StoredJob, "size"> {
  readonly order: PlanOrder;
  readonly view: Pick<StoredJob["view"], PlannedView>;
}

/** Checks a requested job as far as that needs neither rows nor base. @throws any error of the form */
async function orderOf(
  { bases, circuitSizes, config, datasets }: FactoryContext,
  { baseId, datasetId, form }: z.output<typeof jobRequestSchema>,
  leafId: number,
): Promise<OrderedJob> {
  const base = baseId === null ? null : await bases.require(baseId);
  const dataset = await datasets.requireReady(datasetId, leafId);
  checkForm(form, { base, dataset, maxSteps: config.maxSteps });
  const choice = chooseCircuit(await circuitSizes(), dataset, form.use);
  return {
    order: { form, dataset, base: base?.files ?? null, features: choice.features },
    size: choice.size,
    view: {
      leafId,
      baseId,
      baseName: base?.view.name ?? null,
      datasetId,
      form,
      rowCount: dataset.view.rowCount,
      isRegistrable: choice.size !== null,
      whyNot: choice.whyNot,
    },
  };
}

/** Job that can begin, with its recipe. */
export interface PlannedJob extends Pick<StoredJob, "recipe" | "size"> {
  readonly view: Pick<StoredJob["view"], PlannedView>;
}

/** Plans a requested job with its rows and its base. @throws any error of the form, the rows or the base */
export async function plannedJob(
  context: FactoryContext,
  request: z.output<typeof jobRequestSchema>,
  leafId: number,
): Promise<PlannedJob> {
  const { order, size, view } = await orderOf(context, request, leafId);
  const { recipe } = await context.side.take(leafId, (compute) =>
    context.withTask(view, (task) => compute({ mode: "plan", ...task, order })),
  );
  // It may be trained and exported: a model that is shared with nobody, or without pay.
  const whyNot = view.whyNot ?? whyUnapprovable(recipe);
  return { recipe, size, view: { ...view, isRegistrable: whyNot === null, whyNot } };
}
