/**
 * Routes of the factory's jobs: begin, list, pause, resume, stop, delete, and the stream of a job's events. Pages and commands
 * call them by factory-client.ts.
 */
import { randomBytes } from "node:crypto";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { factoryError } from "../../model-errors.ts";
import { EventStream } from "../../serving/openai/event-stream.ts";
import { type FactoryJob, jobRequestSchema } from "../factory-api.ts";
import { type FactoryContext, signerOf } from "../factory-context.ts";
import type { StoredJob } from "../store/factory-store.ts";
import { idParams, plannedJob } from "./choice-routes.ts";

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
  const { jobs, config, runner } = context;

  app.get("/v1/jobs", async (request) => {
    const leafId = await signerOf(context, request);
    const own = jobs.all().filter(({ view }) => view.leafId === leafId);
    return own.reverse().map((job) => runner.view(job));
  });
  route("POST /v1/jobs", { body: jobRequestSchema }, async (request): Promise<FactoryJob> => {
    const leafId = await signerOf(context, request);
    const planned = await plannedJob(context, request.body, leafId);
    await context.requireRoom();
    const own = jobs.all().filter(({ view }) => view.leafId === leafId);
    if (own.length >= config.maxJobsPerAccount)
      throw factoryError("SRV_QUOTA_USED", `leaf ${leafId} has ${own.length} jobs`, {
        data: { reason: "jobs-full", what: "jobs", max: config.maxJobsPerAccount },
      });
    return runner.view(
      await runner.add(newJob(planned, (jobs.all().at(-1)?.order ?? 0) + 1, context.nowMs())),
    );
  });
  route("GET /v1/jobs/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    return runner.view(jobs.require(request.params.id, leafId));
  });
  route("DELETE /v1/jobs/:id", { params: idParams }, async (request) => {
    const leafId = await signerOf(context, request);
    await runner.delete(jobs.require(request.params.id, leafId));
    return {};
  });
  for (const wish of ["pause", "resume", "stop"] as const)
    route(`POST /v1/jobs/:id/${wish}`, { params: idParams }, async (request) => {
      const leafId = await signerOf(context, request);
      return runner.view(await runner[wish](jobs.require(request.params.id, leafId)));
    });

  route("GET /v1/jobs/:id/events", { params: idParams, querystring: eventsQuery }, async (request, reply) => {
    const leafId = await signerOf(context, request);
    const { id } = jobs.require(request.params.id, leafId).view;
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

function newJob(
  { recipe, size, view }: Awaited<ReturnType<typeof plannedJob>>,
  order: number,
  createdAtMs: number,
): StoredJob {
  return {
    order,
    recipe,
    size,
    isStopWished: false,
    saidStep: -1,
    secondsBefore: 0,
    registration: { state: "unready", percent: 0, activation: null, failure: null, statics: null },
    view: {
      ...view,
      id: `job-${randomBytes(6).toString("hex")}`,
      state: "queued",
      stage: "waiting",
      createdAtMs,
      step: 0,
      steps: recipe.tuning.steps,
      heldOutCount: recipe.heldOut ?? 0,
      loss: null,
      heldOutLoss: null,
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
