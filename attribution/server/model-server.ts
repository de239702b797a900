/** A model over HTTP: answers with receipts, its files, and the openings that settle it (docs/attribution.md). */
import cors from "@fastify/cors";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import { attributionError, attributionHttpStatus } from "../attribution-errors.ts";
import { classifierFamily } from "../model/classifier-family.ts";
import type { ModelFamily } from "../model/model-family.ts";
import { decodeModel } from "../model/model-files.ts";
import { decodeManifest, MANIFEST, type ModelFiles } from "../model/model-manifest.ts";
import { MAX_ROW_BYTES } from "../rows/row-content.ts";
import { AnswerDesk, type AnswerDeskOptions, type GivenAnswer } from "./answer-desk.ts";
import type { AnswerStore, StoredAnswer } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";

export interface ModelServerOptions extends AnswerDeskOptions {
  readonly rateLimitPerMinute: number;
  /** Families of models that are served; default: classifiers. */
  readonly families?: readonly ModelFamily[];
}

export interface ModelServer {
  /** The application; the caller listens. */
  readonly app: FastifyInstance;
  readonly desk: AnswerDesk;
}

/** Unforeseen failures and failed reads of the ledger are told here. */
export interface ServerLog {
  error(facts: object, message: string): void;
}

/** What a server reports of the automatic settling of its model. The caller that starts both makes it. */
export interface SettlingSource {
  /** Goes out as JSON. */
  view(): object;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
}

/** Verbatim spans of a text, with evidence (docs/spans.md). The caller has the index. */
export interface SpanSource {
  /** The answer of the route, as JSON. @throws where the text is none */
  cite(text: string): object;
}

const element = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const id = z.number().int().min(0).max(0xffffff);
const questionSchema = z.strictObject({
  prompt: z.string().min(1).max(MAX_ROW_BYTES),
  payerId: id,
  signature: z.strictObject({ r8x: element, r8y: element, s: element }).transform(({ r8x, r8y, s }) => {
    return { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
  }),
});
const textSchema = z.strictObject({
  text: z.string().min(1).max(MAX_ROW_BYTES),
});
const decimal = z
  .string()
  .regex(/^\d{1,8}$/)
  .transform(Number);
const openingsSchema = z.strictObject({ epoch: decimal, from: decimal.default(0) });
/** Openings in one answer: of the largest circuits a megabyte. */
const OPENINGS_PAGE = 256;

/**
 * Checks the model's files and serves them. Routes are ready when the promise resolves. Needs `initPoseidon`.
 * @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH, ATT_FAMILY_UNKNOWN
 */
export async function createModelServer(
  files: ModelFiles,
  options: ModelServerOptions,
  modules: {
    ledger: LedgerView;
    store: AnswerStore;
    log: ServerLog;
    nowMs?: () => number;
    /** Absent where nobody settles here. */
    settling?: SettlingSource | undefined;
    /** Absent where no index of the version's text is at hand. */
    spans?: SpanSource | undefined;
  },
): Promise<ModelServer> {
  const { store, log, settling, spans } = modules;
  const model = decodeModel(files, options.families ?? [classifierFamily]);
  const desk = await AnswerDesk.open(model, options, modules);
  const manifest = decodeManifest(files);
  const app = fastify({ bodyLimit: 4 * MAX_ROW_BYTES, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, log));
  // Anybody's page may ask: there are no cookies, and a question is signed by the account that pays.
  await app.register(cors, { origin: "*", methods: ["GET", "POST"], maxAge: 86_400 });
  await app.register(rateLimit, {
    max: options.rateLimitPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      attributionError("ATT_RATE_LIMITED", `too many requests; try again in ${after}`, { data: { after } }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw attributionError("ATT_BAD_REQUEST", `there is no ${request.method} ${request.url.slice(0, 200)}`);
  });

  app.get("/v1/model", () => ({ modelId: options.modelId, manifest, scoreMode: desk.scoreMode }));

  app.get<{ Params: { file: string } }>("/v1/model/:file", (request, reply) => {
    const { file } = request.params;
    return sendFile(reply, file, file === MANIFEST || file in manifest.files ? files.get(file) : null);
  });

  app.get<{ Params: { file: string } }>("/v1/base/:file", async (request, reply) => {
    const { file } = request.params;
    return sendFile(reply, file, await model.family.readShared?.(model, file));
  });

  app.get<{ Params: { row: string } }>("/v1/rows/:row", (request, reply) => {
    const place = parse(decimal, request.params.row);
    const content = model.rows?.[place]?.content;
    if (content === undefined)
      throw attributionError("ATT_ROW_NOT_PUBLISHED", `row ${place} is not published`, {
        data: { row: place },
      });
    return sendFile(reply, "row.json", content);
  });

  app.post("/v1/spans", (request) => {
    const { text } = parse(textSchema, request.body);
    if (spans === undefined) throw attributionError("ATT_NO_SPANS", "this server has no index of the text");
    return spans.cite(text);
  });

  app.post("/v1/answers", async (request) => answerView(await desk.ask(parse(questionSchema, request.body))));

  app.get<{ Params: { receipt: string } }>("/v1/answers/:receipt", async (request) => {
    const receipt = parse(element, request.params.receipt);
    const record = await store.answer(`0x${receipt.slice(2).toLowerCase().padStart(64, "0")}`);
    if (record === undefined) {
      throw attributionError("ATT_UNKNOWN_RECEIPT", `no answer has the receipt ${receipt}`, {
        data: { receipt },
      });
    }
    return statusView(record);
  });

  app.get("/v1/openings", async (request) => {
    const { epoch, from } = parse(openingsSchema, request.query);
    await desk.readPayments();
    const found = await store.paidIn(epoch, from, OPENINGS_PAGE);
    return {
      modelId: options.modelId,
      epoch,
      openings: found.map(({ index, record }) => ({ index, ...openingView(record) })),
      nextFrom: found.length === OPENINGS_PAGE ? found.at(-1)!.index + 1 : null,
    };
  });

  app.get("/v1/settling", () => settling?.view() ?? { modelId: options.modelId, stage: null });

  if (settling !== undefined)
    app.get("/metrics", async (_request, reply) =>
      reply.header("content-type", "text/plain; version=0.0.4").send(await settling.metrics()),
    );

  await app.ready();
  return { app, desk };
}

function sendFile(reply: FastifyReply, name: string, bytes: Uint8Array | null | undefined): FastifyReply {
  if (bytes == null)
    return reply.code(404).send({ error: { code: "ATT_BAD_REQUEST", message: "no such file" } });
  const type = name.endsWith(".json") ? "application/json" : "application/octet-stream";
  return reply.header("content-type", type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

function answerView({ record, estimate }: GivenAnswer) {
  const { label, confidence, answer, expiresAtMs, priceWei } = record;
  return { label, confidence, answer, ...openingView(record), priceWei, expiresAtMs, estimate };
}

/** What anyone may know of an answer: neither prompt nor text. */
function statusView(record: StoredAnswer) {
  const { receipt, payerId, answerHash, queryCommitment, priceWei, expiresAtMs, payment } = record;
  return {
    receipt,
    payerId,
    answerHash,
    queryCommitment,
    priceWei,
    expiresAtMs,
    isPaid: payment !== null,
    payment,
  };
}

/** What opens a receipt: published once it is paid, for everyone who settles or checks a settlement. */
function openingView({ receipt, payerId, answerHash, queryBytes, queryCommitment, salt }: StoredAnswer) {
  return { receipt, payerId, answerHash, queryBytes, queryCommitment, salt };
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw attributionError("ATT_BAD_REQUEST", z.prettifyError(parsed.error).slice(0, 1_000), {
    data: { fields: parsed.error.issues.slice(0, 20).map((issue) => issue.path.join(".")) },
  });
}

function sendError(error: unknown, reply: FastifyReply, log: ServerLog): FastifyReply {
  const typed = typedError(error, log);
  const status = attributionHttpStatus(typed.code);
  if (typed.isRetryable && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
  const { code, message, data } = typed.toJSON() as { code: string; message: string; data: object };
  return reply
    .code(status)
    .send({ error: { code, message, data, docs: `docs/errors.md#${code.toLowerCase()}` } });
}

function typedError(error: unknown, log: ServerLog): RollupError {
  if (isRollupError(error)) return error;
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode < 500) {
    return attributionError("ATT_BAD_REQUEST", message ?? "the request is malformed", { cause: error });
  }
  log.error({ err: error }, "unforeseen failure of a request");
  return attributionError("ATT_INTERNAL", "the server failed in an unforeseen way", { cause: error });
}
