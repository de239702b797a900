import { setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { FINDING_KINDS } from "../cleaning/finding.ts";
import { decisionOf, FINDING_STATES, noticesFor, objectionOf, stateOf } from "../store/decisions.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import { RowChecks } from "../store/row-check.ts";
import type { HostContext } from "./host-context.ts";
import { cardOf, idParams, openForReading, SIGNED } from "./host-request.ts";
import { entriesCost, scanCost } from "./scan-costs.ts";

const findingsQuery = z.strictObject({
  kind: z.enum(FINDING_KINDS).optional(),
  state: z.enum(FINDING_STATES).optional(),
  contributor: countFromText.optional(),
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});
const noticesQuery = z.strictObject({
  contributor: countFromText,
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});

/** Routes of cleaning: findings about the rows, decisions on them, and notices to contributors. */
export function registerFindingRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, logger, nowMs, registry, store } = context;
  const checks = new RowChecks(store, config.checkTimeoutMs, nowMs);
  app.addHook("onClose", () => checks.close());

  const stateOfCheck = async (datanet: HostedDatanet) => {
    const { running } = checks;
    const last = await checks.last(datanet);
    const { recordCount, rows } = datanet;
    return {
      running: running?.datanetId === datanet.id ? running : null,
      failure: checks.failure(datanet.id),
      last:
        last === null
          ? null
          : {
              rowCount: last.rowCount,
              checkedAtMs: last.checkedAtMs,
              /** false: rows or records have come since. */
              isCurrent: last.rowCount === rows.size && last.recordCount === recordCount,
            },
    };
  };

  route(
    "POST /v1/datanets/:id/findings/check",
    {
      tag: "cleaning",
      summary: "Have all rows looked at; one Datanet at a time",
      params: idParams,
      ...SIGNED,
    },
    async (request, reply) => {
      const { datanet } = await openForReading(context, request, request.params.id);
      const check = await stateOfCheck(datanet);
      if (check.running !== null || check.last?.isCurrent === true) return check;
      for (const { loading } of registry.all()) loading.require("rows");
      const run = checks.run(datanet, (one) => cardOf(context, one), registry.all());
      run.then(
        ({ findings, rowCount }) =>
          logger.info({ datanetId: datanet.id, rowCount, found: findings.length }, "rows looked at"),
        (error: unknown) =>
          logger.error({ err: error, datanetId: datanet.id }, "rows could not be looked at"),
      );
      // What is refused at once is the caller's business; what fails later is in the log, and the check is not current.
      await Promise.race([run, new Promise(setImmediate)]);
      reply.code(202);
      return stateOfCheck(datanet);
    },
  );

  route(
    "GET /v1/datanets/:id/findings",
    {
      tag: "cleaning",
      summary: "What the last look at the rows has found, and what was decided",
      params: idParams,
      querystring: findingsQuery,
      config: {
        maxCost: ({ params, query }) =>
          scanCost(context, (params as { id: number }).id) +
          entriesCost((query as z.output<typeof findingsQuery>).limit),
      },
      ...SIGNED,
    },
    async (request) => {
      const { contributor, from, kind, limit, state } = request.query;
      setCost(request, scanCost(context, request.params.id) + entriesCost(limit));
      const { datanet } = await openForReading(context, request, request.params.id);
      const last = await checks.last(datanet);
      const all = (last?.findings ?? []).map((finding) => {
        const records = datanet.recordState.row(finding.row);
        return { ...finding, state: stateOf(finding, records, datanet.id), records };
      });
      const counts = FINDING_KINDS.map((name) => {
        const own = all.filter((finding) => finding.kind === name);
        const count = (state: string) => own.filter((finding) => finding.state === state).length;
        const [open, leftOut, kept] = [count("open"), count("leftOut"), count("kept")];
        return { kind: name, total: own.length, open, leftOut, kept };
      });
      const matching = all.filter(
        (finding) =>
          (kind === undefined || finding.kind === kind) &&
          (state === undefined || finding.state === state) &&
          (contributor === undefined || finding.contributorId === contributor),
      );
      return {
        check: await stateOfCheck(datanet),
        counts,
        total: matching.length,
        from,
        findings: matching.slice(from, from + limit).map(({ records, ...finding }) => ({
          ...finding,
          ...placeOf(datanet, finding.row),
          decision: decisionOf(records),
          objection: objectionOf(records, finding.contributorId),
        })),
      };
    },
  );

  route(
    "GET /v1/notices",
    {
      tag: "cleaning",
      summary: "Notices for a contributor: the rows left out, why, and by whom",
      querystring: noticesQuery,
      config: {
        maxCost: ({ query }) =>
          scanCost(context, null) + entriesCost((query as z.output<typeof noticesQuery>).limit),
      },
    },
    (request) => {
      const { contributor, from, limit } = request.query;
      setCost(request, scanCost(context, null) + entriesCost(limit));
      for (const { loading } of registry.all()) loading.require("rows");
      const all = registry
        .all()
        .flatMap((datanet) => noticesFor(datanet, contributor))
        .sort((a, b) => b.atMs - a.atMs);
      return { total: all.length, from, notices: all.slice(from, from + limit) };
    },
  );
}

/** Returns the place at which the row counts: the first commit that has it. */
function placeOf(datanet: HostedDatanet, digest: string): { commit: string | null; index: number | null } {
  const row = datanet.rows.find(digest);
  if (row === undefined) return { commit: null, index: null };
  const { commit, index } = datanet.rows.place(row);
  return { commit: datanet.commits[commit]!.facts.rowsRoot, index };
}
