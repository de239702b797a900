/** One process of a world: started as an operator starts it, stopped, paused and killed at will. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { drillError } from "./drill-errors.ts";
import { waitUntil } from "./wait-until.ts";

export interface ProcessSpec {
  readonly name: string;
  /** Program; default: Node. */
  readonly command?: string;
  readonly args: readonly string[];
  /** Environment beside PATH, HOME and TMPDIR: the caller's may hold settings of another rollup. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working directory; default: the repository's root. */
  readonly workingDir?: string;
  /** Niceness; default: 0. A process with a higher one gives way to the others. */
  readonly niceness?: number;
  /** true: it outlives this process, and Ctrl-C does not reach it. */
  readonly isDetached?: boolean;
  readonly logPath: string;
  /** Resolves to true if it answers; a process without this is ready at once. */
  readonly isReady?: () => Promise<boolean>;
  /** Called with a description of what is awaited. */
  readonly tell?: ((text: string) => void) | undefined;
}

interface ProcessEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const READY_TIMEOUT_MS = 300_000;
/** Time until a stop becomes a kill; equals systemd's. */
const STOP_TIMEOUT_MS = 90_000;
const SHOWN_LINES = 12;
/** Error codes in a log; the last one is the one that the process ended with. */
const CODE = /\b(?:SRV|SEQ|BRG|PRV|OP|CIR|ATT|LEVEL)_[A-Z][A-Z0-9_]*\b/g;

/** Children that die with this process, however it ends, except by SIGKILL. */
const attached = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of attached) child.kill("SIGKILL");
});

/**
 * Returns a check that `url` answers /health.
 * @param isAnyStatus true: an answer that it cannot serve now counts, too
 */
export const healthOf =
  (url: string, isAnyStatus = false) =>
  async () => {
    const { ok, status } = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
    return ok || (isAnyStatus && status < 600);
  };

/** Process with at most one child at a time; its output goes to one log file for all starts. */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  /** Modules that are loaded before the program: the clock that jumps. */
  preloads: readonly string[] = [];
  #child: ChildProcess | null = null;
  #ending: Promise<ProcessEnd> | null = null;
  /** Offset in the log at which the lines begin that `logLinesWith` reads. */
  #logFrom: number;
  /** true: the end was requested. */
  #isStopped = false;
  #lastEnd: ProcessEnd | null = null;

  constructor(spec: ProcessSpec) {
    this.spec = spec;
    mkdirSync(dirname(spec.logPath), { recursive: true });
    this.#logFrom = this.#logBytes();
  }

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Reason why waiting is useless: the process ended by itself and was not started again. null: it runs, or its end was requested. */
  get endedByItself(): Error | null {
    if (this.#child !== null || this.#lastEnd === null || this.#isStopped) return null;
    const { name } = this.spec;
    const last = this.lastLines();
    const codes = [...new Set(last.match(CODE) ?? [])];
    const how = `${this.#lastEnd.status ?? this.#lastEnd.signal}`;
    const named = codes.length === 0 ? "without a code" : `naming ${codes.join(", ")}`;
    return drillError("DRL_PROCESS_ENDED", `${name} ended by itself with ${how}, ${named}:\n${last}`, {
      data: { name, codes, ...this.#lastEnd },
    });
  }

  /** Starts the program and returns at once. */
  launch(): void {
    if (this.#child !== null) throw drillError("DRL_UNEXPECTED", `${this.spec.name} runs already`);
    const { args, command, env, isDetached = false, logPath, niceness, workingDir } = this.spec;
    const { PATH = "", HOME = "", TMPDIR } = process.env;
    const log = openSync(logPath, "a");
    const preloads = this.preloads.flatMap((name) => ["--import", name]);
    const child = spawn(command ?? process.execPath, [...preloads, ...args], {
      cwd: workingDir ?? repositoryRoot,
      env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
      // What it says goes through this process: a full disk of its own must not keep it from saying so.
      stdio: isDetached ? ["ignore", log, log] : ["ignore", "pipe", "pipe"],
      detached: isDetached,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => writeSync(log, chunk));
    // One that could not be started has no id; its error says so.
    if (niceness !== undefined && child.pid !== undefined) setPriority(child.pid, niceness);
    if (!isDetached) attached.add(child);
    this.#child = child;
    this.#isStopped = false;
    this.#lastEnd = null;
    this.#ending = new Promise((resolve) => {
      const end = (status: number | null, signal: NodeJS.Signals | null) => {
        attached.delete(child);
        closeSync(log);
        if (this.#child === child) {
          this.#child = null;
          this.#lastEnd = { status, signal };
        }
        resolve({ status, signal });
      };
      // Of one that could not be started: "close" follows.
      child.once("error", () => {});
      // "close": all of its output has been read.
      child.once("close", end);
    });
  }

  /** @throws DRL_NOT_READY with the end of the log where it ends, or stays silent, instead */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** @returns how long it took from now on. @throws DRL_NOT_READY */
  async ready(): Promise<number> {
    const startedAtMs = performance.now();
    const { isReady = async () => true, name, tell } = this.spec;
    const notReady = (how: string) => drillError("DRL_NOT_READY", `${name} ${how}:\n${this.lastLines()}`);
    await waitUntil(
      `${name} to be ready`,
      async () => this.#child === null || (await isReady()),
      READY_TIMEOUT_MS,
      { tell },
    ).catch(() => {
      throw notReady("does not answer");
    });
    if (this.#child === null) throw notReady("ended instead of being ready");
    return performance.now() - startedAtMs;
  }

  /** SIGSTOP, as a machine that hangs; SIGCONT, as one that comes back. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** kill -9. Nothing happens to one that has ended by itself. */
  async kill(): Promise<void> {
    if (this.#child !== null) this.#isStopped = true;
    this.#child?.kill("SIGKILL");
    await this.#ending;
  }

  /** Sends SIGTERM, then SIGKILL if that is not enough; `onKill` is called before the latter. */
  async stop(timeoutMs = STOP_TIMEOUT_MS, onKill: () => void = () => {}): Promise<ProcessEnd | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#isStopped = true;
    child.kill("SIGTERM");
    const timer = setTimeout(() => {
      onKill();
      child.kill("SIGKILL");
    }, timeoutMs);
    const end = await this.#ending;
    clearTimeout(timer);
    return end;
  }

  /** Waits until it ends by itself. @throws DRL_TIMEOUT */
  async ended(timeoutMs: number): Promise<ProcessEnd> {
    const { name, tell } = this.spec;
    await waitUntil(`${name} to end`, async () => this.#child === null, timeoutMs, { tell });
    return this.#ending!;
  }

  /** Resolves once the running child ends, no matter who asked for it. */
  get ending(): Promise<ProcessEnd> | null {
    return this.#ending;
  }

  /** Returns true if a line of its log since the last `forgetLog` has this text, such as an error code. */
  hasLogged(text: string): boolean {
    return this.logLinesWith(text).length > 0;
  }

  /** Lines of the log with this text. */
  logLinesWith(text: string): string[] {
    return this.#lines().filter((line) => line.includes(text));
  }

  forgetLog(): void {
    this.#logFrom = this.#logBytes();
  }

  lastLines(count = SHOWN_LINES): string {
    return this.#lines().slice(-count).join("\n");
  }

  #lines(): string[] {
    if (!existsSync(this.spec.logPath)) return [];
    return readFileSync(this.spec.logPath).subarray(this.#logFrom).toString().trimEnd().split("\n");
  }

  #logBytes(): number {
    return statSync(this.spec.logPath, { throwIfNoEntry: false })?.size ?? 0;
  }
}
