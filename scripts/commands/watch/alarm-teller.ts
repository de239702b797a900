/**
 * Sends the alarms of a watcher (`openledger watch`, which recomputes models and settlements) to a webhook: differences, things
 * that cannot be recomputed, and the full node's own alarms. The watcher polls it; times are in Unix milliseconds.
 */
import type { Logger } from "@openledger/foundation/logger";
import type { DifferingTask, StoredTask } from "./watch-tasks.ts";
import type { Watcher } from "./watcher.ts";
import { callWebhook, type WatchEvent } from "./webhook.ts";

export interface AlarmTellerOptions {
  /** null: alarms are in the log and in `/health` alone. */
  readonly webhookUrl: string | null;
  readonly chainId: number;
  readonly rollupAddress: string;
  /** Time after which something that cannot be recomputed is an alarm. */
  readonly unavailableMs: number;
}

interface AlarmTellerModules {
  readonly watcher: Pick<Watcher, "differing" | "report" | "unavailableFor">;
  /** Alarms of the full node about the operator and L1 now; equivocations are among them. */
  readonly alarms: () => readonly { readonly name: string; readonly kind: string; readonly text: string }[];
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/**
 * Tells the webhook when something differs or stands still, and when that ends. An event that it does not accept is sent again.
 */
export class AlarmTeller {
  readonly #options: AlarmTellerOptions;
  readonly #modules: AlarmTellerModules;
  /** Reported alarms, by name. */
  readonly #reported = new Map<string, Pick<WatchEvent, "kind" | "text">>();
  /** Time at which each alarm was raised; only those that have not ended. */
  readonly #raisedAtMs = new Map<string, number>();

  constructor(options: AlarmTellerOptions, modules: AlarmTellerModules) {
    this.#options = options;
    this.#modules = modules;
  }

  async poll(): Promise<void> {
    const { alarms, watcher } = this.#modules;
    for (const task of watcher.differing)
      if (!task.isReported)
        await watcher.report(task, () => this.#tell(nameOf(task), "raised", eventOf(task)));
    const raised = new Map(alarms().map(({ kind, name, text }) => [name, { kind, text }]));
    for (const [name, { text }] of watcher.unavailableFor(this.#options.unavailableMs))
      raised.set(`unavailable ${name}`, { kind: "unavailable", text });
    for (const [name, event] of raised)
      if (!this.#reported.has(name) && (await this.#tell(name, "raised", event)))
        this.#reported.set(name, event);
    for (const [name, event] of this.#reported)
      if (!raised.has(name) && (await this.#tell(name, "ended", event))) this.#reported.delete(name);
  }

  async #tell(
    name: string,
    state: WatchEvent["state"],
    event: Omit<WatchEvent, "atMs" | "chainId" | "rollupAddress" | "state">,
  ): Promise<boolean> {
    const { logger, nowMs } = this.#modules;
    const { chainId, rollupAddress, webhookUrl } = this.#options;
    const raisedAtMs = this.#raisedAtMs.get(name);
    let atMs = nowMs();
    if (state === "ended") {
      if (raisedAtMs !== undefined) logger.info(event, "an alarm has ended");
      this.#raisedAtMs.delete(name);
    } else if (raisedAtMs === undefined) {
      logger.error(event, "alarm");
      this.#raisedAtMs.set(name, atMs);
    } else atMs = raisedAtMs;
    if (webhookUrl === null) return true;
    return callWebhook(webhookUrl, { ...event, state, atMs, chainId, rollupAddress }, logger);
  }
}

const nameOf = ({ epoch, modelId }: StoredTask) => `differs ${modelId}/${epoch ?? "model"}`;

function eventOf({ conclusion, epoch, modelId }: DifferingTask) {
  const { difference, text } = conclusion;
  return { kind: "differs", text, modelId, epoch, ...difference };
}
