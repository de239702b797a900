import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ServerLog } from "@openledger/foundation/http/http-errors";
import type { RollupError } from "@openledger/foundation/rollup-error";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { readModelFiles } from "../model/model-directory.ts";
import type { RanMode } from "../scores/score-engine.ts";
import { AnswerFolder } from "./answer-store.ts";
import { createLedgerView } from "./ledger-view.ts";
import type { SettlingSource, SpanSource } from "./model-routes.ts";
import { createModelServer, type ModelServerOptions } from "./model-server.ts";

export interface ServeModelOptions extends Omit<ModelServerOptions, "answerTtlMs" | "rateLimitPerMinute"> {
  readonly modelFolder: string;
  /** Where answers and openings are kept: anyone who loses it leaves paid answers unopened, and their draws void. */
  readonly dataFolder: string;
  /** Whose payments open the answers. */
  readonly rollup: StoreRollup;
  readonly sequencerUrl: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Default ten minutes. */
  readonly answerTtlMs?: number;
  /** Default 600. */
  readonly rateLimitPerMinute?: number;
  /** How often payments are read beside the reads that questions cause; default two seconds. */
  readonly pollIntervalMs?: number;
  /** How long unpaid answers are kept after they expired, since payments may come late; default 30 days. */
  readonly keepUnpaidMs?: number;
}

export interface ServedModel {
  readonly url: string;
  /** Resolves when the answers cannot be kept or read any more: the server must end. */
  readonly failed: Promise<RollupError>;
  /** What computes the scores of estimates. */
  readonly scoreMode: RanMode;
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/**
 * Serves a published model until it is closed.
 * @throws ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED
 */
export async function serveModel(
  options: ServeModelOptions,
  modules: {
    log: ServerLog;
    nowMs?: () => number;
    settling?: SettlingSource | undefined;
    spans?: SpanSource | undefined;
  },
): Promise<ServedModel> {
  await initPoseidon();
  const files = await readModelFiles(options.modelFolder);
  let fail!: (error: RollupError) => void;
  const failed = new Promise<RollupError>((resolve) => {
    fail = resolve;
  });
  const answers = await AnswerFolder.open(options.dataFolder, options.rollup, fail);
  try {
    const store = answers.ofModel(options.modelId);
    const defaults = { answerTtlMs: 10 * MINUTE_MS, rateLimitPerMinute: 600 };
    const ledger = createLedgerView(options.sequencerUrl);
    const { app, readPayments, scoreMode } = await createModelServer(
      files,
      { ...defaults, ...options },
      { ...modules, ledger, store },
    );
    const nowMs = modules.nowMs ?? Date.now;
    let sweptAtMs = Number.NEGATIVE_INFINITY;
    const read = async () => {
      try {
        await readPayments();
        // It looks at every answer: once an hour is enough.
        if (nowMs() - sweptAtMs < 60 * MINUTE_MS) return;
        sweptAtMs = nowMs();
        await store.forgetUnpaid(sweptAtMs - (options.keepUnpaidMs ?? 30 * DAY_MS));
      } catch (error) {
        modules.log.error({ err: error }, "payments cannot be read");
      }
    };
    const url = await app.listen({ host: options.host ?? "127.0.0.1", port: options.port });
    const polling = startPolling(read, options.pollIntervalMs ?? 2_000);
    return {
      url,
      failed,
      scoreMode,
      async close() {
        await app.close();
        await polling.stop();
        await answers.close();
      },
    };
  } catch (error) {
    await answers.close();
    throw error;
  }
}

/** Calls `work` again and again, never twice at once. */
function startPolling(work: () => Promise<void>, intervalMs: number): { stop(): Promise<void> } {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const turn = () => {
    running = work().then(() => {
      if (!isStopped) timer = setTimeout(turn, intervalMs);
    });
  };
  turn();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
