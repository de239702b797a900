/**
 * The routes of registered models (those that the ledger has), each below its leaf's id
 * (docs/reference/attribution.md). answer-models.ts adds them to the server.
 */

import type { OutgoingHttpHeaders } from "node:http";
import cors from "@fastify/cors";
import { attributionError, attributionErrors } from "@openledger/attribution/attribution-errors";
import { MANIFEST, type ModelManifest } from "@openledger/attribution/model/model-manifest";
import type { assuranceOf } from "@openledger/attribution/model/reply-assurance";
import { MAX_ROW_BYTES, maxPromptChars } from "@openledger/attribution/rows/row-content";
import type { InputKind } from "@openledger/attribution/rows/row-kinds";
import type { RanMode } from "@openledger/attribution/scores/score-engine";
import { sealedBytes } from "@openledger/circuits/ledger/model-query";
import { signature } from "@openledger/circuits/wire/wire-fields";
import { datanetErrors } from "@openledger/datanets/datanet-errors";
import type { SignedFigure } from "@openledger/datanets/records/signed-figure";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { createServer } from "@openledger/foundation/http/create-server";
import { type HttpErrors, refusalBody } from "@openledger/foundation/http/http-errors";
import { serveMetrics } from "@openledger/foundation/http/serve-metrics";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import { rowNumber } from "@openledger/foundation/row-number";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { citedIn } from "../../tuning/retrieval/citations.ts";
import type { AnswerService, ReceivedAnswer } from "./answer-service.ts";
import type { AnswerStore, StoredAnswer } from "./answer-store.ts";
import { refusalHeaders, responseHeaders, X402_EXPOSED, x402RequestOf } from "./x402-exchange.ts";

type Bytes = Uint8Array | null | undefined;

/** A model as its routes need it. */
export interface RoutedModel {
  readonly modelId: number;
  readonly manifest: ModelManifest;
  /** Kind of its prompts: a picture's file is larger than a text. */
  readonly promptKind: InputKind;
  /** Tells what computes the scores of estimates. */
  scoreMode(): Promise<RanMode>;
  readonly service: AnswerService;
  /** Assurance of its replies: the highest that its recipe promises. */
  readonly assurance: ReturnType<typeof assuranceOf>;
  readonly store: AnswerStore;
  /** A file of the manifest, or the manifest; nothing else is asked for. @throws ATT_ROW_WITHDRAWN for one with withdrawn rows */
  file(name: string): Bytes | Promise<Bytes>;
  /** A file that it shares with others: a language model's base, a classifier's word vectors. */
  sharedFile(name: string): Bytes | Promise<Bytes>;
  /** True if the rows are among its files. */
  readonly publishesRows: boolean;
  /** True for a file with rows or parts of their texts, which readers alone get. */
  tellsRows(name: string): boolean;
  /** The figure of unseen rows that the model's leaf has signed; null for none. */
  figure(): Promise<SignedFigure | null>;
  /** The content of a row, if rows are published. @throws ATT_ROW_WITHDRAWN */
  row(position: number): Bytes | Promise<Bytes>;
  /** Passes if the request may read the rows. @throws DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED and what else the Datanets' rules say */
  requireReader(request: FastifyRequest): Promise<void>;
  /** Names by which a client signs a request for rows. */
  signingInfo(): Promise<object>;
  /** Absent if this server does not settle epochs. */
  readonly settling?: SettlingSource | undefined;
}

export interface ModelAppOptions {
  /** Limits of requests a minute, for each address and model. */
  readonly limits: ServerLimits;
  /** @throws if there is no such model */
  find(model: string): RoutedModel;
  /** Leaves of all that are served. */
  modelIds(): readonly number[];
}

/** Report of the automatic settling of a model. The caller that starts both makes it. */
export interface SettlingSource {
  /** Goes out as JSON. */
  view(): object;
  /** Metrics in Prometheus' text format. */
  metrics(): Promise<string>;
}

const element = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const id = z.number().int().min(0).max(0xffffff);
const questionSchema = z.strictObject({
  prompt: z.string().min(1),
  payerId: id,
  isPrivate: z.boolean().default(false),
  isSealed: z.boolean().default(false),
  signature,
});
/** A question without a payer: it is paid by x402. */
const openQuestionSchema = z.strictObject({ prompt: questionSchema.shape.prompt });
const decimal = z
  .string()
  .regex(/^\d{1,8}$/)
  .transform(Number);
const openingsSchema = z.strictObject({ epoch: decimal, from: decimal.default(0) });
/** Maximum characters of a question beside its prompt. */
const QUESTION_CHARS = 4_096;
/** Maximum bytes of a question: a picture's file in base64 has no others, a text's characters may have four. */
const MAX_QUESTION_BYTES = Math.max(4 * MAX_ROW_BYTES, maxPromptChars("image") + QUESTION_CHARS);
/** Maximum bytes of prompts in a page of openings, but for its first. */
const OPENINGS_PAGE_BYTES = 2 ** 22;
/** Path that the routes of registered models begin with. */
export const LEDGER_PATH = "/ledger";
/** Path of a model, below it. */
const PREFIX = "/:model";
/** Openings in one answer: of the largest circuits a megabyte. */
const OPENINGS_PAGE = 256;
/** Openings in a unit of the rate limit: about 4 kB each. */
const OPENINGS_PER_UNIT = 4;
/** Units of a look at the sequencer for payments, which is a request there and writes here. */
const PAYMENTS_UNITS = 4;
/** Media type that a request accepts to get an answer as it is made. */
const EVENT_STREAM = "text/event-stream";
/** An estimate is computed while its asker waits. */
const SILENT_TIMEOUT_MS = 600_000;

/** The application; the caller listens. Routes are ready when the promise resolves. */
export async function createModelApp(
  { find, limits, modelIds }: ModelAppOptions,
  modules: Pick<HttpErrors, "log" | "onRefusal">,
): Promise<FastifyInstance> {
  const modelOf = ({ params }: FastifyRequest) => (params as { model?: string }).model ?? "";
  const of = (request: FastifyRequest) => find(modelOf(request));
  const errors: HttpErrors = {
    ...modules,
    statusOf: ({ code }) => attributionErrors.statusOf(code) ?? datanetErrors.statusOf(code) ?? 500,
  };
  const app = await createServer({
    limits,
    errors,
    bodyLimitBytes: 4 * MAX_ROW_BYTES,
    hasRawBodies: true,
    silentTimeoutMs: SILENT_TIMEOUT_MS,
    rateKey: (request) => `${clientNetwork(request)} ${modelOf(request)}`,
  });
  // Anybody's page may ask: there are no cookies, and a question is signed by the account that pays.
  await app.register(cors, {
    origin: "*",
    methods: ["GET", "POST"],
    maxAge: 86_400,
    exposedHeaders: X402_EXPOSED,
  });

  app.get(`${PREFIX}/v1/info`, (request) => of(request).signingInfo());

  app.get("/", () => ({ models: modelIds().map((modelId) => ({ modelId })) }));

  app.get(`${PREFIX}/v1/model`, async (request) => {
    const model = of(request);
    return { modelId: model.modelId, manifest: model.manifest, scoreMode: await model.scoreMode() };
  });

  app.get<{ Params: { file: string } }>(`${PREFIX}/v1/model/:file`, async (request, reply) => {
    const { file } = request.params;
    const model = of(request);
    const isOwn = file === MANIFEST || Object.hasOwn(model.manifest.files, file);
    if (isOwn && model.tellsRows(file)) await model.requireReader(request);
    return sendFile(reply, file, isOwn ? await model.file(file) : null);
  });

  app.get(`${PREFIX}/v1/figure`, async (request) => ({ figure: await of(request).figure() }));

  app.get<{ Params: { file: string } }>(`${PREFIX}/v1/base/:file`, async (request, reply) => {
    const { file } = request.params;
    return sendFile(reply, file, await of(request).sharedFile(file));
  });

  app.get<{ Params: { row: string } }>(`${PREFIX}/v1/rows/:row`, async (request, reply) => {
    const position = parse(decimal, request.params.row);
    const model = of(request);
    if (model.publishesRows) await model.requireReader(request);
    const content = await model.row(position);
    if (content == null)
      throw attributionError("ATT_NOT_FOUND", `row ${rowNumber(position)} is not published`, {
        data: { reason: "row-not-published", row: position },
      });
    return sendFile(reply, "row.json", content);
  });

  app.post(`${PREFIX}/v1/answers`, { bodyLimit: MAX_QUESTION_BYTES }, async (request, reply) => {
    const { assurance, promptKind, service } = of(request);
    const max = maxPromptChars(promptKind);
    const requirePrompt = (prompt: string) => {
      if (prompt.length > max)
        throw attributionError("SRV_BAD_REQUEST", `a prompt of this model has at most ${max} characters`, {
          data: { fields: ["prompt"] },
        });
    };
    if (isWithoutPayer(request.body)) {
      const { prompt } = parse(openQuestionSchema, request.body);
      requirePrompt(prompt);
      const { settlement, ...input } = await service
        .sell(
          prompt,
          x402RequestOf(request, {
            ...limits,
            ledgerPath: LEDGER_PATH,
            path: `${LEDGER_PATH}${request.url}`,
          }),
        )
        .catch((error: unknown) => {
          reply.headers(refusalHeaders(error));
          throw error;
        });
      return reply.headers(responseHeaders(settlement)).send(answerView(input, assurance));
    }
    const question = parse(questionSchema, request.body);
    requirePrompt(question.prompt);
    const events = new AnswerEvents(reply);
    const onText =
      request.headers.accept === EVENT_STREAM ? (soFar: string) => events.tell(soFar) : undefined;
    try {
      const answer = answerView(await service.ask(question, undefined, onText), assurance);
      // An answer at hand is sent whole.
      if (!events.isOpen) return answer;
      events.end(answer);
    } catch (error) {
      if (!events.isOpen) throw error;
      events.end(refusalBody(error, errors));
    }
    return reply;
  });

  const paymentsCost = { config: { maxCost: () => PAYMENTS_UNITS } };
  app.get<{ Params: { receipt: string } }>(`${PREFIX}/v1/answers/:receipt`, paymentsCost, async (request) => {
    const receipt = parse(element, request.params.receipt);
    const { service, store } = of(request);
    const name = `0x${receipt.slice(2).toLowerCase().padStart(64, "0")}`;
    const first = await store.answer(name);
    // Anyone who has paid for a sealed answer waits for this.
    const isLooked = first !== undefined && isShut(first);
    setCost(request, isLooked ? PAYMENTS_UNITS : 0);
    if (isLooked) await service.readPayments();
    const record = await store.answer(name);
    if (record === undefined) {
      throw attributionError("ATT_NOT_FOUND", `no answer has the receipt ${receipt}`, {
        data: { reason: "unknown-receipt", receipt },
      });
    }
    return statusView(record);
  });

  app.get(`${PREFIX}/v1/openings`, paymentsCost, async (request) => {
    const { epoch, from } = parse(openingsSchema, request.query);
    const { service, modelId, store } = of(request);
    await service.readPayments();
    const limits = { count: OPENINGS_PAGE, promptBytes: OPENINGS_PAGE_BYTES };
    const { isLast, paid: found } = await store.paidIn(epoch, from, limits);
    setCost(request, PAYMENTS_UNITS + found.length / OPENINGS_PER_UNIT);
    return {
      modelId,
      epoch,
      openings: found.map(({ index, record }) => ({ index, ...openingView(record) })),
      nextFrom: isLast ? null : found.at(-1)!.index + 1,
    };
  });

  app.get(`${PREFIX}/v1/settling`, (request) => {
    const { modelId, settling } = of(request);
    return settling?.view() ?? { modelId, stage: null };
  });

  serveMetrics(app, `${PREFIX}/metrics`, {
    textOf(request) {
      const { settling } = of(request);
      if (settling === undefined)
        throw attributionError("SRV_UNKNOWN_ROUTE", "this server does not settle epochs");
      return { contentType: "text/plain; version=0.0.4", metrics: () => settling.metrics() };
    },
  });

  await app.ready();
  return app;
}

/** True for a question with nobody's name: it has no field of ours beside the prompt. */
const isWithoutPayer = (body: unknown) =>
  typeof body === "object" && body !== null && !("payerId" in body) && !("signature" in body);

function sendFile(reply: FastifyReply, name: string, bytes: Uint8Array | null | undefined): FastifyReply {
  if (bytes == null)
    return reply.code(404).send({ error: { code: "SRV_BAD_REQUEST", message: "no such file" } });
  const type = name.endsWith(".json") ? "application/json" : "application/octet-stream";
  return reply.header("content-type", type).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** Sends an answer as it is made: `{soFar}` again and again, then the answer of `POST /v1/answers` otherwise. */
class AnswerEvents {
  readonly #reply: FastifyReply;
  isOpen = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  /** A reader that is slow misses some of it. */
  tell(soFar: string): void {
    const { raw } = this.#reply;
    if (!this.isOpen) {
      this.isOpen = true;
      this.#reply.hijack();
      const headers = {
        "content-type": EVENT_STREAM,
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
      };
      raw.writeHead(200, { ...(this.#reply.getHeaders() as OutgoingHttpHeaders), ...headers });
    }
    if (raw.destroyed || raw.writableLength > 0) return;
    raw.write(eventOf({ soFar }));
    // Node sends at the end of a turn, and a model that answers on this thread leaves none.
    raw.socket?.uncork();
  }

  end(content: object): void {
    this.#reply.raw.end(eventOf(content));
  }
}

const eventOf = (content: object) => `data: ${JSON.stringify(content)}\n\n`;

type Assurance = RoutedModel["assurance"];

function answerView({ record, estimate }: ReceivedAnswer, assurance: Assurance) {
  const { label, answer, expiresAtMs, payerId, priceWei, receipt } = record;
  const terms = { receipt, payerId, priceWei, expiresAtMs };
  const opened = { label, answer, ...openingView(record), estimate, assurance };
  if (!isShut(record)) return { ...opened, ...terms };
  const { salt, ...rest } = opened;
  const bytes = sealedBytes(BigInt(salt), Buffer.from(JSON.stringify(rest)));
  return { ...terms, ...questionOf(record), sealed: Buffer.from(bytes).toString("base64") };
}

/** Question of the row that a sealed answer is of: who pays for it has to see whether it is theirs. Its asker may read the rows. */
function questionOf({ answer, label }: StoredAnswer): { readonly question?: string } {
  const [first] = label === null ? (citedIn(answer)?.citations ?? []) : [];
  const question = first?.question;
  return question === undefined ? {} : { question };
}

/** True for an answer that is sealed, and not paid yet. */
const isShut = ({ isSealed, payment }: StoredAnswer) => isSealed === true && payment === null;

/**
 * Public part of an answer: neither prompt nor text. The hashes of a sealed one are left out, since they would tell a
 * short answer.
 */
function statusView(record: StoredAnswer) {
  const { receipt, payerId, answerHash, queryCommitment, priceWei, expiresAtMs, payment, salt } = record;
  const hashes = isShut(record)
    ? { answerHash: null, queryCommitment: null }
    : { answerHash, queryCommitment };
  // The opening of a paid answer is among its epoch's, too.
  const opening = payment === null ? {} : { salt };
  return {
    receipt,
    payerId,
    ...hashes,
    priceWei,
    expiresAtMs,
    isPaid: payment !== null,
    payment,
    ...opening,
  };
}

/** Opening of a receipt: published once it is paid, for everyone who settles or checks a settlement. */
function openingView(record: StoredAnswer) {
  const { receipt, payerId, answerHash, queryBytes, queryCommitment, salt } = record;
  const shown = record.isDrawn === true && record.prompt !== undefined ? { prompt: record.prompt } : {};
  return { receipt, payerId, answerHash, queryBytes, queryCommitment, salt, ...shown };
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw attributionError("SRV_BAD_REQUEST", z.prettifyError(parsed.error).slice(0, 1_000), {
    data: { fields: parsed.error.issues.slice(0, 20).map((issue) => issue.path.join(".")) },
  });
}
