/**
 * Routes of the factory for a finished job: compare with the base, register, serve, export, trace its lineage. factory-app.ts
 * registers them.
 */

import { signedFigureSchema } from "@openledger/datanets/records/signed-figure";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { LEDGER_PATH } from "../../serving/answers/answer-routes.ts";
import {
  compareRequestSchema,
  exportFormSchema,
  exportRequestSchema,
  MAX_COMPARED_CHARS,
  nameId,
  registrationRequestSchema,
  servedRequestSchema,
} from "../factory-api.ts";
import { type FactoryContext, requireSignedRequest, signerOf, whileWaitedFor } from "../factory-context.ts";
import { idParams } from "./choice-routes.ts";
import {
  beginActivation,
  exportedFile,
  exportOf,
  fetchModel,
  lineageOf,
  registrationOf,
  requireFinishedJob,
  storeFigure,
} from "./finished-jobs.ts";

/** Characters of a comparison's request beside its prompts. */
const MAX_FORM_CHARS = 65_536;

const fileParams = z.object({ id: nameId, form: exportFormSchema, file: z.string().max(200) });

export function registerModelRoutes(app: FastifyInstance, context: FactoryContext): void {
  const route = routesOf(app);
  const { control, files, jobs, served, side } = context;
  const params = { params: idParams };
  const compared = {
    ...params,
    body: compareRequestSchema,
    bodyLimit: MAX_COMPARED_CHARS + MAX_FORM_CHARS,
    onRequest: async (request: FastifyRequest) => requireSignedRequest(context, request),
  };

  route("POST /v1/jobs/:id/compare", compared, async (request, reply) => {
    const leafId = await signerOf(context, request);
    const job = requireFinishedJob(await jobs.require(request.params.id, leafId));
    return side.take(
      leafId,
      (compute) =>
        context.withTask(job.view, async (task) => {
          await fetchModel(files, job, task);
          return compute({ mode: "compare", ...task, recipe: job.recipe, ...request.body });
        }),
      { signal: whileWaitedFor(reply) },
    );
  });
  route("GET /v1/jobs/:id/registration", params, async (request) => {
    const leafId = await signerOf(context, request);
    return registrationOf(context, await jobs.require(request.params.id, leafId));
  });
  route("POST /v1/jobs/:id/registration", { ...params, body: registrationRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    return beginActivation(context, await jobs.require(request.params.id, leafId), request.body.modelId);
  });
  route("POST /v1/jobs/:id/figure", { ...params, body: signedFigureSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    return storeFigure(context, await jobs.require(request.params.id, leafId), request.body);
  });
  route("POST /v1/jobs/:id/exports", { ...params, body: exportRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    return exportOf(context, await jobs.require(request.params.id, leafId), request.body.form);
  });
  route("GET /v1/jobs/:id/files/:form/:file", { params: fileParams }, async (request, reply) => {
    const leafId = await signerOf(context, request);
    const { file, form, id } = request.params;
    const { bytes, sizeBytes } = await exportedFile(context, await jobs.require(id, leafId), form, file);
    reply.type("application/octet-stream").header("content-disposition", "attachment");
    return reply.header("content-length", sizeBytes).send(bytes);
  });
  route("POST /v1/jobs/:id/served", { ...params, body: servedRequestSchema }, async (request) => {
    const leafId = await signerOf(context, request);
    const job = requireFinishedJob(await jobs.require(request.params.id, leafId));
    return control.view(await (request.body.isServed ? served.serve(job) : served.end(job)));
  });
  app.get(LEDGER_PATH, async () => ({ models: await served.list() }));
  app.all<{ Params: { model: string } }>(`${LEDGER_PATH}/:model/*`, {
    // The model's own routes count requests, by model.
    config: { rateLimit: false },
    // Before the body is read: those routes read it.
    onRequest: async (request, reply) => {
      const inner = await served.routesOf(request.params.model);
      reply.hijack();
      request.raw.url = request.url.slice(LEDGER_PATH.length);
      inner.routing(request.raw, reply.raw);
    },
    handler: () => undefined,
  });
  route("GET /v1/jobs/:id/lineage", params, async (request) => {
    const leafId = await signerOf(context, request);
    return lineageOf(context, await jobs.require(request.params.id, leafId));
  });
}
