/** What becomes of a job that is done: compared, registered, exported, explained. */
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { idParams } from "./choice-routes.ts";
import { compareRequestSchema } from "./factory-api.ts";
import { type FactoryContext, signerOf } from "./factory-context.ts";
import { factoryError } from "./factory-errors.ts";
import type { StoredJob } from "./factory-store.ts";

type Id = { Params: z.output<typeof idParams> };

export function registerModelRoutes(app: FastifyInstance, context: FactoryContext): void {
  const { book, desk, side } = context;
  const params = { params: idParams };

  app.post<Id & { Body: z.output<typeof compareRequestSchema> }>(
    "/v1/jobs/:id/compare",
    { schema: { ...params, body: compareRequestSchema } },
    async (request) => {
      const leafId = await signerOf(context, request);
      const job = requireDone(book.require(request.params.id, leafId));
      const jobFolder = desk.folderOf(job.view.id);
      return side.run(leafId, { mode: "compare", ...context.taskOf(job), jobFolder, ...request.body });
    },
  );
}

/** @throws MOD_FACTORY_JOB_STATE */
export function requireDone(job: StoredJob): StoredJob {
  const { id, state } = job.view;
  if (state === "done") return job;
  throw factoryError("MOD_FACTORY_JOB_STATE", `job ${id} is ${state}, not done`, { data: { id, state } });
}
