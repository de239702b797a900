/**
 * The watcher's loop beside its full node (`openledger watch`): recomputes what is new, signs its results, and brings them to
 * hosts. watch-process.ts starts it.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import { fetchFile } from "@openledger/attribution/model/model-download";
import { decodeManifest, MANIFEST, ROWS_FILE } from "@openledger/attribution/model/model-manifest";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { fetchVersion } from "./fetch-rows.ts";
import type { Finding } from "./recomputation.ts";
import { type Failure, Retries } from "./retries.ts";
import { sendRecords, unsentPlaces } from "./send-records.ts";
import { findServedLocations } from "./served-locations.ts";
import type { WatcherModules, WatcherOptions } from "./watch-parts.ts";
import {
  type DifferingTask,
  type HeldTask,
  type StoredTask,
  taskName,
  type WatchTask,
} from "./watch-tasks.ts";
import { findModels, tasksOf, type WatchedModel } from "./watched-models.ts";

const DAY_MS = 86_400_000;
const MAX_MANIFEST_BYTES = 1 << 20;
/** Newest settlements of one model whose records are sent: a host stores this many for a leaf. */
const MAX_SIGNED_EPOCHS = 64;

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #modules: WatcherModules;
  readonly #done = new Map<string, StoredTask>();
  readonly #computing: Retries;
  readonly #sending: Retries;
  #models: readonly WatchedModel[] = [];
  #running: (WatchTask & { readonly progress: string | null }) | null = null;

  /** Opens a watcher with the finished tasks. */
  static async open(options: WatcherOptions, modules: WatcherModules): Promise<Watcher> {
    return new Watcher(options, modules, await modules.tasks.all());
  }

  private constructor(options: WatcherOptions, modules: WatcherModules, done: readonly StoredTask[]) {
    this.#options = options;
    this.#modules = modules;
    this.#computing = new Retries(modules.nowMs);
    this.#sending = new Retries(modules.nowMs);
    for (const task of done) this.#done.set(taskName(task), task);
  }

  /** Recomputations that differ. */
  get differing(): DifferingTask[] {
    return [...this.#done.values()].filter(
      (task): task is DifferingTask => task.conclusion.result === "differs",
    );
  }

  /** Returns the failures, by the task's name, that have lasted at least this long. */
  unavailableFor(ms: number): [name: string, failure: Failure][] {
    return this.#computing.lastingFor(ms);
  }

  /** Tells of a task that differs, unless another watcher has. @param tell returns true if it was heard */
  async report(task: StoredTask, tell: () => Promise<boolean>): Promise<void> {
    await this.#modules.tasks.alone(task, this.#modules.signal, async () => {
      await this.#readEvents();
      const now = this.#done.get(taskName(task));
      if (now?.isReported === false && (await tell()))
        await this.#keep({ ...this.#done.get(taskName(task))!, isReported: true });
    });
  }

  /** Reads what other watchers of the same tasks have found, signed and reported. */
  async #readEvents(): Promise<void> {
    for (const task of await this.#modules.tasks.news()) {
      const name = taskName(task);
      this.#done.set(name, task);
      this.#computing.succeed(name);
    }
  }

  get healthFacts(): object {
    const { budget } = this.#modules;
    return {
      running: this.#running,
      modelCount: this.#models.length,
      doneCount: this.#done.size,
      waitingCount: this.#waiting().length,
      today: { ...budget.usage, ...budget.limits },
      differing: this.differing.map(({ conclusion, epoch, foundAtMs, modelId }) => ({
        modelId,
        epoch,
        foundAtMs,
        ...conclusion,
      })),
      unavailable: this.#computing.all.map(([task, failure]) => ({ task, ...failure })),
      unsent: this.#sending.all.map(([task, failure]) => ({ task, ...failure })),
    };
  }

  /**
   * Reads the ledger once: recomputes one thing, and sends unsent records.
   * @returns true if something was recomputed, so that the next turn may follow at once
   */
  async poll(): Promise<boolean> {
    const { leaves, metrics } = this.#modules;
    this.#models = findModels(leaves(), this.#options.datanetIds);
    await this.#readEvents();
    const hasComputed = await this.#recomputeNext();
    await this.#sendAll();
    metrics.waiting.set(this.#waiting().length);
    metrics.differences.set(this.differing.length);
    metrics.unavailable.set(this.#computing.all.length);
    metrics.unsent.set(this.#sending.all.length);
    return hasComputed;
  }

  /** Tasks that were never computed, and those that differed a day ago: the server may have the right files by now. */
  #waiting(): WatchTask[] {
    return [...tasksOf(this.#models)].filter((task) => this.#isWaiting(task));
  }

  #isWaiting(task: WatchTask): boolean {
    const againMs = this.#modules.nowMs() - DAY_MS;
    const done = this.#done.get(taskName(task));
    return done === undefined || (done.conclusion.result === "differs" && done.foundAtMs < againMs);
  }

  async #recomputeNext(): Promise<boolean> {
    const { budget, knownServers, logger, reader, signal, tasks } = this.#modules;
    const due = this.#waiting().filter((task) => this.#computing.isDue(taskName(task)));
    if (due.length === 0 || budget.leftMs === 0) return false;
    const { servers } = this.#options;
    const locations = await findServedLocations(reader, { servers, known: knownServers() }, logger);
    for (const task of due) {
      const serverUrl = locations.get(task.modelId);
      if (serverUrl === undefined) {
        const text = `no server that the watcher knows serves model ${task.modelId}`;
        this.#computing.fail(taskName(task), { code: "CMD_NO_MODEL_SERVER", text });
        continue;
      }
      let isDone = false;
      await tasks.alone(task, signal, async (held) => {
        await this.#readEvents();
        // Another watcher was faster.
        if (!this.#isWaiting(task)) return;
        this.#running = { ...task, progress: null };
        try {
          isDone = await this.#recompute(task, serverUrl, held);
        } finally {
          this.#running = null;
        }
      });
      if (isDone) return true;
    }
    return false;
  }

  /** @returns whether it is done. A failure is noted and tried again */
  async #recompute(task: WatchTask, serverUrl: string, { progress, signal }: HeldTask): Promise<boolean> {
    const { budget, logger, metrics, nowMs, run } = this.#modules;
    const name = taskName(task);
    const startedAtMs = performance.now();
    const { leftMs } = budget;
    const tomorrowMs = (budget.usage.day + 1) * DAY_MS;
    let finding: Finding | null;
    try {
      const rowsFolder = await this.#fetchWhatIsMissing(task, serverUrl, tomorrowMs);
      if (rowsFolder === undefined) return false;
      logger.info({ ...task, serverUrl, leftMs }, "recomputing");
      const onProgress = (text: string) => {
        logger.info({ ...task }, text);
        this.#running = { ...task, progress: text };
        progress(text);
      };
      const recomputation = { ...task, serverUrl, base: this.#options.base, rowsFolder };
      finding = await run(recomputation, { maxMs: leftMs, signal, onProgress });
    } catch (error) {
      // The watcher stops, or another one has the task.
      if (signal.aborted) return false;
      const code = isRollupError(error) ? error.code : "unforeseen";
      finding = { result: "unavailable", code, text: (error as Error).message };
    }
    const ms = Math.round(performance.now() - startedAtMs);
    await budget.spend({ ms });
    metrics.recomputed.inc({ result: finding?.result ?? "over-budget" });
    if (finding === null) {
      const text = `it takes longer than ${leftMs} ms, which were left of the day's budget`;
      logger.warn({ ...task, ms }, text);
      this.#computing.fail(name, { code: "over-budget", text }, tomorrowMs);
      return false;
    }
    if (finding.result === "unavailable") {
      logger.warn({ ...task, ms, code: finding.code }, finding.text);
      this.#computing.fail(name, finding);
      return false;
    }
    if (finding.result === "differs")
      logger.error({ ...task, ms, ...finding.difference }, `it differs: ${finding.text}`);
    else
      logger.info(
        { ...task, ms },
        finding.result === "same" ? finding.text : "no draws have divided the epoch",
      );
    this.#computing.succeed(name);
    const wasReported = this.#done.get(name)?.conclusion.result === "differs";
    await this.#keep({
      ...task,
      conclusion: finding,
      foundAtMs: nowMs(),
      sentTo: [],
      isReported: finding.result !== "differs" || wasReported,
    });
    return true;
  }

  /**
   * Counts what the task downloads, and fetches the rows of a model that is published without them.
   * @returns the folder of the rows, null if none is needed; undefined if the day's budget does not allow it
   */
  async #fetchWhatIsMissing(
    task: WatchTask,
    serverUrl: string,
    tomorrowMs: number,
  ): Promise<string | null | undefined> {
    const { budget, logger } = this.#modules;
    const bytes = await fetchFile(serverUrl, `model/${MANIFEST}`, { maxFileBytes: MAX_MANIFEST_BYTES });
    const { files } = decodeManifest(new Map(bytes === null ? [] : [[MANIFEST, bytes]]));
    const sizeBytes = Object.values(files).reduce((sum, file) => sum + file.sizeBytes, 0);
    if (sizeBytes > budget.leftBytes) {
      const text = `its files have ${sizeBytes} bytes, and ${budget.leftBytes} are left of the day's budget`;
      logger.warn(task, text);
      this.#computing.fail(taskName(task), { code: "over-budget", text }, tomorrowMs);
      return undefined;
    }
    await budget.spend({ bytes: sizeBytes });
    return task.epoch !== null || files[ROWS_FILE] !== undefined ? null : this.#fetchRows(task);
  }

  /** @throws DNT_ACCESS_NOT_GRANTED, CLI_RECORDS_UNSIGNED and what else the last host answers */
  async #fetchRows({ modelId }: WatchTask): Promise<string> {
    const { budget, history, logger } = this.#modules;
    const { hosts, rowsFolder } = this.#options;
    const { datanetIds, version } = this.#models.find(({ id }) => id === modelId)!;
    const [datanetId, ...further] = datanetIds;
    if (further.length > 0 || hosts.length === 0)
      throw attributionError(
        "ATT_ROWS_MISMATCH",
        `model ${modelId} is published without its rows, and the watcher fetches those of one Datanet, from a host`,
      );
    // What it lists of commits and versions is the sequencer's word, and compared with the roots that the ledger has.
    const client = { ...(await this.#modules.openSigner()), sequencerUrl: history.sequencerUrl };
    const { rowCount, sizeBytes } = await fetchVersion(client, this.#options, {
      datanetId: datanetId!,
      version,
    });
    logger.info({ datanetId, version, rows: rowCount, bytes: sizeBytes }, "rows are here");
    await budget.spend({ bytes: sizeBytes });
    return rowsFolder;
  }

  async #sendAll(): Promise<void> {
    const { hosts } = this.#options;
    const { signal, tasks } = this.#modules;
    if (hosts.length === 0) return;
    const models = new Map(this.#models.map((model) => [model.id, model]));
    for (const task of this.#done.values()) {
      const model = models.get(task.modelId);
      const { conclusion, epoch, sentTo } = task;
      if (model === undefined || conclusion.result === "not-drawn") continue;
      if (epoch !== null && epoch + MAX_SIGNED_EPOCHS <= model.settledEpoch) continue;
      const name = taskName(task);
      if (unsentPlaces(model, hosts, sentTo).length === 0 || !this.#sending.isDue(name)) continue;
      await tasks.alone(task, signal, async () => {
        await this.#readEvents();
        const now = this.#done.get(name)!;
        const locations = unsentPlaces(model, hosts, now.sentTo);
        if (locations.length > 0) await this.#send(now, model, locations);
      });
    }
  }

  async #send(task: StoredTask, model: WatchedModel, places: ReturnType<typeof unsentPlaces>): Promise<void> {
    const { logger } = this.#modules;
    const { conclusion, epoch, modelId, sentTo } = task;
    if (conclusion.result === "not-drawn") return;
    const name = taskName(task);
    // The ledger names the first Datanet's version alone; of the others the recomputed recipe does.
    const ofModel = this.#done.get(taskName({ modelId, epoch: null }))?.conclusion;
    const named = ofModel === undefined || ofModel.result === "not-drawn" ? [] : ofModel.versions;
    const versions = [model.version, ...named.slice(1)];
    try {
      const { difference, figure = null } = conclusion;
      const result = { modelId, epoch, difference, figure, versions };
      const signer = await this.#modules.openSigner();
      const sent = await sendRecords(signer, result, { history: this.#modules.history, places });
      if (sent.length > 0) {
        logger.info({ modelId, epoch, result: conclusion.result, sent }, "signed and sent");
        await this.#keep({ ...this.#done.get(name)!, sentTo: [...sentTo, ...sent] });
      }
      if (sent.length === places.length) this.#sending.succeed(name);
      else this.#sending.fail(name, { code: "DNT_NOT_HOSTED", text: "a host does not have the Datanet" });
    } catch (error) {
      if (!isRollupError(error)) throw error;
      logger.warn({ modelId, epoch, code: error.code }, `the record is not sent: ${error.message}`);
      this.#sending.fail(name, { code: error.code, text: error.message });
    }
  }

  async #keep(task: StoredTask): Promise<void> {
    this.#done.set(taskName(task), task);
    await this.#modules.tasks.put(task, this.#modules.signal);
  }
}
