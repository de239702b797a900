/** Routes of the Datanet host for reports of bias: who has signed which, and their texts. host-api.ts registers them. */
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { isOfTeam } from "../records/record-roles.ts";
import { MAX_REPORT_BYTES, readReportBytes } from "../report/report.ts";
import { sha256Hex } from "../rows/row-digest.ts";
import { isReportNamed, listReports, reportText, storeReport } from "../store/reports.ts";
import type { HostContext } from "./host-context.ts";
import { binaryBody, cardOf, digestParams, idParams, openForReading, pageOf } from "./host-request.ts";

const LINE_FEED = 0x0a;
const reportsQuery = z.strictObject({
  version: countFromText.optional(),
  model: countFromText.optional(),
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});

/** Reports of bias. */
export function registerReportRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { store } = context;

  route(
    "GET /v1/datanets/:id/reports",
    {
      tag: "records",
      summary: "Who has signed reports of bias, the newest first, and whose texts are here",
      params: idParams,
      querystring: reportsQuery,
      config: { maxCost: ({ query }) => entriesCost((query as z.output<typeof reportsQuery>).limit) },
    },
    async (request) => {
      const { from, limit, model, version } = request.query;
      const expected = { version: version ?? null, model: model ?? null, from, limit };
      const found = await listReports(await store.require(request.params.id), expected);
      setCost(request, entriesCost(found.records.length));
      return pageOf(found, { from, limit });
    },
  );

  route(
    "PUT /v1/datanets/:id/reports/:digest",
    {
      bodyLimit: MAX_REPORT_BYTES,
      tag: "records",
      summary: "Bring the text of a report that the Datanet, or one of its team, has signed",
      params: digestParams,
      consumes: ["application/octet-stream"],
    },
    async (request) => {
      const { digest, id } = request.params;
      const datanet = await store.require(id);
      const bytes = binaryBody(request);
      const other = () =>
        datanetError("DNT_REPORT_INVALID", `the text is not that of report ${digest} of Datanet ${id}`, {
          data: { why: "another report", digest },
        });
      if (sha256Hex(bytes.at(-1) === LINE_FEED ? bytes.subarray(0, -1) : bytes) !== digest) throw other();
      const card = await cardOf(context, datanet);
      const mayBring = (leafId: number) => leafId === id || isOfTeam(card, leafId);
      // Attack: strangers have the host read a megabyte of faults, or fill it with texts, each signed by an account of its own.
      if (await isReportNamed(datanet, digest, mayBring)) {
        const named = readReportBytes(bytes);
        if (named.report.datanetId !== id) throw other();
        if (await storeReport(datanet, named, mayBring)) return { sha256: digest };
      }
      throw datanetError(
        "DNT_REPORT_UNSIGNED",
        `neither Datanet ${id} nor one of its team has signed the report ${digest}`,
        { data: { datanetId: id, digest } },
      );
    },
  );

  route(
    "GET /v1/datanets/:id/reports/:digest",
    { tag: "records", summary: "A report by its SHA-256, as its canonical text", params: digestParams },
    async (request, reply) => {
      const { digest, id } = request.params;
      // It tells of rows what their statistics do.
      const { datanet } = await openForReading(context, request, id);
      const text = await reportText(datanet, digest);
      if (text === null)
        throw datanetError("DNT_NOT_HOSTED", `this host has no report ${digest}`, { data: { digest } });
      reply.type("application/json; charset=utf-8");
      return reply.serializer((value: string) => value).send(text);
    },
  );
}
