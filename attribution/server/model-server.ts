/** A model over HTTP: answers with receipts, its files, and the openings that settle it (docs/attribution.md). */
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { z } from "zod";
import { isRollupError, type RollupError } from "../../circuits/rollup-error.ts";
import { attributionError, attributionHttpStatus } from "../attribution-errors.ts";
import { decodeManifest, decodeModel, MANIFEST, type ModelFiles } from "../model/model-files.ts";
import { MAX_ROW_BYTES } from "../rows/row-content.ts";
import { AnswerDesk, type AnswerDeskOptions, type GivenAnswer } from "./answer-desk.ts";
import type { AnswerStore, StoredAnswer } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";

export interface ModelServerOptions extends AnswerDeskOptions {
  readonly rateLimitPerMinute: number;
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

const element = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const id = z.number().int().min(0).max(0xffffff);
const questionSchema = z.strictObject({
  prompt: z.string().min(1).max(MAX_ROW_BYTES),
  payerId: id,
  signature: z.strictObject({ r8x: element, r8y: element, s: element }).transform(({ r8x, r8y, s }) => {
    return { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
  }),
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
 * @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH
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
  },
): Promise<ModelServer> {
  const { store, log, settling } = modules;
  const desk = new AnswerDesk(decodeModel(files), options, modules);
  const manifest = decodeManifest(files);
  const app = fastify({ bodyLimit: 4 * MAX_ROW_BYTES, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => sendError(error, reply, log));
  // What is read here is published, and no cookie counts: a page of any origin may read it.
  app.addHook("onSend", async (request, reply) => {
    if (request.method === "GET") reply.header("access-control-allow-origin", "*");
  });
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
    const bytes = file === MANIFEST || file in manifest.files ? files.get(file) : undefined;
    if (bytes === undefined)
      return reply.code(404).send({ error: { code: "ATT_BAD_REQUEST", message: "no such file" } });
    const type = file.endsWith(".json") ? "application/json" : "application/octet-stream";
    return reply.header("content-type", type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
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
