/**
 * Parent's side of a process that computes for the factory (task-entry.js): training, estimates, comparisons, exports, proofs of
 * activations. Workers and side-tasks.ts start one for each computation; time limits are in milliseconds.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type {
  FactoryTask,
  ProgressMessage,
  TaskMessage,
  TaskOrder,
  TaskResults,
  TaskWish,
} from "./task-messages.ts";

const ENTRY = fileURLToPath(new URL("./task-entry.js", import.meta.url));

interface TaskEnd<Mode extends FactoryTask["mode"]> {
  /** null if the task was paused. */
  readonly result: TaskResults[Mode] | null;
}

/** Milliseconds after which a process that says nothing is killed. */
export interface TaskLimits {
  /** Limit of a side computation that is asked for and waited for: most say nothing before their result. */
  readonly sideTimeoutMs: number;
  /** Limit between two signs of a job, or of an activation's proof. */
  readonly jobSilenceMs: number;
}

const LIMIT_OF_MODE = {
  base: "sideTimeoutMs",
  basePlan: "sideTimeoutMs",
  baseCopy: "sideTimeoutMs",
  plan: "sideTimeoutMs",
  measure: "sideTimeoutMs",
  compare: "sideTimeoutMs",
  merge: "sideTimeoutMs",
  train: "jobSilenceMs",
  activation: "jobSilenceMs",
} as const satisfies Record<FactoryTask["mode"], keyof TaskLimits>;

/**
 * A process that computes: the factory answers requests meanwhile, and lives on if it is killed. Its messages are
 * handled one after another. One that says nothing for too long is killed: a file of somebody else's can hold a library
 * for ever, and with it a place among those that compute.
 */
export class ChildTask<Mode extends FactoryTask["mode"]> {
  readonly #child: ChildProcess;
  /**
   * @throws the task's refusal; MOD_FACTORY_TRAINER_ENDED if the process ended without a word; MOD_FACTORY_TASK_SILENT
   * if it said nothing for too long
   */
  readonly ended: Promise<TaskEnd<Mode>>;

  constructor(
    task: Extract<FactoryTask, { readonly mode: Mode }>,
    limits: TaskLimits,
    onMessage: (message: ProgressMessage) => Promise<void> = async () => {},
  ) {
    const child = fork(ENTRY, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child = child;
    const maxSilentMs = limits[LIMIT_OF_MODE[task.mode]];
    this.ended = new Promise((resolve, reject) => {
      const silence = setTimeout(() => {
        const text = `a process that computes ${task.mode} said nothing for ${maxSilentMs} ms`;
        reject(factoryError("MOD_FACTORY_TASK_SILENT", text, { data: { task: task.mode, maxSilentMs } }));
        child.kill("SIGKILL");
      }, maxSilentMs);
      let last: Promise<void> = Promise.resolve();
      let end: (() => void) | null = null;
      let storedCount = 0;
      child.on("message", (message: TaskMessage) => {
        silence.refresh();
        switch (message.kind) {
          case "events":
          case "stage":
          case "copy":
          case "checkpoint":
            last = last
              .then(() => onMessage(message))
              .then(() => this.#order({ storedCount: ++storedCount }));
            // Nobody waits for what cannot be kept.
            last.catch((error: unknown) => {
              reject(error);
              child.kill("SIGKILL");
            });
            return;
          case "result":
            end = () => resolve({ result: message.result as TaskResults[Mode] });
            return;
          case "paused":
            end = () => resolve({ result: null });
            return;
          default: {
            const { code, data, message: text } = message.failure;
            end = () => reject(new RollupError(code, text, { data }));
          }
        }
      });
      child.once("error", (error) => {
        clearTimeout(silence);
        reject(error);
      });
      child.once("exit", (status, signal) => {
        clearTimeout(silence);
        const why = signal ?? `exit status ${status}`;
        last.then(
          () =>
            end?.() ??
            reject(factoryError("MOD_FACTORY_TRAINER_ENDED", `a process ended: ${why}`, { data: { why } })),
          reject,
        );
      });
    });
    this.ended.catch(() => {});
    child.send(task, (error) => error !== null && child.kill("SIGKILL"));
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  send(wish: TaskWish): void {
    this.#order({ wish });
  }

  #order(order: TaskOrder): void {
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
