import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RollupError } from "@openledger/foundation/rollup-error";
import { factoryError } from "../../model-errors.ts";
import type {
  EventsMessage,
  FactoryTask,
  StageMessage,
  TaskMessage,
  TaskOrder,
  TaskResults,
  TaskWish,
} from "./task-messages.ts";

const ENTRY = fileURLToPath(new URL("task-entry.js", import.meta.url));

interface TaskEnd<Mode extends FactoryTask["mode"]> {
  /** null if the task was paused. */
  readonly result: TaskResults[Mode] | null;
}

/**
 * A process that computes: the factory answers requests meanwhile, and lives on if it is killed. Its messages are
 * handled one after another.
 */
export class ChildTask<Mode extends FactoryTask["mode"]> {
  readonly #child: ChildProcess;
  /** @throws the task's refusal; MOD_FACTORY_TRAINER_ENDED if the process ended without a word */
  readonly ended: Promise<TaskEnd<Mode>>;

  constructor(
    task: Extract<FactoryTask, { readonly mode: Mode }>,
    onMessage: (message: EventsMessage | StageMessage) => Promise<void> = async () => {},
  ) {
    const child = fork(ENTRY, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child = child;
    this.ended = new Promise((resolve, reject) => {
      let last: Promise<void> = Promise.resolve();
      let end: (() => void) | null = null;
      let storedCount = 0;
      child.on("message", (message: TaskMessage) => {
        switch (message.kind) {
          case "events":
          case "stage":
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
      child.once("error", reject);
      child.once("exit", (status, signal) => {
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
