/**
 * Routes of the factory's jobs: begin, list, pause, resume, stop, delete, and the stream of a job's events. Pages and commands
 * call them by factory-client.ts.
 */
import { randomBytes } from "node:crypto";
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { EventStream } from "../../serving/openai/event-stream.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import { type FactoryJob, jobRequestSchema } from "../factory-api.ts";
import { type FactoryContext, signerOf } from "../factory-context.ts";
import type { NewJob } from "../store/factory-records.ts";
import { sortingSteps } from "../tasks/train-sorter.ts";
import { idParams, type PlannedJob, plannedJob } from "./choice-routes.ts";

/** Maximum bytes that wait for a client that does not read. The client returns with the number of its last event. */
const MAX_BUFFERED_BYTES = 4 * 2 ** 20;
/** Interval of heartbeats: proxies end connections on which nothing comes. */
const HEARTBEAT_MS = 15_000;
const eventsQuery = z.object({
  after: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .default(0),
});

export function registerJobRoutes(app: FastifyInstance, context: FactoryContext): void {
  const route = routesOf(app);
  const { config, control, datasets, jobs } = context;

  app.get(
    "/v1/jobs",
    { config: { maxCost: () => entriesCost(config.maxJobsPerAccount) } },
    async (request) => {
      const own = await jobs.ofAccount(await signerOf(context, request));
      setCost(request, entriesCost(own.length));
      return control.views(own);
    },
  );
  route("POST /v1/jobs", { body: jobRequestSchema }, async (request): Promise<FactoryJob> => {
    const leafId = await signerOf(context, request);
    await datasets.refuseWithdrawn(await datasets.requireReady(request.body.datasetId, leafId));
    const planned = await plannedJob(context, request.body, leafId);
    await context.requireRoom();
    return control.view(await control.add(newJob(planned, context.nowMs())));
  });
  route("GET /v1/jobs/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    return control.view(await jobs.require(request.params.id, leafId));
  });
  route("DELETE /v1/jobs/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    await control.delete(await jobs.require(request.params.id, leafId));
    return {};
  });
  for (const wish of ["pause", "resume", "stop"] as const)
    route(`POST /v1/jobs/:id/${wish}`, { params: idParams }, async (request) => {
      const leafId = await signerOf(context, request);
      return control.view(await control[wish](await jobs.require(request.params.id, leafId)));
    });

  route("GET /v1/jobs/:id/events", { params: idParams, querystring: eventsQuery }, async (request, reply) => {
    const leafId = await signerOf(context, request);
    const { id } = (await jobs.require(request.params.id, leafId)).view;
    reply.hijack();
    const { raw } = reply;
    // Headers of other plug-ins: who may read the answer, and that it frames nothing.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) raw.setHeader(name, value);
    const stream = new EventStream(raw, MAX_BUFFERED_BYTES);
    stream.begin();
    raw.write(": \n\n");
    const heartbeat = setInterval(() => raw.write(": \n\n"), HEARTBEAT_MS);
    let end: (() => void) | null = null;
    raw.once("close", () => {
      clearInterval(heartbeat);
      end?.();
    });
    try {
      end = await jobs.follow(id, request.query.after, (event) => {
        try {
          stream.send(event);
        } catch {
          // Its connection is closed: it did not read.
          end?.();
        }
      });
      if (raw.destroyed) end();
    } catch (error) {
      context.logger.error({ err: error, job: id }, "events cannot be read");
      raw.destroy();
    }
  });
}

/** Steps of a job, and rows that its model does not learn from. */
function stepsAndRows({ recipe, view }: Pick<PlannedJob, "recipe" | "view">) {
  if (view.form.use !== "write") return { steps: sortingSteps(view.rowCount, view.form), heldOutCount: 0 };
  const { heldOut = 0, tuning } = recipe as TextRecipe;
  return { steps: tuning.steps, heldOutCount: heldOut };
}

function newJob({ recipe, size, view }: PlannedJob, createdAtMs: number): NewJob {
  return {
    recipe,
    size,
    registration: { state: "unready", percent: 0, activation: null, failure: null, statics: null },
    view: {
      ...view,
      id: `job-${randomBytes(6).toString("hex")}`,
      state: "queued",
      stage: "waiting",
      createdAtMs,
      step: 0,
      ...stepsAndRows({ recipe, view }),
      loss: null,
      heldOutLoss: null,
      accuracy: null,
      tokensPerSecond: null,
      secondsLeft: null,
      lastEvent: 0,
      failure: null,
      result: null,
      modelId: null,
      isServed: false,
    },
  };
}
