/** Threads of a challenger: one that recomputes for hours, and one that plays beside a server, which answers meanwhile. */

import type { LedgerClient } from "@openledger/client/ledger-client";
import { errorOf } from "@openledger/foundation/threads/task-outcome";
import { TaskThread } from "@openledger/foundation/threads/task-thread";
import { modelError } from "@openledger/models/model-errors";
import type { HelperLog } from "@openledger/models/settler/turn-report";
import type { ChallengerSender, ServedSetting } from "./challenger-setting.ts";
import type { ChallengerQuestion, ChallengerResults, ChallengerTask } from "./challenger-worker.ts";
import type { ClaimingReport } from "./claiming/claiming-report.ts";
import type { ClaimableAnswer } from "./claiming/propose-claims.ts";
import type { Recompute, RecomputeModules } from "./playing/watch-registry.ts";
import type { L1Call } from "./sending/l1-sender.ts";

type Thread = TaskThread<ChallengerTask, ChallengerResults>;

const HOUR_MS = 3_600_000;
const MOST_TRAINING_MS = 6 * HOUR_MS;
const MOST_PLACES_MS = 2 * HOUR_MS;
/** Then its memory is given back: models are read and traced on the main thread, too. */
const IDLE_MS = 1_000;

/** It starts with the first task; one that died, or had nothing to do, starts again. */
export class RecomputeThread {
  #thread: Promise<Thread> | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #modules: RecomputeModules | null = null;

  /** One after another. Attack: files that take years. @throws MOD_THREAD_ENDED, after some hours, too */
  readonly recompute: Recompute = async (task, modules) => {
    this.#modules = modules;
    clearTimeout(this.#idle);
    const thread = await this.#open();
    const mostMs = task.trains ? MOST_TRAINING_MS : Math.min(MOST_PLACES_MS, task.sliceMs ?? MOST_PLACES_MS);
    const why = `it takes more than ${Number((mostMs / HOUR_MS).toFixed(1))} hours`;
    const late = setTimeout(() => void this.#end(thread, why), mostMs);
    try {
      const { failure, ...found } = await thread.run({ kind: "recompute", task });
      return { ...found, failure: failure && (errorOf(failure) as Error) };
    } finally {
      clearTimeout(late);
      this.#idle = setTimeout(() => void this.#end(thread, "it has nothing to do"), IDLE_MS);
    }
  };

  async #end(thread: Thread, why: string): Promise<void> {
    this.#thread = null;
    await thread.close(new Error(why));
  }

  /** Ends the thread, and what it does. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await (await this.#thread?.catch(() => null))?.close();
  }

  #open(): Promise<Thread> {
    this.#thread ??= startThread(
      () => {
        this.#thread = null;
      },
      async (question) => answerTo(question, this.#modules!),
    ).catch((error: unknown) => {
      this.#thread = null;
      throw error;
    });
    return this.#thread;
  }
}

function answerTo(question: ChallengerQuestion, modules: RecomputeModules): unknown {
  switch (question.kind) {
    case "send":
      return modules.send(question.call);
    case "spend":
      return modules.spend(question.id, question.wei);
    case "turns":
      return modules.turns();
    case "progress":
      return modules.onProgress(question.line);
    default:
      throw new RangeError(`a recomputation does not ask for ${question.kind}`);
  }
}

export interface ServedChallenger {
  readonly setting: ServedSetting;
  /** Models whose draws are claimed. */
  readonly reports: ReadonlyMap<number, ClaimingReport>;
  readonly client: LedgerClient;
  /** It is opened where something is sent first: all that a server sends for its owner is in one order. */
  readonly openSender: () => Promise<Pick<ChallengerSender, "send">>;
  readonly account: ChallengerSender["address"];
  readonly answerOf: (modelId: number, receipt: bigint) => Promise<ClaimableAnswer | undefined>;
  readonly log: HelperLog;
}

/** The same loop on a thread of its own, until it is stopped. One that dies is started again. */
export function startChallenger(served: ServedChallenger): { stop(): Promise<void> } {
  const { account, answerOf, client, log, openSender, reports, setting } = served;
  const { requestTimeoutMs, sequencerUrl } = client;
  const onAsk = async (question: ChallengerQuestion): Promise<unknown> => {
    switch (question.kind) {
      case "send":
        return (await openSender()).send(question.call as L1Call);
      case "answerOf":
        return answerOf(question.modelId, question.receipt);
      case "report": {
        const report = reports.get(question.modelId)!;
        return (report[question.what] as (...args: readonly unknown[]) => unknown)(...question.args);
      }
      case "log":
        return log[question.level](question.facts, question.message);
      default:
        throw new RangeError(`a server's challenger does not ask for ${question.kind}`);
    }
  };
  let isStopped = false;
  let thread: Promise<Thread> | null = null;
  const run = async () => {
    while (!isStopped) {
      try {
        thread = startThread(() => {}, onAsk);
        const task = { account, requestTimeoutMs, sequencerUrl, setting, modelIds: [...reports.keys()] };
        await (await thread).run({ kind: "run", task });
      } catch (error) {
        if (isStopped) return;
        log.error({ err: error }, `claiming: ${(error as Error).message}`);
        for (const report of reports.values())
          report.noteFailure("MOD_THREAD_ENDED", (error as Error).message);
        await new Promise((resolve) => setTimeout(resolve, RESTART_MS).unref());
      }
    }
  };
  void run();
  return {
    async stop() {
      isStopped = true;
      await (await thread?.catch(() => null))?.close();
    },
  };
}

const RESTART_MS = 10_000;

const startThread = (
  onEnd: () => void,
  onAsk: (question: ChallengerQuestion) => Promise<unknown>,
): Promise<Thread> =>
  TaskThread.start<ChallengerTask, ChallengerResults>({
    ...{ entry: new URL("./challenger-worker-entry.js", import.meta.url), seat: null, ended, onEnd, onAsk },
  });

const ended = (cause: Error) =>
  modelError("MOD_THREAD_ENDED", `nothing is traced any more: ${cause.message}`, { cause });
