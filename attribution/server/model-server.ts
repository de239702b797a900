/** A model over HTTP: answers with receipts, its files, and the openings that settle it (docs/reference/attribution.md). */

import type { ServerLog } from "@openledger/foundation/http/http-errors";
import type { ServerLimits } from "@openledger/foundation/http/server-settings";
import type { FastifyInstance } from "fastify";
import { directFamily } from "../model/direct/direct-family.ts";
import type { ModelFamily } from "../model/model-family.ts";
import { decodeModel, type PublishedModel } from "../model/model-files.ts";
import { decodeManifest, type ModelFiles } from "../model/model-manifest.ts";
import { DIRECT } from "../model/recipe-fields.ts";
import { ANSWERED_AGAIN, assuranceOf } from "../model/reply-assurance.ts";
import { estimateByEngine } from "../scores/attribution-estimate.ts";
import { openModelScores } from "../scores/model-scores.ts";
import type { RanMode, ScoreChoice } from "../scores/score-engine.ts";
import { AnswerService, type AnswerServiceOptions, type AnswerWork } from "./answer-service.ts";
import type { AnswerStore } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";
import { createModelApp, type SettlingSource, type SpanSource } from "./model-routes.ts";

export interface ModelServerOptions extends AnswerServiceOptions, ServerLimits {
  /** What computes the scores of estimates; default int32. */
  readonly scores?: ScoreChoice;
  /** Families of models that are served; default: direct models. */
  readonly families?: readonly ModelFamily[];
}

export interface ModelServer {
  /** The application; the caller listens. */
  readonly app: FastifyInstance;
  /** What computes the scores, whatever was chosen. */
  readonly scoreMode: RanMode;
  /** Marks the answers that were paid for. @returns how many. @throws ATT_SERVER_UNREACHABLE */
  readPayments(): Promise<number>;
}

/**
 * Checks the model's files and serves them. Routes are ready when the promise resolves. Needs `initPoseidon`.
 * @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH, ATT_RECIPE_INVALID, ATT_SCORE_MODE_UNAVAILABLE
 */
export async function createModelServer(
  files: ModelFiles,
  options: ModelServerOptions,
  modules: {
    ledger: LedgerView;
    store: AnswerStore;
    log: ServerLog;
    nowMs?: () => number;
    settling?: SettlingSource | undefined;
    spans?: SpanSource | undefined;
  },
): Promise<ModelServer> {
  const { log, settling, spans, store } = modules;
  const { modelId } = options;
  const model = decodeModel(files, options.families ?? [directFamily]);
  const { scoreMode, work } = await openWork(model, options.scores ?? "int32");
  const service = new AnswerService(work, options, modules);
  const routed = {
    modelId,
    manifest: decodeManifest(files),
    scoreMode,
    assurance: assuranceOf(model.recipe, ANSWERED_AGAIN),
    service,
    store,
    file: (name: string) => files.get(name),
    sharedFile: (name: string) => model.family.readShared?.(model, name),
    row: (place: number) => model.rows?.[place]?.content,
    settling,
    spans,
  };
  const app = await createModelApp({ prefix: "", limits: options, find: () => routed }, log);
  return { app, scoreMode, readPayments: () => service.readPayments() };
}

/** On this thread. @throws ATT_SCORE_MODE_UNAVAILABLE, ATT_MODEL_FILE_INVALID, and what the model's family throws */
async function openWork(
  model: PublishedModel,
  scores: ScoreChoice,
): Promise<{ work: AnswerWork; scoreMode: RanMode }> {
  const answering = await model.family.open(model);
  const engine = await openModelScores(model.features, scores);
  const work: AnswerWork = {
    staticsHash: model.staticsHash,
    isDirect: model.recipe.family === DIRECT,
    answer: answering.answer,
    estimate: (query) => estimateByEngine(model, query, engine),
  };
  return { work, scoreMode: engine.mode };
}
