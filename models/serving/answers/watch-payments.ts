/**
 * Loop of the answer server that watches payments of registered models: reads those of all served models again and again, and
 * forgets answers that nobody paid. answer-models.ts starts it.
 */
import type { ServerLog } from "@openledger/foundation/http/http-errors";
import { ONE_DAY_MS } from "@openledger/foundation/settings";
import type { AnswerService } from "./answer-service.ts";
import type { AnswerStore } from "./answer-store.ts";

interface WatchedModel {
  readonly service: AnswerService;
  readonly store: AnswerStore;
}

interface WatchOptions {
  readonly log: ServerLog;
  readonly intervalMs: number;
  readonly nowMs?: () => number;
}

/** Models read in one turn: a sequencer's limit of requests per minute holds however many there are. */
const MODELS_PER_TURN = 20;
/** Time for which unpaid answers are stored, since payments may come late: 30 days. */
const KEEP_UNPAID_MS = 30 * ONE_DAY_MS;
/** Time between two sweeps of a store: a sweep looks at every answer. */
const SWEEP_INTERVAL_MS = 3_600_000;

/** Works until it is stopped. A turn that fails is logged, and the next one begins with the same model. */
export function watchPayments(
  modelsNow: () => readonly WatchedModel[],
  { intervalMs, log, nowMs = Date.now }: WatchOptions,
): { stop(): Promise<void> } {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let nextModel = 0;
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const read = async () => {
    const models = modelsNow();
    for (let i = 0; i < Math.min(MODELS_PER_TURN, models.length) && !isStopped; i++) {
      await models[nextModel % models.length]!.service.readPayments();
      nextModel = (nextModel + 1) % models.length;
    }
    if (nowMs() - sweptAtMs < SWEEP_INTERVAL_MS) return;
    sweptAtMs = nowMs();
    for (const { store } of models) await store.forgetUnpaid(sweptAtMs - KEEP_UNPAID_MS);
  };
  const turn = async () => {
    try {
      await read();
    } catch (error) {
      log.error({ err: error }, "payments cannot be read");
    }
    if (!isStopped) timer = setTimeout(begin, intervalMs);
  };
  let running = Promise.resolve();
  const begin = () => {
    running = turn();
  };
  begin();
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
