import { setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { imageTypeOf, utf8 } from "../rows/row-view.ts";
import { DIGEST_BYTES, decodeDigests, encodeRows } from "../rows/row-wire.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import { LabelQueue } from "../store/label-queue.ts";
import { placeAfter, ROW_STATES, RowSearch, rowView } from "../store/row-search.ts";
import { rowStatistics } from "../store/row-statistics.ts";
import { labelRefusal, requireMayLabel } from "./access.ts";
import type { HostContext } from "./host-context.ts";
import {
  binaryBody,
  cardOf,
  digestParams,
  digestsText,
  idParams,
  openForReading,
  rootText,
  SIGNED,
  signerOf,
} from "./host-request.ts";
import { scanCost } from "./scan-costs.ts";

const MAX_FETCHED_ROWS = 65_536;
const EXCERPT_CHARACTERS = 400;
/** Maximum characters of a row that is to be labelled. */
const WHOLE_CHARACTERS = 100_000;

const rowsQuery = z.strictObject({
  text: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "all of these words; a trailing * matches any ending" }),
  label: z.string().max(60).optional(),
  contributor: countFromText.optional(),
  commit: rootText.optional(),
  state: z.enum(ROW_STATES).optional(),
  wellFormed: z.enum(["true", "false"]).optional(),
  from: countFromText.default(0),
  after: countFromText.optional().meta({ description: "`next` of the page before; it goes before `from`" }),
  limit: limit(200, 50),
});
type RowsQuery = z.output<typeof rowsQuery>;
/** Rows that are shown, and digests that are looked up, in the time of a unit. */
const ROWS_PER_UNIT = 16;
const DIGESTS_PER_UNIT = 1_000;
const queueQuery = z.strictObject({
  limit: limit(50, 10),
  unsent: digestsText.meta({ description: "rows labelled already, whose labels are about to come" }),
  skipped: digestsText.meta({ description: "rows not to be given now" }),
});

/** Rows to read, find and label. */
export function registerRowRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, metrics, nowMs, registry } = context;
  const searches = new WeakMap<HostedDatanet, RowSearch>();
  const queues = new WeakMap<HostedDatanet, LabelQueue>();
  const knownCost = (digestCount: number) => (digestCount * registry.all().length) / DIGESTS_PER_UNIT;
  const searchCost = (id: number, { limit }: RowsQuery) => scanCost(context, id) + limit / ROWS_PER_UNIT;

  route(
    "GET /v1/datanets/:id/rows",
    {
      tag: "rows",
      summary: "Search and filter rows",
      params: idParams,
      querystring: rowsQuery,
      config: {
        maxCost: (request) => searchCost((request.params as { id: number }).id, request.query as RowsQuery),
      },
      ...SIGNED,
    },
    async (request) => {
      setCost(request, searchCost(request.params.id, request.query));
      const { after, commit, contributor, label, limit, state, text, wellFormed } = request.query;
      const { datanet } = await openForReading(context, request, request.params.id);
      const card = await cardOf(context, datanet);
      const search = cached(searches, datanet, () => new RowSearch(datanet));
      if (text !== undefined || label !== undefined || wellFormed !== undefined)
        datanet.loading.require("words");
      const stop = metrics.searchSeconds.startTimer();
      const isWellFormed = wellFormed === undefined ? undefined : wellFormed === "true";
      const filter = { text, label, state, contributorId: contributor, commit, isWellFormed };
      const found = search.find(card, filter);
      stop();
      const from = after === undefined ? request.query.from : placeAfter(found, after);
      const shown = [...found.subarray(from, from + limit)];
      return {
        total: found.length,
        from,
        // By the row and not by its place: rows that come or change meanwhile move no page.
        next: from + shown.length < found.length ? (shown.at(-1) ?? null) : null,
        rows: await Promise.all(shown.map((row) => rowView(datanet, card, row, EXCERPT_CHARACTERS))),
      };
    },
  );

  route(
    "POST /v1/datanets/:id/rows/fetch",
    {
      bodyLimit: DIGEST_BYTES * MAX_FETCHED_ROWS,
      tag: "rows",
      summary: "Rows by SHA-256, in the order asked for, as many as fit one answer",
      params: idParams,
      consumes: ["application/octet-stream"],
      ...SIGNED,
    },
    async (request, reply) => {
      const { datanet } = await openForReading(context, request, request.params.id);
      const digests = decodeDigests(binaryBody(request));
      const rows: Uint8Array[] = [];
      let bytes = 0;
      for (const digest of digests) {
        const row = await datanet.content(datanet.requireRow(digest));
        bytes += row.length;
        if (rows.length > 0 && bytes > config.maxChunkBytes) break;
        rows.push(row);
      }
      return reply.type("application/octet-stream").send(Buffer.from(encodeRows(rows).buffer));
    },
  );

  route(
    "POST /v1/datanets/:id/rows/known",
    {
      bodyLimit: DIGEST_BYTES * MAX_FETCHED_ROWS,
      tag: "rows",
      summary: "Which of these SHA-256 are rows of any Datanet of this host: places and Datanets",
      params: idParams,
      consumes: ["application/octet-stream"],
      config: { maxCost: ({ body }) => knownCost((body as Uint8Array).length / DIGEST_BYTES) },
    },
    async (request) => {
      const digests = decodeDigests(binaryBody(request));
      setCost(request, knownCost(digests.length));
      for (const { loading } of registry.all()) loading.require("rows");
      const known = registry.all().flatMap((datanet) =>
        digests.flatMap((digest, place) => {
          const row = datanet.rows.find(digest);
          if (row === undefined) return [];
          const { contributorId } = datanet.commits[datanet.rows.commitOf(row)]!.facts;
          return [{ place, datanetId: datanet.id, contributorId }];
        }),
      );
      return { known };
    },
  );

  route(
    "GET /v1/datanets/:id/rows/:digest",
    { tag: "rows", summary: "A row with its records", params: digestParams, ...SIGNED },
    async (request) => {
      const { digest, id } = request.params;
      const { datanet, leaf } = await openForReading(context, request, id);
      const card = await cardOf(context, datanet);
      const view = await rowView(datanet, card, datanet.requireRow(digest), WHOLE_CHARACTERS);
      const records = datanet.recordState.row(digest);
      // Labels are shown once a row has enough, so that nobody follows another.
      const isShown = view.outcome.state !== "waiting";
      const isReviewer = leaf !== null && (leaf.id === id || card.labelling.reviewers.includes(leaf.id));
      return {
        ...view,
        labels: isShown ? [...records.labels.values()] : null,
        gold: isReviewer ? records.gold : null,
        settled: records.settled,
        leaveOut: records.leaveOut,
        suggestion: records.suggestion,
        objections: records.objections,
      };
    },
  );

  route(
    "GET /v1/datanets/:id/rows/:digest/content",
    {
      tag: "rows",
      summary: "A row's bytes: plain text, an image, or bytes; never markup",
      params: digestParams,
      ...SIGNED,
    },
    async (request, reply) => {
      const { digest, id } = request.params;
      const { datanet } = await openForReading(context, request, id);
      const content = await datanet.content(datanet.requireRow(digest));
      const image = imageTypeOf(content);
      const type =
        image ?? (utf8(content) === null ? "application/octet-stream" : "text/plain; charset=utf-8");
      return reply
        .type(type)
        .header("content-disposition", `attachment; filename="${digest}"`)
        .send(Buffer.from(content));
    },
  );

  route(
    "GET /v1/datanets/:id/queue",
    {
      tag: "labels",
      summary: "The signer's next rows to label",
      params: idParams,
      querystring: queueQuery,
      ...SIGNED,
    },
    async (request) => {
      const { datanet, leaf } = await openForReading(context, request, request.params.id);
      if (leaf === null)
        throw datanetError("DNT_REQUEST_UNSIGNED", "each labeller has their own queue: sign the request");
      const card = await cardOf(context, datanet);
      requireMayLabel(card, leaf);
      const queue = cached(queues, datanet, () => new LabelQueue(datanet, nowMs));
      const { limit, skipped, unsent } = request.query;
      // A row that is not known here is none that could be given.
      const rowsOf = (digests: readonly string[]) =>
        new Set(digests.flatMap((digest) => datanet.rows.find(digest) ?? []));
      const { held, rows } = queue.next(card, leaf.id, {
        limit,
        unsent: rowsOf(unsent),
        skipped: rowsOf(skipped),
      });
      const views = await Promise.all(rows.map((row) => rowView(datanet, card, row, WHOLE_CHARACTERS)));
      return {
        // What a row says of itself, and how many labels it has, would steer who labels it.
        rows: views.map(({ bytes, digest, excerpt, isCut, isWellFormed }) => ({
          digest,
          bytes,
          excerpt,
          isCut,
          isWellFormed,
        })),
        labelledCount: datanet.recordState.labelCounts.get(leaf.id) ?? 0,
        held,
      };
    },
  );

  route(
    "GET /v1/datanets/:id/statistics",
    {
      tag: "labels",
      summary: "Classes, states, lengths, growth, agreement, labellers",
      params: idParams,
      config: { maxCost: ({ params }) => scanCost(context, (params as { id: number }).id) },
    },
    async (request) => {
      const { id } = request.params;
      setCost(request, scanCost(context, id));
      const datanet = registry.require(id);
      datanet.loading.require("words");
      return rowStatistics(datanet, await cardOf(context, datanet), nowMs());
    },
  );

  route(
    "GET /v1/datanets/:id/session",
    {
      tag: "host",
      summary: "The leaf that the host identifies the signer with, and its permissions",
      params: idParams,
      ...SIGNED,
    },
    async (request) => {
      const leaf = await signerOf(context, request);
      const datanet = registry.require(request.params.id);
      const card = await cardOf(context, datanet);
      const { reviewers } = card.labelling;
      return {
        leafId: leaf.id,
        mayLabel: labelRefusal(card, leaf) === null,
        mayReview: leaf.id === datanet.id || reviewers.includes(leaf.id),
        isOwner: leaf.id === datanet.id,
        grantedUntilMs: datanet.recordState.grantedUntilMs(leaf.id),
        labelCount: datanet.recordState.labelCounts.get(leaf.id) ?? 0,
      };
    },
  );
}

function cached<T>(map: WeakMap<HostedDatanet, T>, datanet: HostedDatanet, make: () => T): T {
  const known = map.get(datanet);
  if (known !== undefined) return known;
  const made = make();
  map.set(datanet, made);
  return made;
}
