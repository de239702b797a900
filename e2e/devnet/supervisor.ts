/** Starts the devnet's processes, waits until each is ready, restarts those that end, and stops all at the end. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ManagedProcess } from "../world/process.ts";
import type { ServiceSpec } from "../world/services.ts";
import type { Console } from "./console.ts";
import { devnetError } from "./devnet-errors.ts";
import { commandOf, type ProcessFile, writeProcessFile } from "./process-file.ts";

/** An answer server took over 90 s at a load of 8. A process that ends is noticed at once, whatever this says. */
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 20_000;
/** Between two looks whether a process answers. */
const LOOK_MS = 50;
/** A service that ends this often within a minute is broken, not unlucky. */
const MAX_ENDS_A_MINUTE = 5;
const RESTART_MS = 500;
const SHOWN_LINES = 15;

/** Words of those who find their port taken: Node, our servers, anvil. */
const PORT_TAKEN = /EADDRINUSE|is in use by another process|Address already in use/i;

interface Service {
  readonly process: ManagedProcess;
  readonly endTimesMs: number[];
  /** true: the process has answered once. */
  wasReady: boolean;
  /** Reason for which it is not started again. */
  failure: Error | null;
}

interface SupervisorOptions {
  readonly logDir: string;
  readonly recordPath: string;
  readonly console: Console;
  readonly onGiveUp: (error: Error) => void;
}

/**
 * Starts processes, starts them again when they end by themselves, and ends them in reverse order.
 *
 * They run in process groups of their own: Ctrl-C reaches the devnet alone, which then stops them one by one, so
 * that none is cut off from a service that it still needs.
 */
export class Supervisor {
  readonly #services: Service[] = [];
  readonly #options: SupervisorOptions;
  #isStopping = false;
  #recording: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts a process with this one's environment, but for DATABASE_URL, and its own.
   * @throws DEV_FAILED with the end of its log; at once, with the reason `port-taken`, where another program has its port
   */
  async start(spec: ServiceSpec): Promise<void> {
    // That of another project: the devnet's database is its own, or OPENLEDGER_DATABASE_URL.
    const { DATABASE_URL: _foreign, ...environment } = process.env;
    const child = new ManagedProcess({
      ...spec,
      env: { ...environment, ...spec.env },
      isDetached: true,
      logPath: this.logPath(spec.name),
    });
    const service: Service = { process: child, endTimesMs: [], wasReady: false, failure: null };
    this.#services.push(service);
    this.#launch(service);
    await this.#recordProcesses();
    try {
      await this.#waitUntilReady(service);
      service.wasReady = true;
    } catch (error) {
      if (service.failure !== null) this.#services.splice(this.#services.indexOf(service), 1);
      throw error;
    }
  }

  /** SIGTERM, then time to end, then SIGKILL; the last started first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { process } of this.#services.toReversed()) {
      await process.stop(STOP_TIMEOUT_MS, () => {
        const seconds = STOP_TIMEOUT_MS / 1000;
        this.#options.console.alarm(`${process.name} did not stop in ${seconds} s and is killed`);
      });
    }
    await this.#recordProcesses();
  }

  logPath(name: string): string {
    return join(this.#options.logDir, `${name}.log`);
  }

  #launch(service: Service): void {
    service.process.launch();
    void service.process.ending!.then(({ signal, status }) =>
      this.#onEnd(service, signal ?? `status ${status}`),
    );
  }

  async #onEnd(service: Service, how: string): Promise<void> {
    if (this.#isStopping) return;
    const { endTimesMs, process } = service;
    const { console, onGiveUp } = this.#options;
    if (!service.wasReady && PORT_TAKEN.test(process.lastLines(SHOWN_LINES))) {
      service.failure = this.#failure(process, "found its port taken by another program", "port-taken");
      return;
    }
    const now = Date.now();
    endTimesMs.push(now);
    if (endTimesMs.filter((time) => time > now - 60_000).length >= MAX_ENDS_A_MINUTE) {
      const often = `ended ${MAX_ENDS_A_MINUTE} times within a minute, last with ${how}`;
      // Who waits for its first answer hears of it, too.
      service.failure = this.#failure(process, often);
      onGiveUp(service.failure);
      return;
    }
    const { logPath } = process.spec;
    console.alarm(`${process.name} ended with ${how} and is started again (log: ${logPath})`);
    await sleep(RESTART_MS);
    if (this.#isStopping) return;
    this.#launch(service);
    await this.#recordProcesses();
    await this.#waitUntilReady(service).then(
      () => console.done(`${process.name} is back`),
      (error: Error) => onGiveUp(error),
    );
  }

  async #waitUntilReady(service: Service): Promise<void> {
    const { process } = service;
    const { isReady = async () => true, name } = process.spec;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    // Another program may answer in its place: an answer counts while the process runs.
    while (!(process.isRunning && (await isReady().catch(() => false)) && process.isRunning)) {
      if (service.failure !== null) throw service.failure;
      if (this.#isStopping)
        throw devnetError("DEV_FAILED", `stopped while ${name} was starting`, {
          data: { reason: "stopped" },
        });
      if (Date.now() > deadline)
        throw this.#failure(process, `did not answer within ${READY_TIMEOUT_MS / 1000} s`);
      await sleep(LOOK_MS);
    }
  }

  #failure(process: ManagedProcess, what: string, reason = "service-failed"): Error {
    const { logPath, name } = process.spec;
    const end = process.lastLines(SHOWN_LINES);
    return devnetError("DEV_FAILED", `${name} ${what}; the end of ${logPath}:\n${end}`, {
      data: { reason, name, logPath },
    });
  }

  #recordProcesses(): Promise<void> {
    // One write after another: each writes what is true when its turn comes.
    this.#recording = this.#recording.then(() =>
      writeProcessFile(this.#options.recordPath, this.#runningProcesses()),
    );
    return this.#recording;
  }

  #runningProcesses(): ProcessFile["children"] {
    const children: ProcessFile["children"] = [];
    for (const { process } of this.#services) {
      const command = process.pid === null ? null : commandOf(process.pid);
      if (command !== null) children.push({ name: process.name, pid: process.pid!, command });
    }
    return children;
  }
}
