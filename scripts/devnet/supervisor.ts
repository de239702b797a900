import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { Console } from "./console.ts";
import { devnetError } from "./devnet-errors.ts";
import { commandOf, type ProcessFile, writeProcessFile } from "./process-file.ts";

export interface ServiceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** 0 where absent; a higher one gives way to the others. */
  readonly niceness?: number;
  /** Resolves once the service answers; asked again after every restart. */
  readonly isReady: () => Promise<boolean>;
}

const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
/** A service that ends this often within a minute is broken, not unlucky. */
const MAX_ENDS_A_MINUTE = 5;
const RESTART_MS = 500;

interface Service {
  readonly spec: ServiceSpec;
  child: ChildProcess;
  readonly endTimesMs: number[];
  ended: Promise<void>;
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
    mkdirSync(options.logDir, { recursive: true });
  }

  /** @throws DEV_SERVICE_FAILED with the end of its log */
  async start(spec: ServiceSpec): Promise<void> {
    const service: Service = { spec, child: this.#spawn(spec), endTimesMs: [], ended: Promise.resolve() };
    this.#services.push(service);
    this.#watch(service);
    await this.#recordProcesses();
    await this.#waitUntilReady(service);
  }

  /** SIGTERM, then time to end, then SIGKILL; the last started first. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { child, ended, spec } of [...this.#services].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      const isTooSlow = await Promise.race([
        ended.then(() => false),
        sleep(STOP_TIMEOUT_MS, true, { ref: false }),
      ]);
      if (isTooSlow) {
        this.#options.console.alarm(`${spec.name} did not stop in ${STOP_TIMEOUT_MS / 1000} s and is killed`);
        child.kill("SIGKILL");
        await ended;
      }
    }
    await this.#recordProcesses();
  }

  logPath(name: string): string {
    return join(this.#options.logDir, `${name}.log`);
  }

  #spawn(spec: ServiceSpec): ChildProcess {
    const log = openSync(this.logPath(spec.name), "a");
    try {
      const child = spawn(spec.command, spec.args, {
        cwd: repositoryRoot,
        env: { ...process.env, ...spec.env },
        stdio: ["ignore", log, log],
        detached: true,
      });
      // One that could not be started has no id; its error says so.
      if (spec.niceness !== undefined && child.pid !== undefined) setPriority(child.pid, spec.niceness);
      return child;
    } finally {
      closeSync(log);
    }
  }

  #watch(service: Service): void {
    const { child } = service;
    service.ended = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", () => resolve());
    });
    void service.ended.then(() => this.#onEnd(service));
  }

  async #onEnd(service: Service): Promise<void> {
    if (this.#isStopping) return;
    const { spec, child, endTimesMs } = service;
    const { console, onGiveUp } = this.#options;
    const how = child.signalCode ?? `status ${child.exitCode}`;
    const now = Date.now();
    endTimesMs.push(now);
    if (endTimesMs.filter((time) => time > now - 60_000).length >= MAX_ENDS_A_MINUTE) {
      onGiveUp(this.#failure(spec, `ended ${MAX_ENDS_A_MINUTE} times within a minute, last with ${how}`));
      return;
    }
    console.alarm(`${spec.name} ended with ${how} and is started again (log: ${this.logPath(spec.name)})`);
    await sleep(RESTART_MS);
    if (this.#isStopping) return;
    service.child = this.#spawn(spec);
    this.#watch(service);
    await this.#recordProcesses();
    await this.#waitUntilReady(service).then(
      () => console.done(`${spec.name} is back`),
      (error: Error) => onGiveUp(error),
    );
  }

  async #waitUntilReady({ spec }: Service): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await spec.isReady().catch(() => false))) {
      if (this.#isStopping) throw devnetError("DEV_STOPPED", `stopped while ${spec.name} was starting`);
      if (Date.now() > deadline)
        throw this.#failure(spec, `did not answer within ${READY_TIMEOUT_MS / 1000} s`);
      await sleep(150);
    }
  }

  #failure(spec: ServiceSpec, what: string): Error {
    const path = this.logPath(spec.name);
    const end = readFileSync(path, "utf8").trimEnd().split("\n").slice(-15).join("\n");
    return devnetError("DEV_SERVICE_FAILED", `${spec.name} ${what}; the end of ${path}:\n${end}`, {
      data: { name: spec.name, logPath: path },
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
    for (const { spec, child } of this.#services) {
      const command = child.pid === undefined || child.exitCode !== null ? null : commandOf(child.pid);
      if (command !== null) children.push({ name: spec.name, pid: child.pid!, command });
    }
    return children;
  }
}
