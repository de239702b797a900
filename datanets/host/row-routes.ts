/** Routes of the Datanet host to search, read and label rows. host-api.ts registers them. */
import { pictureTypeOf } from "@openledger/attribution/pictures/picture-type";
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { hex32 } from "@openledger/foundation/hex";
import { scannedCost, setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { utf8 } from "../rows/row-view.ts";
import { DIGEST_BYTES, encodeRows, requireDigests } from "../rows/row-wire.ts";
import { fieldFiltersText } from "../store/field-filters.ts";
import { countedValues, FieldStatisticsCache, MAX_VALUES } from "../store/field-statistics.ts";
import { nextToLabel } from "../store/label-queue.ts";
import { ROW_STATES } from "../store/row-query.ts";
import { MAX_RANKED } from "../store/row-ranking.ts";
import { MAX_COUNTED, RowSearch } from "../store/row-search.ts";
import { RowStatistics } from "../store/row-statistics.ts";
import { rowViews } from "../store/row-views.ts";
import { bufferOf } from "../store/sql-values.ts";
import { labelRefusal, requireMayLabel } from "./access.ts";
import type { HostContext } from "./host-context.ts";
import {
  binaryBody,
  cardOf,
  digestParams,
  digestsText,
  idParams,
  OCTETS_PER_UNIT,
  openForReading,
  queryText,
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
  text: queryText(200).optional().meta({
    description: "all of these words, the best matches first; a trailing * matches any ending",
  }),
  label: queryText(60).optional(),
  contributor: countFromText.optional(),
  commit: rootText.optional(),
  state: z.enum(ROW_STATES).optional(),
  wellFormed: z.enum(["true", "false"]).optional(),
  fields: fieldFiltersText.optional().meta({
    description:
      'conditions on fields of a table, as JSON: [{"field":"city","is":"Oslo"},{"field":"age","from":40,"to":50},{"field":"note","isMissing":true}]',
  }),
  from: countFromText
    .default(0)
    .meta({ description: "place of the first row; behind those that are counted, `after`" }),
  after: countFromText.optional().meta({ description: "`next` of the page before; it goes before `from`" }),
  limit: limit(200, 50),
});
type RowsQuery = z.output<typeof rowsQuery>;
/** Rows that are shown, and digests that are looked up, in the time of a unit. */
const ROWS_PER_UNIT = 16;
const DIGESTS_PER_UNIT = 1_000;
const FETCHED_PER_UNIT = 2_000;
/** Digests of a body; 0 for one that is no list, which is refused. */
const digestCount = (body: unknown) => (body instanceof Uint8Array ? body.length / DIGEST_BYTES : 0);
const queueQuery = z.strictObject({
  limit: limit(50, 10),
  unsent: digestsText.meta({ description: "rows labelled already, whose labels are about to come" }),
  skipped: digestsText.meta({ description: "rows not to be given now" }),
});

/** Rows to read, find and label. */
export function registerRowRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, metrics, nowMs, store } = context;
  const search = new RowSearch();
  const statistics = new RowStatistics();
  const fieldStatistics = new FieldStatisticsCache();
  const knownCost = (digestCount: number) => (digestCount * store.seenDatanetCount) / DIGESTS_PER_UNIT;
  const searchCost = (id: number, { limit }: RowsQuery) => scanCost(context, id) + limit / ROWS_PER_UNIT;

  route(
    "GET /v1/datanets/:id/rows",
    {
      tag: "rows",
      summary: `Search and filter rows; up to ${MAX_COUNTED} are counted, with text up to ${MAX_RANKED}: of more, isTotalExact is false`,
      params: idParams,
      querystring: rowsQuery,
      config: {
        maxCost: (request) => searchCost((request.params as { id: number }).id, request.query as RowsQuery),
      },
      ...SIGNED,
    },
    async (request) => {
      setCost(request, searchCost(request.params.id, request.query));
      const {
        after,
        commit,
        contributor,
        fields = [],
        label,
        limit,
        state,
        text,
        wellFormed,
      } = request.query;
      const { card, datanet } = await openForReading(context, request, request.params.id);
      const stop = metrics.searchSeconds.startTimer();
      const isWellFormed = wellFormed === undefined ? undefined : wellFormed === "true";
      const filter = {
        text,
        label,
        state,
        contributorId: contributor,
        commit,
        isWellFormed,
        fields: fields.length === 0 ? undefined : fields,
      };
      const found = await search.find(datanet, card, filter, { from: request.query.from, after, limit });
      stop();
      return {
        total: found.total,
        isTotalExact: found.isTotalExact,
        undescribedCount: datanet.undescribedCount,
        from: found.from,
        // By the row and not by its place: rows that come or change meanwhile move no page.
        next: found.next,
        rows: (await rowViews(datanet, card, found.rows, EXCERPT_CHARACTERS)).rows,
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
      // Looked up, whether they are here or not; what is found costs its bytes, too.
      config: { maxCost: ({ body }) => digestCount(body) / FETCHED_PER_UNIT },
      ...SIGNED,
    },
    async (request, reply) => {
      const { datanet } = await openForReading(context, request, request.params.id);
      const digests = binaryBody(request);
      requireDigests(digests);
      const lookedUp = digestCount(digests) / FETCHED_PER_UNIT;
      setCost(request, lookedUp);
      const rows = await datanet.fetchRows(digests, config.maxChunkBytes);
      const bytes = Buffer.from(encodeRows(rows).buffer);
      setCost(request, lookedUp + bytes.length / OCTETS_PER_UNIT);
      return reply.type("application/octet-stream").send(bytes);
    },
  );

  route(
    "POST /v1/datanets/:id/rows/known",
    {
      bodyLimit: DIGEST_BYTES * MAX_FETCHED_ROWS,
      tag: "rows",
      summary: "Which of these SHA-256 are rows of public Datanets of this host: places and Datanets",
      params: idParams,
      consumes: ["application/octet-stream"],
      config: { maxCost: ({ body }) => knownCost(digestCount(body)) },
    },
    async (request) => {
      const digests = binaryBody(request);
      requireDigests(digests);
      setCost(request, knownCost(digestCount(digests)));
      return { known: await store.knownRows(bufferOf(digests)) };
    },
  );

  route(
    "GET /v1/datanets/:id/rows/:digest",
    { tag: "rows", summary: "A row with its records", params: digestParams, ...SIGNED },
    async (request) => {
      const { digest, id } = request.params;
      const { card, datanet, leaf } = await openForReading(context, request, id);
      const number = await datanet.requireRow(digest);
      const { recordState, rows } = await rowViews(datanet, card, [number], WHOLE_CHARACTERS);
      const view = rows[0]!;
      const records = recordState.row(digest);
      // Labels are shown once a row has enough, so that nobody follows another.
      const isShown = view.outcome.state !== "waiting";
      const isReviewer = leaf !== null && (leaf.id === id || card.labelling.reviewers.includes(leaf.id));
      // Contributors see what they have signed themselves.
      const own = leaf?.id === view.contributorId ? records.labels.get(view.contributorId) : undefined;
      return {
        ...view,
        label: own?.label ?? view.label,
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
      summary: "A row's bytes behind its salt: plain text, an image, or bytes; never markup",
      params: digestParams,
      ...SIGNED,
    },
    async (request, reply) => {
      const { digest, id } = request.params;
      const { datanet } = await openForReading(context, request, id);
      const content = contentOfRow(await datanet.content(digest));
      const image = pictureTypeOf(content);
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
      const { card, datanet, leaf } = await openForReading(context, request, request.params.id);
      if (leaf === null)
        throw datanetError("DNT_REQUEST_UNSIGNED", "each labeller has their own queue: sign the request");
      requireMayLabel(card, leaf);
      const { limit, skipped, unsent } = request.query;
      const ids = await datanet.rowIds([...unsent, ...skipped]);
      // A row that is not known here is none that could be given.
      const rowsOf = (digests: readonly string[]) => digests.flatMap((digest) => ids.get(digest) ?? []);
      const { held, rows } = await nextToLabel(datanet, card, {
        leafId: leaf.id,
        nowMs: Math.floor(nowMs()),
        limit,
        unsent: rowsOf(unsent),
        skipped: rowsOf(skipped),
      });
      const [views, labelledCount] = await Promise.all([
        rowViews(datanet, card, rows, WHOLE_CHARACTERS),
        datanet.labelCount(card, leaf.id),
      ]);
      return {
        // What a row says of itself, and how many labels it has, would steer who labels it.
        // Nor is one shown that was withdrawn since it was chosen.
        rows: views.rows.flatMap(({ bytes, digest, excerpt, isCut, isWellFormed, values, withdrawnAtMs }) =>
          withdrawnAtMs === null ? [{ digest, bytes, excerpt, values, isCut, isWellFormed }] : [],
        ),
        labelledCount,
        held,
      };
    },
  );

  route(
    "GET /v1/datanets/:id/statistics",
    {
      tag: "labels",
      summary: "Classes, states, lengths, growth, agreement, labellers, for who may read the rows",
      params: idParams,
      ...SIGNED,
      config: { maxCost: ({ params }) => scanCost(context, (params as { id: number }).id) },
    },
    async (request) => {
      const { id } = request.params;
      setCost(request, scanCost(context, id));
      const { card, datanet } = await openForReading(context, request, id);
      const counted = await statistics.of(datanet, card, nowMs());
      return { ...counted, undescribedCount: datanet.undescribedCount };
    },
  );

  route(
    "GET /v1/datanets/:id/fields",
    {
      tag: "rows",
      summary:
        "Values of a table's fields in numbers, for its readers: bins, frequent names, what is missing",
      params: idParams,
      config: { maxCost: () => scannedCost(MAX_VALUES) },
      ...SIGNED,
    },
    async (request) => {
      const { card, datanet } = await openForReading(context, request, request.params.id);
      setCost(request, scannedCost(countedValues(datanet.rowCount, card)));
      const counted = await fieldStatistics.of(datanet, card);
      return { ...counted, undescribedCount: datanet.undescribedCount };
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
      const datanet = await store.require(request.params.id);
      const card = await cardOf(context, datanet);
      const { keyX } = await context.ledger.datanet(datanet.id);
      const [grantedUntilMs, labelCount] = await Promise.all([
        datanet.grantedUntilMs(leaf.id, hex32(keyX)),
        datanet.labelCount(card, leaf.id),
      ]);
      const { reviewers } = card.labelling;
      return {
        leafId: leaf.id,
        mayLabel: labelRefusal(card, leaf) === null,
        mayReview: leaf.id === datanet.id || reviewers.includes(leaf.id),
        isOwner: leaf.id === datanet.id,
        grantedUntilMs,
        labelCount,
      };
    },
  );
}
